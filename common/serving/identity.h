// Who calls.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"

namespace starratings::serving {

// The caller's actor: the URI SAN of its certificate; on a plaintext
// connection what the metadata `starratings-actor` says. Returns
// UNAUTHENTICATED (reason ACTOR_REQUIRED) if there is none, or it has more than 200
// bytes.
absl::StatusOr<std::string> ActorOf(const grpc::ServerContextBase& context);

// The same for who can do without one: empty then.
std::string KnownActorOf(const grpc::ServerContextBase& context);

}  // namespace starratings::serving
