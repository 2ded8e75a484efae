#include "assessment-svc/service/writes.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "assessment-svc/intake/check_batch.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/wire/canonical_message.h"
#include "google/protobuf/descriptor.h"

namespace starratings::service {

void CheckRequestId(absl::string_view request_id, status::FieldErrors& errors) {
  errors.AddIfError("request_id", evidence::CheckUuid(request_id));
}

void CheckReason(absl::string_view reason, Need need, status::FieldErrors& errors) {
  errors.AddIfError("reason", evidence::CheckLongText(reason, need == Need::kRequired ? 1 : 0,
                                                      intake::kReasonBytesMost));
}

absl::StatusOr<digest::Digest> PayloadOf(const google::protobuf::Message& request) {
  const std::unique_ptr<google::protobuf::Message> payload(request.New());
  payload->CopyFrom(request);
  for (const char* name : {"request_id", "validate_only"}) {
    const auto* field = request.GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) payload->GetReflection()->ClearField(payload.get(), field);
  }
  const absl::StatusOr<std::string> bytes = wire::CanonicalBytes(*payload);
  if (!bytes.ok()) {
    return status::Error(absl::StatusCode::kInvalidArgument, "REQUEST_FORM",
                         bytes.status().message());
  }
  // Two requests of different kinds may have the same bytes.
  return digest::Sha256(absl::StrCat(request.GetDescriptor()->full_name(), "\n", *bytes));
}

}  // namespace starratings::service
