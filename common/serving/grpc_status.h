// The one place where our errors become gRPC's, and gRPC's become ours.
#pragma once

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"

namespace starratings::serving {

// Codes pass unchanged; details become google.rpc messages. The messages of
// INTERNAL, UNKNOWN and DATA_LOSS are logged and replaced: they may name
// tables, files or hosts that are none of the caller's business.
//
// Once the process stops, CANCELLED becomes UNAVAILABLE: gRPC cancels calls that come in at
// the end, and who is told that it was cancelled does not ask elsewhere.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The process stops. Call once.
void BeginStopping();

// The same as a message, for errors that are part of a reply. Not of OK.
google::rpc::Status ToRichStatus(const absl::Status& status);

// The other way, for clients: details are kept.
absl::Status FromGrpcStatus(const grpc::Status& status);
absl::Status FromRichStatus(const google::rpc::Status& status);

}  // namespace starratings::serving
