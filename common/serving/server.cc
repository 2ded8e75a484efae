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
#include "common/serving/grpc_status.h"
#include "common/serving/health.h"
#include "common/serving/limits.h"
#include "common/serving/log.h"
#include "common/serving/rpc_metrics.h"
#include "common/status/status_macros.h"
#include "grpc/grpc.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "nlohmann/json.hpp"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"

namespace starratings::serving {
namespace {

// Between looks at whether open calls have ended; a call that came just before has so long
// to be noticed.
constexpr absl::Duration kDrainStep = absl::Milliseconds(50);

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

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

struct Listener {
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

void SetLimits(const TransportLimits& limits, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits.message_mib << 20);
  builder.SetMaxSendMessageSize(kMessageMost);
  // Without this two servers silently share one port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.streams_most);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataMost);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(kPingsEvery));
  // A client that is gone without a word is noticed, and clients come anew now and
  // then, to find replicas that were added.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(limits.keepalive));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveWithin));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(limits.connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             Milliseconds(limits.connection_age_grace));
  if (limits.memory_mib > 0) {
    grpc::ResourceQuota quota("transport");
    quota.Resize(static_cast<size_t>(limits.memory_mib) << 20);
    builder.SetResourceQuota(quota);
  }
}

absl::StatusOr<Listener> ListenMain(const ServerOptions& options, Gate* gate,
                                    const std::vector<grpc::Service*>& services,
                                    const std::shared_ptr<prometheus::Registry>& registry,
                                    prometheus::Gauge& in_flight) {
  Listener listener;
  grpc::ServerBuilder builder;
  SetLimits(options.limits, builder);
  builder.AddListeningPort(
      options.listen, gate == nullptr ? grpc::InsecureServerCredentials() : gate->credentials(),
      &listener.port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> observers;
  observers.push_back(NewRpcObserver(registry, options.service_names, gate, in_flight));
  builder.experimental().SetInterceptorCreators(std::move(observers));
  listener.server = builder.BuildAndStart();
  if (listener.server == nullptr || listener.port == 0) return Busy("listen", options.listen);
  return listener;
}

absl::StatusOr<Listener> ListenHealth(const ServerOptions& options) {
  Listener listener;
  if (options.health_listen.empty()) return listener;
  grpc::ServerBuilder builder;
  SetLimits(options.limits, builder);
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

// Takes no more calls, and waits until all of ours are answered. Watches of the health never end by
// themselves: they are cancelled then.
void Drain(grpc::Server& server, absl::Duration most, const prometheus::Gauge& in_flight) {
  const absl::Time end = absl::Now() + most;
  std::thread shutdown([&server, end] { server.Shutdown(absl::ToChronoTime(end)); });
  do {
    absl::SleepFor(kDrainStep);
  } while (in_flight.Value() > 0 && absl::Now() < end);
  grpc_server_cancel_all_calls(server.c_server());
  shutdown.join();
  server.Wait();
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

absl::StatusOr<std::unique_ptr<Gate>> OpenGate(
    const ServerOptions& options, const std::shared_ptr<prometheus::Registry>& registry) {
  if (options.insecure != options.tls_directory.empty()) {
    return absl::InvalidArgumentError(
        "either --tls_directory or --insecure must be given, and not both");
  }
  if (options.insecure != options.policy.empty()) {
    return absl::InvalidArgumentError(
        "--policy: must be given with --tls_directory, and not with --insecure");
  }
  if (!options.insecure) {
    return Gate::Open({.tls_directory = options.tls_directory,
                       .policy = options.policy,
                       .services = options.service_names,
                       .poll = options.reload,
                       .calls_per_second = options.limits.identity_calls_per_second,
                       .bytes_per_second = options.limits.identity_bytes_per_second},
                      registry);
  }
  if (!IsLoopback(options.listen)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--insecure: plaintext is for loopback only, and --listen is ", options.listen,
                     "; use --tls_directory"));
  }
  return nullptr;
}

absl::Status ServeUntilSignalled(const ServerOptions& options, Gate* gate,
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

  auto& in_flight = prometheus::BuildGauge()
                        .Name("starratings_calls_in_flight")
                        .Help("RPCs that have begun and are not answered yet.")
                        .Register(*registry)
                        .Add({});
  ASSIGN_OR_RETURN(const Listener main, ListenMain(options, gate, services, registry, in_flight));
  ASSIGN_OR_RETURN(const Listener health_listener, ListenHealth(options));
  ASSIGN_OR_RETURN(const auto exposer, ListenMetrics(options, registry));
  std::vector<grpc::Server*> servers = {main.server.get()};
  if (health_listener.server != nullptr) servers.push_back(health_listener.server.get());
  auto& ready = prometheus::BuildGauge()
                    .Name("starratings_ready")
                    .Help("Whether the service is ready, as its health check says.")
                    .Register(*registry)
                    .Add({});
  Health health(servers, options.service_names, options.ready, ready);
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
  BeginStopping();
  absl::SleepFor(options.linger);
  if (stopping) stopping();
  Drain(*main.server, options.drain, in_flight);
  if (health_listener.server != nullptr) {
    health_listener.server->Shutdown(absl::ToChronoTime(absl::Now()));
  }
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace starratings::serving
