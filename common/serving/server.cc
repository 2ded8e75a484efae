#include "common/serving/server.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/serving/health.h"
#include "common/serving/limits.h"
#include "common/serving/log.h"
#include "common/serving/rpc_metrics.h"
#include "common/serving/tls.h"
#include "common/status/status_macros.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "nlohmann/json.hpp"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"

namespace starratings::serving {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

bool IsLoopback(const std::string& address) {
  return absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost:") ||
         absl::StartsWith(address, "[::1]:");
}

absl::Status Busy(const std::string& flag, const std::string& address) {
  return absl::UnavailableError(
      absl::StrCat("--", flag, ": cannot listen on ", address,
                   ": the port is taken, or the address is not this machine's"));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const ServerOptions& options) {
  if (options.insecure != options.tls_directory.empty()) {
    return absl::InvalidArgumentError(
        "either --tls_directory or --insecure must be given, and not both");
  }
  if (options.insecure) {
    if (!IsLoopback(options.listen)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--insecure: plaintext is for loopback only, and --listen is ",
                       options.listen, "; use --tls_directory"));
    }
    return grpc::InsecureServerCredentials();
  }
  ASSIGN_OR_RETURN(const KeyMaterial material, ReadKeyMaterial(options.tls_directory));
  grpc::SslServerCredentialsOptions ssl(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_root_certs = material.authority;
  ssl.pem_key_cert_pairs.push_back({material.key, material.certificate});
  return grpc::SslServerCredentials(ssl);
}

struct Listener {
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageMost);
  builder.SetMaxSendMessageSize(kMessageMost);
  // Without this two servers silently share one port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMost);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataMost);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
}

absl::StatusOr<Listener> ListenMain(const ServerOptions& options,
                                    const std::vector<grpc::Service*>& services,
                                    const std::shared_ptr<prometheus::Registry>& registry) {
  ASSIGN_OR_RETURN(const auto credentials, Credentials(options));
  Listener listener;
  grpc::ServerBuilder builder;
  SetLimits(builder);
  builder.AddListeningPort(options.listen, credentials, &listener.port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> observers;
  observers.push_back(NewRpcObserver(registry, options.service_names));
  builder.experimental().SetInterceptorCreators(std::move(observers));
  listener.server = builder.BuildAndStart();
  if (listener.server == nullptr || listener.port == 0) return Busy("listen", options.listen);
  return listener;
}

absl::StatusOr<Listener> ListenHealth(const ServerOptions& options) {
  Listener listener;
  if (options.health_listen.empty()) return listener;
  grpc::ServerBuilder builder;
  SetLimits(builder);
  builder.AddListeningPort(options.health_listen, grpc::InsecureServerCredentials(),
                           &listener.port);
  listener.server = builder.BuildAndStart();
  if (listener.server == nullptr || listener.port == 0) {
    return Busy("health_listen", options.health_listen);
  }
  return listener;
}

absl::StatusOr<std::unique_ptr<prometheus::Exposer>> ListenMetrics(
    const ServerOptions& options, const std::shared_ptr<prometheus::Registry>& registry) {
  if (options.metrics_listen.empty()) return nullptr;
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(options.metrics_listen, 1);
    exposer->RegisterCollectable(registry);
    return exposer;
  } catch (const std::exception&) {  // civetweb's only way to say so.
    return Busy("metrics_listen", options.metrics_listen);
  }
}

// Written whole or not at all, so that whoever waits for it never reads half.
absl::Status WritePorts(const std::string& path, int grpc_port, int health_port, int metrics_port) {
  if (path.empty()) return absl::OkStatus();
  const nlohmann::json ports = {
      {"grpc", grpc_port}, {"health", health_port}, {"metrics", metrics_port}, {"pid", getpid()}};
  const std::string part = path + ".part";
  std::ofstream out(part);
  out << ports.dump() << "\n";
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("--ports_file: cannot write ", path));
  }
  return absl::OkStatus();
}

void ReportBuild(const ServerOptions& options, prometheus::Registry& registry) {
  prometheus::BuildGauge()
      .Name("starratings_build_info")
      .Help("Always 1; the labels say what is running.")
      .Register(registry)
      .Add({{"version", STARRATINGS_VERSION}, {"service", options.service_name}})
      .Set(1);
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

absl::Status ServeUntilSignalled(const ServerOptions& options,
                                 const std::vector<grpc::Service*>& services,
                                 const std::shared_ptr<prometheus::Registry>& registry,
                                 const std::function<void()>& stopping) {
  if (options.listen.empty()) {
    return absl::InvalidArgumentError("--listen: must be given, for example 127.0.0.1:8443");
  }
  // Debian builds Abseil with its search for deadlocks, which aborts the process
  // on an order of gRPC's locks that merely could be one, and costs a twentieth of a
  // call.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  SetLogService(options.service_name);
  TakeOverGrpcLog();
  ReportBuild(options, *registry);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // Reflection lists health checks; this makes it able to describe them.
  grpc::health::v1::HealthCheckRequest::descriptor();

  ASSIGN_OR_RETURN(const Listener main, ListenMain(options, services, registry));
  ASSIGN_OR_RETURN(const Listener health_listener, ListenHealth(options));
  ASSIGN_OR_RETURN(const auto exposer, ListenMetrics(options, registry));
  std::vector<grpc::Server*> servers = {main.server.get()};
  if (health_listener.server != nullptr) servers.push_back(health_listener.server.get());
  Health health(servers, options.service_names, options.ready);
  const int metrics_port = exposer == nullptr ? 0 : exposer->GetListeningPorts().front();
  RETURN_IF_ERROR(WritePorts(options.ports_file, main.port, health_listener.port, metrics_port));
  LogGrpc(true);
  LogInfo("listening", {{"grpc", absl::StrCat(main.port)},
                        {"health", absl::StrCat(health_listener.port)},
                        {"metrics", absl::StrCat(metrics_port)},
                        {"version", STARRATINGS_VERSION}});

  const sigset_t signals = StopSignals();
  int signal = 0;
  sigwait(&signals, &signal);

  LogInfo("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  health.Stop();
  absl::SleepFor(options.linger);
  if (stopping) stopping();
  main.server->Shutdown(absl::ToChronoTime(absl::Now() + options.drain));
  main.server->Wait();
  if (health_listener.server != nullptr) {
    health_listener.server->Shutdown(absl::ToChronoTime(absl::Now()));
  }
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace starratings::serving
