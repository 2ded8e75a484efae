#include "common/serving/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/support/log.h"
#include "nlohmann/json.hpp"

namespace starratings::serving {
namespace {

std::string& Service() {
  static std::string& service = *new std::string;
  return service;
}

void Log(const char* level, absl::string_view message, LogFields fields) {
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = level;
  line["service"] = Service();
  line["message"] = std::string(message);
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  // Callers' bytes may be no UTF-8; a log line must not fail for it.
  std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  // One write, so that lines of several threads do not mix. There is nobody to
  // tell if it fails.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

std::atomic<bool> log_grpc = false;

}  // namespace

void TakeOverGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (log_grpc && args->severity == GPR_LOG_SEVERITY_ERROR) {
      LogError("grpc", {{"detail", args->message}});
    }
  });
}

void LogGrpc(bool on) { log_grpc = on; }

void SetLogService(absl::string_view service) { Service() = std::string(service); }

void LogInfo(absl::string_view message, LogFields fields) { Log("info", message, fields); }

void LogError(absl::string_view message, LogFields fields) { Log("error", message, fields); }

}  // namespace starratings::serving
