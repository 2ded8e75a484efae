// starctl rate: what a scheme makes of the evidence, without recording it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"
#include "starctl/by.h"
#include "starctl/commands.h"
#include "starctl/csv.h"
#include "starctl/json.h"
#include "starctl/phrases.h"
#include "starctl/progress.h"
#include "starctl/published.h"
#include "starctl/rated_stream.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/tally.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using rating::v1::RateRoundRequest;

// The ratings of a round as they came, and their summary.
struct Rated {
  std::vector<rating::v1::Rating> ratings;
  rating::v1::Summary summary;
};

// How often an open round is begun anew because its evidence changed meanwhile.
constexpr int kAnewMost = 5;

// `I/N`: shard I, from 0, of N.
absl::StatusOr<evidence::v1::Shard> ShardOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  int index = 0;
  int count = 0;
  const bool numbers =
      parts.size() == 2 && absl::SimpleAtoi(parts[0], &index) && absl::SimpleAtoi(parts[1], &count);
  if (!numbers || count < 1 || count > digest::kBuckets || index < 0 || index >= count) {
    return BadUsage(absl::StrCat("--shard must be I/N, with I of 0 to N - 1 and N of 1 to ",
                                 digest::kBuckets, "; it is `", text, "`"));
  }
  evidence::v1::Shard shard;
  shard.set_index(index);
  shard.set_count(count);
  return shard;
}

absl::StatusOr<Rated> RateOnce(Session& session, const Rating& rating,
                               const RateRoundRequest& request, const RateOptions& options) {
  RatedStream stream(session, rating, request, absl::Seconds(options.retry_for_s));
  Progress progress("rating");
  Rated rated;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<rating::v1::Rating> one, stream.Next());
    if (!one) break;
    progress.Show(stream.done(), stream.total());
    if (options.ratings) rated.ratings.push_back(*std::move(one));
  }
  rated.summary = stream.summary();
  return rated;
}

absl::StatusOr<Rated> RateRound(Session& session, const RateOptions& options) {
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  RateRoundRequest request;
  request.set_round(options.by.round);
  request.set_trace(rating::v1::TRACE_DETAIL_NONE);
  request.set_compact(!options.ratings);
  if (!options.shard.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_shard(), ShardOf(options.shard));
  }
  for (int i = 1;; ++i) {
    absl::StatusOr<Rated> rated = RateOnce(session, *rating, request, options);
    const bool moved = status::DetailOf(rated.status()).reason == kEvidenceMoved;
    if (!moved || i == kAnewMost) return rated;
  }
}

std::string ToJson(const Rated& rated, bool ratings) {
  std::string out = "{";
  if (ratings) {
    const auto one = [](std::string* text, const rating::v1::Rating& message) {
      text->append(starctl::ToJson(message));
    };
    absl::StrAppend(&out, "\"ratings\":[", absl::StrJoin(rated.ratings, ",", one), "],");
  }
  absl::StrAppend(&out, "\"summary\":", starctl::ToJson(rated.summary), "}");
  return out;
}

// A round, or a part of it.
std::string RoundSummaryText(const rating::v1::Summary& summary) {
  const std::string part = summary.has_shard() ? absl::StrCat(", shard ", summary.shard().index(),
                                                              " of ", summary.shard().count())
                                               : "";
  const std::string digest =
      summary.has_shard()
          ? absl::StrCat(Counted(summary.buckets_size(), "bucket digest"),
                         ": `starctl add-up` takes them, and those of the other shards, from "
                         "--output json")
          : absl::StrCat("round digest ", summary.round_digest());
  return absl::StrCat("round ", summary.round(), part, ", ", SchemeText(summary.scheme()),
                      ", revision ", summary.snapshot().revision(), ", ",
                      Counted(summary.count(), "organisation"), "\n", SummaryText(summary), "\n",
                      digest, "\n");
}

// Reads what `rate ROUND --shard --output json` printed.
absl::StatusOr<Part> ReadPart(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("summary")) {
    return BadFile(path, "must be what `rate ROUND --shard I/N --output json` printed");
  }
  Part part{path, {}};
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(object["summary"].dump(), &part.summary);
  if (!parsed.ok()) {
    return BadFile(
        path, absl::StrCat("has no summary of a round: ",
                           absl::string_view(parsed.message().data(), parsed.message().size())));
  }
  return part;
}

absl::StatusOr<ExitCode> RateWholeRound(Session& session, const RateOptions& options) {
  ASSIGN_OR_RETURN(const Rated rated, RateRound(session, options));
  if (session.json()) {
    session.Print(ToJson(rated, options.ratings));
    return ExitCode::kOk;
  }
  ASSIGN_OR_RETURN(const scheme::v1::Scheme scheme,
                   SchemeOfRating(session, rated.summary.scheme().digest()));
  std::string out = RoundSummaryText(WorstFirst(rated.summary, scheme));
  if (options.ratings) absl::StrAppend(&out, "\n", RatingsTable(rated.ratings));
  session.Print(out);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> AddUpRound(Session& session, const AddUpOptions& options) {
  std::vector<Part> parts;
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(parts.emplace_back(), ReadPart(file));
  }
  ASSIGN_OR_RETURN(const rating::v1::Summary summary, AddUp(parts));
  const bool as_given = options.digest.empty() || options.digest == summary.round_digest();
  if (session.json()) {
    session.Print(absl::StrCat("{\"summary\":", starctl::ToJson(summary), "}"));
  } else {
    session.Print(
        absl::StrCat(RoundSummaryText(summary), as_given ? "" : "which is not that of --digest\n"));
  }
  return as_given ? ExitCode::kOk : ExitCode::kNo;
}

absl::StatusOr<ExitCode> Rate(Session& session, const RateOptions& options) {
  if (options.by.organisation.empty()) {
    if (options.by.round.empty() || !options.by.scheme.empty()) {
      return BadUsage(
          "either a ROUND must be given, or --organisation with --scheme, --period "
          "and --date");
    }
    return RateWholeRound(session, options);
  }
  if (!options.shard.empty()) return BadUsage("--shard is for a ROUND");
  ASSIGN_OR_RETURN(const auto response,
                   RateOrganisation(session, options.by, rating::v1::TRACE_DETAIL_NONE));
  if (session.json()) {
    session.Print(starctl::ToJson(response));
    return ExitCode::kOk;
  }
  std::string out = RatingsTable({response.rating()});
  for (const auto& consequence : response.rating().consequences()) {
    absl::StrAppend(&out, Wrap(consequence.text(), "  - ", "    "));
  }
  absl::StrAppend(&out, "digest ", response.rating().digest());
  session.Print(out);
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
