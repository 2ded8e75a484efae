#include "starctl/failure.h"

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace starratings::starctl {
namespace {

// What to say of an error that has no words of its own.
std::string HeadlineOf(const absl::Status& error, const status::ErrorDetail& detail) {
  // The message of a list of fields repeats the list.
  if (detail.reason == "INVALID_FIELDS") return "the service refused the request";
  std::string text(error.message());
  // With a reason, the words are the service's own; without, they are gRPC's.
  if (!detail.reason.empty()) return text;
  if (error.code() == absl::StatusCode::kUnavailable) {
    return absl::StrCat("cannot reach the service: ", text);
  }
  if (error.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::StrCat("no answer in time (see --timeout): ", text);
  }
  if (text.empty()) text = absl::StatusCodeToString(error.code());
  return text;
}

}  // namespace

absl::Status BadFile(absl::string_view file, absl::string_view what) {
  return status::Error(absl::StatusCode::kInvalidArgument, kBadFile,
                       absl::StrCat(file, ": ", what));
}

absl::Status BadUsage(absl::string_view what) {
  return status::Error(absl::StatusCode::kInvalidArgument, kBadUsage, what);
}

ExitCode ExitCodeOf(const absl::Status& error) {
  if (error.ok()) return ExitCode::kOk;
  const std::string reason = status::DetailOf(error).reason;
  if (reason == kBadFile) return ExitCode::kBadFile;
  if (reason == kBadUsage) return ExitCode::kUsage;
  if (error.code() == absl::StatusCode::kDataLoss) return ExitCode::kDamaged;
  if (error.code() == absl::StatusCode::kUnavailable ||
      error.code() == absl::StatusCode::kDeadlineExceeded) {
    return ExitCode::kUnreachable;
  }
  return ExitCode::kRefused;
}

std::string Describe(const absl::Status& error) {
  const status::ErrorDetail detail = status::DetailOf(error);
  std::string text = absl::StrCat("starctl: ", HeadlineOf(error, detail));
  const bool ours = detail.reason == kBadFile || detail.reason == kBadUsage;
  if (!detail.reason.empty() && !ours) absl::StrAppend(&text, " (", detail.reason, ")");
  absl::StrAppend(&text, "\n");
  for (const status::FieldViolation& field : detail.fields) {
    absl::StrAppend(&text, field.field, ": ", field.rule, "\n");
  }
  for (const status::PreconditionViolation& violation : detail.preconditions) {
    absl::StrAppend(&text, violation.subject, ": ", violation.description, "\n");
  }
  return text;
}

}  // namespace starratings::starctl
