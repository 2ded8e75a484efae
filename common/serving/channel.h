// Channels to our services, with the limits and credentials they want.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/serving/tls.h"
#include "grpcpp/grpcpp.h"

namespace starratings::serving {

struct ChannelOptions {
  std::string address;        // HOST:PORT, or any gRPC target.
  bool insecure = false;      // Plaintext.
  std::string tls_directory;  // With tls.crt, tls.key and ca.crt.
};

// A channel to `address`; plaintext without `keys`. Its calls go to all addresses that
// the name stands for, in turn; with `dns:///NAME:PORT` only to those that say they are
// ready. What a server that goes away had not begun, another gets.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address, const KeyMaterial* keys);

// The same from flags. Returns INVALID_ARGUMENT if neither TLS nor plaintext is asked for, or both,
// or a file is not there; the message names the flag.
absl::StatusOr<std::shared_ptr<grpc::Channel>> NewChannel(const ChannelOptions& options);

}  // namespace starratings::serving
