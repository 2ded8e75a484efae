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

}  // namespace

ServerOptions OptionsFromFlags(std::string service_name) {
  ServerOptions options;
  options.service_name = std::move(service_name);
  options.listen = absl::GetFlag(FLAGS_listen);
  options.health_listen = absl::GetFlag(FLAGS_health_listen);
  options.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  options.tls_directory = absl::GetFlag(FLAGS_tls_directory);
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
