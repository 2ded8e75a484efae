// What all writes have in common: a request id, a reason, a payload's digest.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/store/writes.h"
#include "common/status/field_errors.h"
#include "google/protobuf/message.h"

namespace starratings::service {

enum class Need { kOptional, kRequired };

// Notes a request id that is no UUID, and a reason that is missing or too long.
void CheckRequestId(absl::string_view request_id, status::FieldErrors& errors);
void CheckReason(absl::string_view reason, Need need, status::FieldErrors& errors);

// What tells a retry from another request under the same id: SHA-256 over the
// name of the message and its canonical form, `request_id` and `validate_only`
// left out. Returns INVALID_ARGUMENT, reason REQUEST_FORM, if it has no
// canonical form.
absl::StatusOr<digest::Digest> PayloadOf(const google::protobuf::Message& request);

// A write by the caller, with everything but its body.
template <typename Request>
absl::StatusOr<store::Write> NewWrite(const Request& request, const Call& call) {
  const absl::StatusOr<digest::Digest> payload = PayloadOf(request);
  if (!payload.ok()) return payload.status();
  store::Write write;
  write.actor = call.actor;
  write.request_id = request.request_id();
  write.payload = *payload;
  write.reason = request.reason();
  return write;
}

}  // namespace starratings::service
