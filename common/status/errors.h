// Errors as values: an absl::Status that carries what a caller's program needs.
//
// Every error that can reach a caller has a `reason`, an UPPER_SNAKE_CASE
// constant listed in docs/errors.md. common/serving turns the details into
// google.rpc messages; nothing else reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starratings::status {

// A field of a request, written as the caller sees it (`items[3].value`), and
// the rule it breaks, as what is required (`must be ...`).
struct FieldViolation {
  std::string field;
  std::string rule;

  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// Something whose state stands in the way.
struct PreconditionViolation {
  std::string type;         // For example `ROUND_STATE`.
  std::string subject;      // For example `rounds/2002-05`.
  std::string description;  // What has to be done first.

  friend bool operator==(const PreconditionViolation&, const PreconditionViolation&) = default;
};

// What an error carries beside code and message.
struct ErrorDetail {
  std::string reason;
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> fields;
  std::vector<PreconditionViolation> preconditions;
  std::optional<absl::Duration> retry_after;

  friend bool operator==(const ErrorDetail&, const ErrorDetail&) = default;
};

// An error with a reason. `code` must not be OK.
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   std::map<std::string, std::string> metadata = {});

// An error with all its details.
absl::Status ErrorWithDetail(absl::StatusCode code, absl::string_view message,
                             const ErrorDetail& detail);

// The details of `error`; empty if it has none.
ErrorDetail DetailOf(const absl::Status& error);

}  // namespace starratings::status
