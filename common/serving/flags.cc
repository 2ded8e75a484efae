// The flags that both services have, and their help.
#include <cstdlib>
#include <iostream>
#include <map>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/serving/server.h"
#include "common/status/status_macros.h"

ABSL_FLAG(std::string, listen, "",
          "HOST:PORT to answer gRPC on, for example 0.0.0.0:8443; port 0 takes a free one. "
          "Required.");
ABSL_FLAG(std::string, health_listen, "",
          "HOST:PORT to answer plaintext health checks on, and nothing else: Kubernetes' probes "
          "have no client certificate. Empty: none.");
ABSL_FLAG(std::string, metrics_listen, "",
          "HOST:PORT to serve Prometheus metrics on, at /metrics. Empty: none.");
ABSL_FLAG(
    std::string, tls_directory, "",
    "Directory with tls.crt, tls.key and ca.crt, for mutual TLS. Required unless --insecure.");
ABSL_FLAG(
    std::string, policy, "",
    "File that says which identity has which roles: a starratings.policy.v1.Policy in "
    "protobuf's text format. Required with --tls_directory. Who is not in it may do nothing.");
ABSL_FLAG(absl::Duration, reload, absl::Seconds(10),
          "How often certificates and policy are read again. What is no good is told, and the ones "
          "before stay in use.");
ABSL_FLAG(int, message_mib, 8,
          "MiB that one message to this service may have; more is refused with "
          "RESOURCE_EXHAUSTED.");
ABSL_FLAG(int, streams_most, 1'000, "The most calls on one connection; more wait at the client.");
ABSL_FLAG(absl::Duration, connection_age, absl::Minutes(5),
          "How old a connection may get before its client is asked to make another.");
ABSL_FLAG(absl::Duration, connection_age_grace, absl::Minutes(5),
          "How long calls on a connection that is too old may take to finish.");
ABSL_FLAG(absl::Duration, keepalive, absl::Minutes(1),
          "How long a connection may be silent before its client is asked whether it is there.");
ABSL_FLAG(int, transport_memory_mib, 0,
          "MiB that messages on their way may take; beyond it reads from connections wait. 0: no "
          "limit.");
ABSL_FLAG(double, identity_calls_per_second, 0,
          "The most calls a second of one identity, on average, under TLS; more are refused with "
          "RESOURCE_EXHAUSTED. 0: no limit.");
ABSL_FLAG(double, identity_bytes_per_second, 0,
          "The most bytes of requests a second of one identity, likewise. 0: no limit.");
ABSL_FLAG(bool, insecure, false,
          "Plaintext, for trying things out; refused unless --listen is on loopback. The actor is "
          "then whoever the metadata starratings-actor says.");
ABSL_FLAG(std::string, ports_file, "",
          "File to write the ports to once they are open, as JSON. Empty: none.");
ABSL_FLAG(absl::Duration, drain, absl::Seconds(20),
          "How long open calls may take to finish after SIGTERM.");
ABSL_FLAG(absl::Duration, linger, absl::ZeroDuration(),
          "How long to wait after SIGTERM, not ready but still answering, for load balancers to "
          "notice.");

namespace starratings::serving {
namespace {

bool IsOurs(const absl::CommandLineFlag& flag) {
  return absl::StrContains(flag.Filename(), "-svc/main.cc") ||
         absl::StrContains(flag.Filename(), "common/serving/");
}

// Breaks `text` into lines that fit a terminal.
void PrintWrapped(absl::string_view text, size_t indent) {
  std::string line(indent, ' ');
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() + word.size() + 1 > 78 && line.size() > indent) {
      std::cout << line << "\n";
      line.assign(indent, ' ');
    }
    absl::StrAppend(&line, line.size() > indent ? " " : "", word);
  }
  std::cout << line << "\n";
}

void PrintHelp(const std::string& usage) {
  std::cout << usage << "\n\nFlags:\n";
  std::map<std::string, const absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (IsOurs(*flag)) flags[std::string(name)] = flag;
  }
  for (const auto& [name, flag] : flags) {
    const std::string value = flag->DefaultValue();
    std::cout << "\n  --" << name << (value.empty() ? "" : absl::StrCat(" (default ", value, ")"))
              << "\n";
    PrintWrapped(flag->Help(), 6);
  }
  std::cout << "\n  --help\n      Prints this.\n\n  --version\n      Prints the version.\n";
}

