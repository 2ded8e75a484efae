#include "starctl/interrupt.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>

namespace starratings::starctl {
namespace {

// How often it is looked whether somebody still reads.
constexpr timespec kTick{0, 100'000'000};

// A closed pipe says so without being written to: a quiet watch ends with
// `| head -1`, too.
bool NobodyReads() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

}  // namespace

Interrupt::Interrupt() {
  // A pipe that closes is an error of the write instead.
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { Listen(); });
}

Interrupt::~Interrupt() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    // Wakes it; once a signal has come it waits for `changed_` alone.
    if (cause_ == Cause::kNone) pthread_kill(thread_.native_handle(), SIGTERM);
  }
  changed_.notify_all();
  thread_.join();
}

Interrupt::Cause Interrupt::cause() const {
  const std::lock_guard lock(mutex_);
  return cause_;
}

void Interrupt::Wait(absl::Duration most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(most),
                    [this] { return cause_ != Cause::kNone; });
}

void Interrupt::Cancels(grpc::ClientContext* call) {
  const std::lock_guard lock(mutex_);
  call_ = call;
  if (call_ != nullptr && cause_ != Cause::kNone) call_->TryCancel();
}

void Interrupt::Listen() {
  while (true) {
    const bool signal = sigtimedwait(&signals_, nullptr, &kTick) > 0;
    const bool unread = NobodyReads();
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (!signal && !unread) continue;
    cause_ = signal ? Cause::kSignal : Cause::kNobodyReads;
    if (call_ != nullptr) call_->TryCancel();
    break;
  }
  changed_.notify_all();
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return over_; });
}

}  // namespace starratings::starctl
