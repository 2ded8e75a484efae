#include "common/serving/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <thread>

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
  absl::StrAppend(&line, ",\"", key, "\":");
  if (IsPlain(value)) {
    absl::StrAppend(&line, "\"", value, "\"");
  } else {
    // Callers' bytes may be no UTF-8; a log line must not fail for it.
    line += nlohmann::json(std::string(value))
                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

// Writes lines soon, many at a time: a write for each costs a call more than the line
// itself. Lives for ever.
class Sink {
 public:
  static Sink& Get() {
    static Sink& sink = *new Sink;
    return sink;
  }

  void Add(absl::string_view line, bool at_once) {
    {
      const std::lock_guard lock(mutex_);
      if (pending_.size() + line.size() > kPendingMost) {
        ++dropped_;
        return;
      }
      pending_.append(line.data(), line.size());
    }
    if (at_once) {
      Flush();
    } else {
      came_.notify_one();
    }
  }

  void Flush() {
    // One writer at a time, so that lines stay whole and in their order.
    const std::lock_guard writing(writing_);
    std::string text;
    int64_t dropped = 0;
    {
      const std::lock_guard lock(mutex_);
      text.swap(pending_);
      std::swap(dropped, dropped_);
    }
    if (dropped > 0)
      absl::StrAppend(&text, "{\"message\":\"lines dropped\",\"lines\":", dropped, "}\n");
    for (size_t at = 0; at < text.size();) {
      const ssize_t written = write(STDERR_FILENO, text.data() + at, text.size() - at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // There is nobody to tell.
      at += static_cast<size_t>(written);
    }
  }

 private:
  // What nobody reads is dropped, and counted.
  static constexpr size_t kPendingMost = 4 << 20;
  static constexpr std::chrono::milliseconds kLinger{10};

  Sink() {
    std::atexit([] { Get().Flush(); });
    std::thread([this] { Run(); }).detach();
  }

  void Run() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        came_.wait(lock, [this] { return !pending_.empty() || dropped_ > 0; });
      }
      std::this_thread::sleep_for(kLinger);
      Flush();
    }
  }

  std::mutex writing_;
  std::mutex mutex_;  // Guards the rest.
  std::condition_variable came_;
  std::string pending_;
  int64_t dropped_ = 0;
};

// `2002-05-30T12:00:00.123456Z`. Most lines share their second with the one before.
void AppendTime(absl::Time time, std::string& text) {
  thread_local int64_t second = std::numeric_limits<int64_t>::min();
  thread_local std::string formatted;
  const int64_t micros = absl::ToUnixMicros(time);
  if (micros / 1'000'000 != second) {
    second = micros / 1'000'000;
    formatted = absl::FormatTime("%Y-%m-%dT%H:%M:%S", time, absl::UTCTimeZone());
  }
  absl::StrAppend(&text, "{\"time\":\"", formatted, ".",
                  absl::Dec(micros % 1'000'000, absl::kZeroPad6), "Z\"");
}

void Log(const char* level, absl::string_view message, LogFields fields, bool at_once) {
  std::string text;
  text.reserve(320);
  AppendTime(absl::Now(), text);
  AppendField("level", level, text);
  AppendField("service", Service(), text);
  AppendField("message", message, text);
  for (const auto& [key, value] : fields) {
    if (!value.empty()) AppendField(key, value, text);
  }
  text += "}\n";
  Sink::Get().Add(text, at_once);
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

void LogInfo(absl::string_view message, LogFields fields) { Log("info", message, fields, false); }

void LogError(absl::string_view message, LogFields fields) { Log("error", message, fields, true); }

}  // namespace starratings::serving
