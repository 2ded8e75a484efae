#include "common/serving/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
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

// Every call leaves a line: what needs no escape, and that is nearly all, is
// copied; the rest is left to the library.
bool IsPlain(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

void AppendField(absl::string_view key, absl::string_view value, std::string& line) {
  absl::StrAppend(&line, line.empty() ? "{\"" : ",\"", key, "\":");
  if (IsPlain(value)) {
    absl::StrAppend(&line, "\"", value, "\"");
  } else {
    // Callers' bytes may be no UTF-8; a log line must not fail for it.
    line += nlohmann::json(std::string(value))
                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

void Log(const char* level, absl::string_view message, LogFields fields) {
  std::string text;
  text.reserve(320);
  AppendField("time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone()),
              text);
  AppendField("level", level, text);
  AppendField("service", Service(), text);
  AppendField("message", message, text);
  for (const auto& [key, value] : fields) AppendField(key, value, text);
  text += "}\n";
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
