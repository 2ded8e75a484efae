#include "common/serving/identity.h"

#include <vector>

#include "common/status/errors.h"
#include "grpc/grpc_security_constants.h"

namespace starratings::serving {
namespace {

constexpr char kActorMetadata[] = "starratings-actor";
constexpr size_t kActorMost = 200;

// The actor that the connection proves, or on plaintext the one it claims.
std::string Claimed(const grpc::ServerContextBase& context) {
  const auto connection = context.auth_context();
  if (connection != nullptr && connection->IsPeerAuthenticated()) {
    const std::vector<grpc::string_ref> uris =
        connection->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
    // Several names would leave open which of them acted.
    return uris.size() == 1 ? std::string(uris[0].data(), uris[0].size()) : "";
  }
  const auto& metadata = context.client_metadata();
  if (metadata.count(kActorMetadata) != 1) return "";
  const grpc::string_ref actor = metadata.find(kActorMetadata)->second;
  return std::string(actor.data(), actor.size());
}

}  // namespace

std::string KnownActorOf(const grpc::ServerContextBase& context) {
  std::string actor = Claimed(context);
  // gRPC lets only printable ASCII through.
  return actor.size() > kActorMost ? "" : actor;
}

absl::StatusOr<std::string> ActorOf(const grpc::ServerContextBase& context) {
  std::string actor = KnownActorOf(context);
  if (actor.empty()) {
    return status::Error(absl::StatusCode::kUnauthenticated, "ACTOR_REQUIRED",
                         "who acts must be known: a client certificate with exactly one URI as "
                         "subject alternative name, or on a plaintext connection the metadata "
                         "starratings-actor");
  }
  return actor;
}

}  // namespace starratings::serving
