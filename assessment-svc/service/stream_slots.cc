#include "assessment-svc/service/stream_slots.h"

#include <algorithm>
#include <chrono>

namespace starratings::service {
namespace {

// Not the clock of the wall, which may jump.
int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool Take(std::atomic<int>& taken) {
  if (taken.fetch_add(1) < kStreamsMost) return true;
  taken.fetch_sub(1);
  return false;
}

}  // namespace

StreamSlots::StreamSlots(const Limits& limits) : limits_(limits), thread_([this] { Watch(); }) {}

StreamSlots::~StreamSlots() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StreamSlots::Watch() {
  // Late by a tenth at most.
  const auto every = absl::ToChronoMilliseconds(
      std::clamp(std::min(limits_.export_stall, limits_.import_idle) / 10, absl::Milliseconds(5),
                 absl::Seconds(1)));
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, every, [this] { return stopping_; })) {
    const int64_t now = NowMicros();
    // A holder that is called cannot go away: it would need the lock.
    for (StreamSlot* slot : slots_) {
      const int64_t since = slot->waits_since_us_.load();
      if (since == StreamSlot::kNever) continue;
      if (slot->told_of_us_ != since) {
        if (now - since <= slot->wait_most_us_) continue;
        slot->told_of_us_ = since;
        slot->told_at_us_ = now;
        slot->holder_.OnTooSlow();
      } else if (now - slot->told_at_us_ > slot->wait_most_us_) {
        slot->told_at_us_ = now;
        slot->holder_.OnStuck();
      }
    }
  }
}

StreamSlot::StreamSlot(StreamSlots& slots, StreamHolder& holder, absl::Duration wait_most)
    : slots_(slots),
      holder_(holder),
      wait_most_us_(absl::ToInt64Microseconds(wait_most)),
      taken_(Take(slots.taken_)) {
  const std::lock_guard lock(slots_.mutex_);
  slots_.slots_.insert(this);
}

StreamSlot::~StreamSlot() {
  Give();
  const std::lock_guard lock(slots_.mutex_);
  slots_.slots_.erase(this);
}

void StreamSlot::Waits() { waits_since_us_ = NowMicros(); }

void StreamSlot::Works() { waits_since_us_ = kNever; }

void StreamSlot::Give() {
  if (taken_ && !given_.exchange(true)) slots_.taken_.fetch_sub(1);
}

}  // namespace starratings::service
