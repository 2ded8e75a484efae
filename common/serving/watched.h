// Something that is read from files, and read again when they change: what is no
// good is told and never taken, what was in use stays in use.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace starratings::serving {

// Told what became of each change of the files; from one thread.
struct WatchedObserver {
  std::function<void()> loaded;
  std::function<void(const absl::Status& why)> refused;
  // What is there is again what is in use.
  std::function<void()> restored;
};

// T must be comparable. Thread-safe.
template <typename T>
class Watched {
 public:
  using Load = std::function<absl::StatusOr<T>()>;

  // `first` was loaded just now; `load` is asked again every `poll`.
  Watched(T first, Load load, absl::Duration poll, WatchedObserver observer)
      : load_(std::move(load)),
        poll_(poll),
        observer_(std::move(observer)),
        current_(std::make_shared<const T>(std::move(first))),
        thread_([this] { Run(); }) {}

  ~Watched() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  std::shared_ptr<const T> current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (
        !changed_.wait_for(lock, absl::ToChronoNanoseconds(poll_), [this] { return stopping_; })) {
      lock.unlock();
      Look();
      lock.lock();
    }
  }

  void Look() {
    absl::StatusOr<T> found = load_();
    if (found.ok() && *found == *current()) {
      if (std::exchange(told_, "") != "") observer_.restored();
      seen_.clear();
      return;
    }
    if (found.ok()) {
      {
        const std::lock_guard lock(mutex_);
        current_ = std::make_shared<const T>(*std::move(found));
      }
      seen_.clear();
      told_.clear();
      observer_.loaded();
      return;
    }
    // Files are changed one by one: what is wrong only once may be half a change.
    const std::string wrong(found.status().message());
    if (wrong == seen_ && wrong != told_) {
      told_ = wrong;
      observer_.refused(found.status());
    }
    seen_ = wrong;
  }

  const Load load_;
  const absl::Duration poll_;
  const WatchedObserver observer_;
  std::string seen_;  // What was wrong at the last look; of the thread.
  std::string told_;  // What the observer was told is wrong; of the thread.

  mutable std::mutex mutex_;  // Guards the next.
  std::condition_variable changed_;
  bool stopping_ = false;
  std::shared_ptr<const T> current_;

  std::thread thread_;
};

}  // namespace starratings::serving
