// The bootstrap that both services share: flags, listeners, TLS, identity,
// health, reflection, metrics, logging and the way down.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/serving/gate.h"
#include "common/serving/limits.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/registry.h"

namespace starratings::serving {

struct ServerOptions {
  std::string service_name;  // For logs: `assessment-svc`.
  // Full names of the gRPC services, for health and metrics.
  std::vector<std::string> service_names;
  std::string listen;                         // HOST:PORT of gRPC; port 0: any that is free.
  std::string health_listen;                  // HOST:PORT of plaintext health checks; may be empty.
  std::string metrics_listen;                 // HOST:PORT of Prometheus metrics; may be empty.
  std::string tls_directory;                  // With tls.crt, tls.key and ca.crt; empty: none.
  std::string policy;                         // File that says who may do what; with tls_directory.
  absl::Duration reload = absl::Seconds(10);  // How often both are looked at.
  bool insecure = false;  // Plaintext; on loopback only. Everybody may do everything.
  TransportLimits limits;
  std::string ports_file;  // Where to write the ports; may be empty.
  absl::Duration drain = absl::Seconds(20);
  absl::Duration linger = absl::ZeroDuration();  // Between not serving and stopping.
  // Asked for readiness, at most every second, on a thread of its own.
  std::function<absl::Status()> ready;
};

// The options, from the flags that flags.cc defines. INVALID_ARGUMENT naming the
// flag that is out of its range.
absl::StatusOr<ServerOptions> OptionsFromFlags(std::string service_name);

// The gate that `options` ask for; null on plaintext. Errors say what is wrong with
// flags, certificates or policy.
absl::StatusOr<std::unique_ptr<Gate>> OpenGate(
    const ServerOptions& options, const std::shared_ptr<prometheus::Registry>& registry);

// Parses the command line: --help prints our flags and exits 0; --version
// prints the version. Unknown flags and arguments are errors.
void ParseFlags(int argc, char** argv, const std::string& usage);

// Must be called first in main(), before any thread starts: SIGTERM and SIGINT
// are waited for, not handled.
void BlockSignals();

// Serves until SIGTERM or SIGINT, then: not serving, a short wait, open calls
// finish within `drain`, return OK. `stopping` is called when the way down
// begins. Returns an error that says what is wrong if it cannot start. `gate` is
// OpenGate()'s.
absl::Status ServeUntilSignalled(const ServerOptions& options, Gate* gate,
                                 const std::vector<grpc::Service*>& services,
                                 const std::shared_ptr<prometheus::Registry>& registry,
                                 const std::function<void()>& stopping);

}  // namespace starratings::serving
