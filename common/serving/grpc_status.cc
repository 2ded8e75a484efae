#include "common/serving/grpc_status.h"

#include <atomic>
#include <string>

#include "common/serving/log.h"
#include "common/status/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/error_details.h"

namespace starratings::serving {
namespace {

constexpr char kDomain[] = "starratings";

// gRPC clients take 8 KiB of trailers; a longer error would arrive as another.
constexpr size_t kMessageMost = 3'000;        // Bytes.
constexpr size_t kPreconditionsMost = 1'500;  // Bytes, all together.

void PackDetails(const status::ErrorDetail& detail, google::rpc::Status& rich) {
  google::rpc::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain(kDomain);
  for (const auto& [key, value] : detail.metadata) (*info.mutable_metadata())[key] = value;
  rich.add_details()->PackFrom(info);
  if (!detail.fields.empty()) {
    google::rpc::BadRequest bad;
    for (const status::FieldViolation& field : detail.fields) {
      auto& violation = *bad.add_field_violations();
      violation.set_field(field.field);
      violation.set_description(field.rule);
    }
    rich.add_details()->PackFrom(bad);
  }
  if (!detail.preconditions.empty()) {
    google::rpc::PreconditionFailure failure;
    size_t bytes = 0;
    for (const status::PreconditionViolation& precondition : detail.preconditions) {
      bytes +=
          precondition.type.size() + precondition.subject.size() + precondition.description.size();
      if (bytes > kPreconditionsMost && failure.violations_size() > 0) break;
      auto& violation = *failure.add_violations();
      violation.set_type(precondition.type);
      violation.set_subject(precondition.subject);
      violation.set_description(precondition.description);
    }
    rich.add_details()->PackFrom(failure);
  }
  if (detail.retry_after) {
    google::rpc::RetryInfo retry;
    const int64_t milliseconds = absl::ToInt64Milliseconds(*detail.retry_after);
    retry.mutable_retry_delay()->set_seconds(milliseconds / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(milliseconds % 1'000 * 1'000'000));
    rich.add_details()->PackFrom(retry);
  }
}

status::ErrorDetail UnpackDetails(const google::rpc::Status& rich) {
  status::ErrorDetail detail;
  for (const google::protobuf::Any& any : rich.details()) {
    if (google::rpc::ErrorInfo info; any.UnpackTo(&info)) {
      detail.reason = info.reason();
      detail.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (google::rpc::BadRequest bad; any.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) {
        detail.fields.push_back({violation.field(), violation.description()});
      }
    } else if (google::rpc::PreconditionFailure failure; any.UnpackTo(&failure)) {
      for (const auto& violation : failure.violations()) {
        detail.preconditions.push_back(
            {violation.type(), violation.subject(), violation.description()});
      }
    } else if (google::rpc::RetryInfo retry; any.UnpackTo(&retry)) {
      detail.retry_after = absl::Seconds(retry.retry_delay().seconds()) +
                           absl::Nanoseconds(retry.retry_delay().nanos());
    }
  }
  return detail;
}

// Whether the message may name what is none of the caller's business.
bool IsInternal(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

std::atomic<bool> stopping = false;

}  // namespace

google::rpc::Status ToRichStatus(const absl::Status& status) {
  std::string message(status.message());
  status::ErrorDetail detail = status::DetailOf(status);
  if (IsInternal(status.code())) {
    LogError("a call failed for reasons of ours",
             {{"status", status.ToString()}, {"reason", detail.reason}});
    // With a reason, the message was written for callers.
    if (detail.reason.empty()) message = "internal error; see the service's log";
  }
  if (message.size() > kMessageMost) message = message.substr(0, kMessageMost) + " ...";
  if (detail.reason.empty()) detail.reason = absl::StatusCodeToString(status.code());
  google::rpc::Status rich;
  rich.set_code(status.raw_code());
  rich.set_message(message);
  PackDetails(detail, rich);
  return rich;
}

void BeginStopping() { stopping = true; }

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (stopping && absl::IsCancelled(status)) {
    return ToGrpcStatus(status::Error(absl::StatusCode::kUnavailable, "STOPPING",
                                      "the service is being stopped; try again"));
  }
  const google::rpc::Status rich = ToRichStatus(status);
  grpc::Status out;
  const grpc::Status packed = grpc::SetErrorDetails(rich, &out);
  return packed.ok() ? out
                     : grpc::Status(static_cast<grpc::StatusCode>(rich.code()), rich.message());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status rich;
  if (status.error_details().empty() || !grpc::ExtractErrorDetails(status, &rich).ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  rich.set_code(status.error_code());
  rich.set_message(status.error_message());
  return FromRichStatus(rich);
}

absl::Status FromRichStatus(const google::rpc::Status& status) {
  return status::ErrorWithDetail(static_cast<absl::StatusCode>(status.code()), status.message(),
                                 UnpackDetails(status));
}

}  // namespace starratings::serving
