// starctl recompute: every star of an exported round again, without a service.
#include <string>

#include "absl/strings/str_cat.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/recompute.h"
#include "starctl/session.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

std::string JsonOf(const Recomputed& done) {
  std::string out = absl::StrCat(
      "{\"equal\":", done.difference ? "false" : "true", ",\"round\":", ToJson(done.round),
      ",\"scheme\":", ToJson(done.scheme), ",\"organisations\":", done.organisations,
      ",\"items\":", done.items, ",\"round_digest\":", ToJson(done.round_digest));
  if (done.difference) {
    const Difference& found = *done.difference;
    absl::StrAppend(&out, ",\"difference\":{\"line\":", found.line,
                    ",\"organisation\":", ToJson(found.organisation),
                    ",\"what\":", ToJson(found.what), ",\"recorded\":", ToJson(found.recorded),
                    ",\"recomputed\":", ToJson(found.recomputed), "}");
  }
  return out + "}";
}

std::string TextOf(const std::string& file, const Recomputed& done) {
  if (!done.difference) {
    return absl::StrCat("round ", done.round, ", ", done.scheme, ": ",
                        Counted(done.organisations, "organisation"), " with ",
                        Counted(done.items, "item"), " recomputed; all is as recorded\n",
                        "round digest ", done.round_digest);
  }
  const Difference& found = *done.difference;
  return absl::StrCat(
      file, ":", found.line, ": ", found.organisation.empty() ? "" : found.organisation + ": ",
      found.what, " differs\n  recorded:   ", found.recorded, "\n  recomputed: ", found.recomputed,
      "\n", Counted(done.organisations, "organisation"), " before it as recorded");
}

}  // namespace

absl::StatusOr<ExitCode> RecomputeRound(Session& session, const RecomputeOptions& options) {
  ASSIGN_OR_RETURN(RoundFileReader file, RoundFileReader::Open(options.file));
  ASSIGN_OR_RETURN(Recomputed done, Recompute(file));
  if (!done.difference && !options.digest.empty() && done.round_digest != options.digest) {
    // The file agrees with itself, and is not the round that was published.
    done.difference = {file.line(), "", "round digest, as given by --digest", options.digest,
                       done.round_digest};
  }
  session.Print(session.json() ? JsonOf(done) : TextOf(options.file, done));
  return done.difference ? ExitCode::kNo : ExitCode::kOk;
}

}  // namespace starratings::starctl
