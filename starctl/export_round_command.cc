// starctl export-round: a recorded round as a file that anybody can check.
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/progress.h"
#include "starctl/rated_stream.h"
#include "starctl/round_file.h"
#include "starctl/round_sources.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::Round;
using assessment::v1::RoundFileLine;
using assessment::v1::RoundFileOrganisation;

// The next rating; none at the end.
using NextRating = std::function<absl::StatusOr<std::optional<rating::v1::Rating>>()>;

absl::Status NotWhole(const std::string& round, absl::string_view what) {
  return status::Error(absl::StatusCode::kDataLoss, "ROUND_NOT_WHOLE",
                       absl::StrCat("the round ", round, " is not what it says: ", what));
}

absl::Status NotRecorded(const std::string& round) {
  return status::Error(
      absl::StatusCode::kFailedPrecondition, "ROUND_NOT_RECORDED",
      absl::StrCat("the round ", round, " has no recorded ratings; `starctl rounds record` it"));
}

bool WasPublished(const Round& round) {
  for (const assessment::v1::RoundAct& act : round.acts()) {
    if (act.state() == assessment::v1::ROUND_STATE_PUBLISHED) return true;
  }
  return false;
}

// Writes organisations with one of delay: each line names the next.
class Lines {
 public:
  Lines(RoundFileWriter& file, const Round& round, const std::string& scheme_text)
      : file_(file), round_(round), scheme_text_(scheme_text) {}

  absl::Status Add(RoundFileOrganisation organisation) {
    const std::string& id = organisation.dossier().organisation().id();
    if (count_ == 0) {
      RETURN_IF_ERROR(Begin(id));
    } else {
      last_.set_next(id);
      RETURN_IF_ERROR(WriteLast());
    }
    ++count_;
    last_ = std::move(organisation);
    return absl::OkStatus();
  }

  absl::Status End() {
    RETURN_IF_ERROR(count_ == 0 ? Begin("") : WriteLast());
    RoundFileLine line;
    line.mutable_end()->set_count(count_);
    return file_.Write(line);
  }

 private:
  absl::Status Begin(const std::string& first) {
    RoundFileLine line;
    line.mutable_header()->set_format(kRoundFileFormat);
    *line.mutable_header()->mutable_round() = round_;
    line.mutable_header()->set_first(first);
    RETURN_IF_ERROR(file_.Write(line));
    line.mutable_scheme()->set_text(scheme_text_);
    return file_.Write(line);
  }

  absl::Status WriteLast() {
    RoundFileLine line;
    line.mutable_organisation()->Swap(&last_);
    return file_.Write(line);
  }

  RoundFileWriter& file_;
  const Round& round_;
  const std::string& scheme_text_;
  RoundFileOrganisation last_;
  int64_t count_ = 0;
};

// Puts dossiers and ratings together; returns how many, once they are what the
// round says.
absl::StatusOr<int64_t> WriteAll(const Round& round, FrozenDossiers& dossiers,
                                 const NextRating& next_rating, Lines& lines) {
  Progress progress("exporting");
  digest::RoundDigester digester;
  while (true) {
    RoundFileOrganisation one;
    ASSIGN_OR_RETURN(const bool more, dossiers.Next(one));
    ASSIGN_OR_RETURN(std::optional<rating::v1::Rating> rating, next_rating());
    if (!more && !rating) break;
    const std::string id = more ? one.dossier().organisation().id() : "";
    if (!more || !rating || rating->organisation() != id) {
      return NotWhole(round.id(), absl::StrCat("ratings and dossiers part at ",
                                               more ? id : rating->organisation()));
    }
    const absl::StatusOr<digest::Digest> digest = digest::FromHex(rating->digest());
    if (!digest.ok()) return NotWhole(round.id(), "a rating has no digest: " + id);
    digester.Add(id, *digest);
    rating->clear_snapshot();
    rating->clear_trace();
    *one.mutable_rating() = *std::move(rating);
    RETURN_IF_ERROR(lines.Add(std::move(one)));
    progress.Show(digester.count(), round.organisation_count());
  }
  const int64_t count = digester.count();
  if (count != round.organisation_count()) return NotWhole(round.id(), "organisations are missing");
  if (digest::ToHex(digester.Finish()) != round.round_digest()) {
    return NotWhole(round.id(), "its ratings do not have its round digest");
  }
  RETURN_IF_ERROR(lines.End());
  return count;
}

}  // namespace

absl::StatusOr<ExitCode> ExportRound(Session& session, const ExportRoundOptions& options) {
  if (options.file == "json" || options.file == "table") {
    return BadUsage(
        "--output names the file here; the global --output stands before the command (a file of "
        "this name: ./json)");
  }
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  ASSIGN_OR_RETURN(RoundFileWriter file, RoundFileWriter::Create(options.file));
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  const Round& round = current.round();
  if (round.round_digest().empty()) return NotRecorded(options.round);
  assessment::v1::GetSchemeTextRequest wanted;
  wanted.set_scheme(round.scheme().digest());
  assessment::v1::GetSchemeTextResponse scheme;
  RETURN_IF_ERROR(session.Call(*assessment->registers,
                               &assessment::v1::RegisterService::Stub::GetSchemeText, wanted,
                               scheme));

  const absl::Duration retry_for = absl::Seconds(options.retry_for_s);
  FrozenDossiers dossiers(session, *assessment, options.round, retry_for);
  Lines lines(file, round, scheme.text());
  int64_t count = 0;
  if (WasPublished(round)) {
    PublishedRatings published(session, *assessment, options.round, retry_for);
    ASSIGN_OR_RETURN(count, WriteAll(
                                round, dossiers, [&] { return published.Next(); }, lines));
  } else {
    ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
    // Nobody is shown them before they are published: rating-svc makes them again.
    // That they are those that were recorded, the round digest says.
    rating::v1::RateRoundRequest request;
    request.set_round(options.round);
    RatedStream again(session, *rating, request, retry_for);
    ASSIGN_OR_RETURN(count, WriteAll(
                                round, dossiers, [&] { return again.Next(); }, lines));
  }
  RETURN_IF_ERROR(file.Publish());
  if (session.json()) {
    session.Print(absl::StrCat("{\"file\":", ToJson(options.file), ",\"organisations\":", count,
                               ",\"bytes\":", file.bytes(),
                               ",\"round_digest\":", ToJson(round.round_digest()), "}"));
  } else {
    session.Print(absl::StrCat("exported ", Counted(count, "organisation"), " of round ",
                               options.round, " to ", options.file, ", ",
                               Counted(file.bytes(), "byte"), "\nround digest ",
                               round.round_digest()));
  }
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
