#include "common/serving/channel.h"

#include "absl/strings/match.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "common/serving/limits.h"
#include "common/serving/tls.h"
#include "common/status/status_macros.h"

namespace starratings::serving {
namespace {

// Every rpc of ours may be tried again: reads change nothing, and writes carry a
// request id. Only what was refused as unavailable is, and not without end. $0: more.
constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  $0  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.1s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1}
})";

// Where a name may stand for several servers. Of one, its own error says more.
constexpr char kHealthCheck[] = R"("healthCheckConfig": {"serviceName": "readiness"},)";

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const KeyMaterial* keys) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (keys != nullptr) {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = keys->authority;
    ssl.pem_private_key = keys->key;
    ssl.pem_cert_chain = keys->certificate;
    credentials = grpc::SslCredentials(ssl);
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageMost);
  arguments.SetMaxSendMessageSize(kMessageMost);
  // A restarted server is found again within a second or two, not twenty.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  const bool several = absl::StartsWith(address, "dns:///");
  arguments.SetServiceConfigJSON(absl::Substitute(kServiceConfig, several ? kHealthCheck : ""));
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> NewChannel(const ChannelOptions& options) {
  if (options.insecure != options.tls_directory.empty()) {
    return absl::InvalidArgumentError(
        "either a TLS directory or --insecure must be given, and not both");
  }
  if (options.insecure) return NewChannel(options.address, nullptr);
  ASSIGN_OR_RETURN(const KeyMaterial keys, ReadKeyMaterial(options.tls_directory, absl::Now()));
  return NewChannel(options.address, &keys);
}

}  // namespace starratings::serving