absl::Status Check(const ServerOptions& options) {
  const TransportLimits& limits = options.limits;
  const auto out_of_range = [](const char* flag, const char* range) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag, ": must be ", range));
  };
  if (limits.message_mib < 1 || limits.message_mib > 64) {
    return out_of_range("message_mib", "1 to 64");
  }
  if (limits.streams_most < 1 || limits.streams_most > 100'000) {
    return out_of_range("streams_most", "1 to 100000");
  }
  const std::pair<const char*, absl::Duration> times[] = {
      {"reload", options.reload},
      {"connection_age", limits.connection_age},
      {"connection_age_grace", limits.connection_age_grace},
      {"keepalive", limits.keepalive}};
  for (const auto& [flag, time] : times) {
    if (time < absl::Seconds(1) || time > absl::Hours(24)) return out_of_range(flag, "1s to 24h");
  }
  if (limits.memory_mib != 0 && (limits.memory_mib < 16 || limits.memory_mib > 65'536)) {
    return out_of_range("transport_memory_mib", "0, or 16 to 65536");
  }
  if (!(limits.identity_calls_per_second >= 0)) {
    return out_of_range("identity_calls_per_second", "0 or more");
  }
  if (!(limits.identity_bytes_per_second >= 0)) {
    return out_of_range("identity_bytes_per_second", "0 or more");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerOptions> OptionsFromFlags(std::string service_name) {
  ServerOptions options;
  TransportLimits& limits = options.limits;
  limits.message_mib = absl::GetFlag(FLAGS_message_mib);
  limits.streams_most = absl::GetFlag(FLAGS_streams_most);
  limits.connection_age = absl::GetFlag(FLAGS_connection_age);
  limits.connection_age_grace = absl::GetFlag(FLAGS_connection_age_grace);
  limits.keepalive = absl::GetFlag(FLAGS_keepalive);
  limits.memory_mib = absl::GetFlag(FLAGS_transport_memory_mib);
  limits.identity_calls_per_second = absl::GetFlag(FLAGS_identity_calls_per_second);
  limits.identity_bytes_per_second = absl::GetFlag(FLAGS_identity_bytes_per_second);
  options.reload = absl::GetFlag(FLAGS_reload);
  RETURN_IF_ERROR(Check(options));
  options.service_name = std::move(service_name);
  options.listen = absl::GetFlag(FLAGS_listen);
  options.health_listen = absl::GetFlag(FLAGS_health_listen);
  options.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  options.tls_directory = absl::GetFlag(FLAGS_tls_directory);
  options.policy = absl::GetFlag(FLAGS_policy);
  options.insecure = absl::GetFlag(FLAGS_insecure);
  options.ports_file = absl::GetFlag(FLAGS_ports_file);
  options.drain = absl::GetFlag(FLAGS_drain);
  options.linger = absl::GetFlag(FLAGS_linger);
  return options;
}

void ParseFlags(int argc, char** argv, const std::string& usage) {
  // Abseil's own --help exits with 1 and hides flags of other files.
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      PrintHelp(usage);
      std::exit(EXIT_SUCCESS);
    }
    if (argument == "--version") {
      std::cout << STARRATINGS_VERSION << "\n";
      std::exit(EXIT_SUCCESS);
    }
  }
  absl::SetProgramUsageMessage(usage);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    std::cerr << argv[0] << ": unexpected argument: " << rest[1] << " (see --help)\n";
    std::exit(EXIT_FAILURE);
  }
}

}  // namespace starratings::serving
