// starctl rate: what a scheme makes of the evidence, without recording it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "starctl/by.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/phrases.h"
#include "starctl/progress.h"
#include "starctl/published.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using rating::v1::RateRoundRequest;
using rating::v1::RateRoundResponse;

// The ratings of a round as they came, and their summary.
struct Rated {
  std::vector<rating::v1::Rating> ratings;
  rating::v1::Summary summary;
};

absl::StatusOr<Rated> RateRound(Session& session, const std::string& round, bool keep) {
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  RateRoundRequest request;
  request.set_round(round);
  request.set_trace(rating::v1::TRACE_DETAIL_NONE);
  grpc::ClientContext context;
  session.Prepare(context);
  const auto stream = rating->ratings->RateRound(&context, request);
  Progress progress("rating");
  Rated rated;
  bool complete = false;
  RateRoundResponse response;
  while (stream->Read(&response)) {
    progress.Show(response.done(), response.total());
    if (response.has_summary()) {
      rated.summary = response.summary();
      complete = true;
    }
    if (!keep || !response.has_ratings()) continue;
    for (auto& one : *response.mutable_ratings()->mutable_ratings()) {
      rated.ratings.push_back(std::move(one));
    }
  }
  RETURN_IF_ERROR(serving::FromGrpcStatus(stream->Finish()));
  if (!complete) return absl::DataLossError("the service ended without a summary");
  return rated;
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

absl::StatusOr<ExitCode> RateWholeRound(Session& session, const RateOptions& options) {
  ASSIGN_OR_RETURN(const Rated rated, RateRound(session, options.by.round, options.ratings));
  if (session.json()) {
    session.Print(ToJson(rated, options.ratings));
    return ExitCode::kOk;
  }
  ASSIGN_OR_RETURN(const scheme::v1::Scheme scheme,
                   SchemeOfRating(session, rated.summary.scheme().digest()));
  const rating::v1::Summary summary = WorstFirst(rated.summary, scheme);
  std::string out =
      absl::StrCat("round ", options.by.round, ", ", SchemeText(summary.scheme()), ", revision ",
                   summary.snapshot().revision(), ", ", Counted(summary.count(), "organisation"),
                   "\n", SummaryText(summary), "\nround digest ", summary.round_digest(), "\n");
  if (options.ratings) absl::StrAppend(&out, "\n", RatingsTable(rated.ratings));
  session.Print(out);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> Rate(Session& session, const RateOptions& options) {
  if (options.by.organisation.empty()) {
    if (options.by.round.empty() || !options.by.scheme.empty()) {
      return BadUsage(
          "either a ROUND must be given, or --organisation with --scheme, --period "
          "and --date");
    }
    return RateWholeRound(session, options);
  }
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
