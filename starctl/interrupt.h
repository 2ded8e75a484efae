// What ends a command that would go on for ever: SIGINT, SIGTERM, and that
// nobody reads any more what it prints.
#pragma once

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace starratings::starctl {

class Interrupt {
 public:
  enum class Cause { kNone, kSignal, kNobodyReads };

  // One in a process, made before other threads are: they leave the signals to
  // its own. The first signal is taken from here on; a second one ends the
  // process in the usual way, wherever that is held up.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  Cause cause() const;

  // Waits so long, or until it comes.
  void Wait(absl::Duration most);

  // The call that it cancels when it comes, or now if it has come; null: none.
  void Cancels(grpc::ClientContext* call);

 private:
  void Listen();

  sigset_t signals_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Cause cause_ = Cause::kNone;
  bool over_ = false;
  grpc::ClientContext* call_ = nullptr;
  std::thread thread_;
};

}  // namespace starratings::starctl
