#include "starctl/patience.h"

#include <chrono>

#include "absl/time/clock.h"

namespace starratings::starctl {

Patience::Patience(grpc::ClientContext& call, absl::Duration most)
    : call_(call), most_(most), thread_([this] { Watch(); }) {}

Patience::~Patience() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Patience::IsOver() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

void Patience::Begin() {
  const std::lock_guard lock(mutex_);
  until_ = absl::Now() + most_;
}

void Patience::End() {
  const std::lock_guard lock(mutex_);
  until_ = absl::InfiniteFuture();
}

void Patience::Watch() {
  // Steps are many and short: it looks now and then, and is not told of each.
  const auto every = absl::ToChronoMilliseconds(most_ / 20);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, every, [this] { return stopping_; })) {
    if (over_ || absl::Now() < until_) continue;
    over_ = true;
    call_.TryCancel();
  }
}

}  // namespace starratings::starctl
