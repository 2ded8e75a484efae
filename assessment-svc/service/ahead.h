// Something that is made on another thread before it is needed.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/serving/pool.h"

namespace starratings::service {

template <typename T>
class Ahead {
 public:
  // `make` is called once at most: on a thread of `pool`, or by Get() if none
  // has come to it. Dropped before that, it is never called; what it refers to
  // must outlive the pool.
  Ahead(serving::Pool& pool, std::function<T()> make) : state_(std::make_shared<State>()) {
    state_->make = std::move(make);
    // A full queue is no error: Get() makes it.
    static_cast<void>(pool.Run([state = state_] { state->Make(); }));
  }
  ~Ahead() {
    if (state_ != nullptr) state_->Claim();
  }
  Ahead(Ahead&&) noexcept = default;
  Ahead& operator=(Ahead&&) = delete;

  // Call once.
  T Get() {
    state_->Make();
    std::unique_lock lock(state_->mutex);
    state_->made.wait(lock, [this] { return state_->result.has_value(); });
    return *std::move(state_->result);
  }

 private:
  struct State {
    // True for one caller.
    bool Claim() {
      const std::lock_guard lock(mutex);
      return !std::exchange(claimed, true);
    }
    void Make() {
      if (!Claim()) return;
      T value = make();
      const std::lock_guard lock(mutex);
      result = std::move(value);
      made.notify_all();
    }

    std::function<T()> make;
    std::mutex mutex;  // Guards the rest.
    std::condition_variable made;
    bool claimed = false;
    std::optional<T> result;
  };

  std::shared_ptr<State> state_;
};

}  // namespace starratings::service
