#include "common/serving/channel.h"

#include "common/serving/limits.h"
#include "common/serving/tls.h"
#include "common/status/status_macros.h"

namespace starratings::serving {

absl::StatusOr<std::shared_ptr<grpc::Channel>> NewChannel(const ChannelOptions& options) {
  if (options.insecure != options.tls_directory.empty()) {
    return absl::InvalidArgumentError(
        "either a TLS directory or --insecure must be given, and not both");
  }
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!options.insecure) {
    ASSIGN_OR_RETURN(const KeyMaterial material, ReadKeyMaterial(options.tls_directory));
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = material.authority;
    ssl.pem_private_key = material.key;
    ssl.pem_cert_chain = material.certificate;
    credentials = grpc::SslCredentials(ssl);
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageMost);
  arguments.SetMaxSendMessageSize(kMessageMost);
  // A restarted server is found again within a second or two, not twenty.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  return grpc::CreateCustomChannel(options.address, credentials, arguments);
}

}  // namespace starratings::serving
