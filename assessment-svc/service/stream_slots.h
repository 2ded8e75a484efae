// The streams that hold a place, how many may, and how long each may wait for
// its caller: one who does not read, or does not go on, must not keep the place
// for ever.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>

#include "absl/time/time.h"

namespace starratings::service {

inline constexpr int kStreamsMost = 128;

// Who holds a place. Called on a thread of StreamSlots, one call at a time; may
// not leave its place in the call.
class StreamHolder {
 public:
  // The caller has kept the stream waiting for too long: to be ended.
  virtual void OnTooSlow() = 0;
  // As long again, and it has not taken the end either: to be cancelled.
  virtual void OnStuck() = 0;

 protected:
  ~StreamHolder() = default;
};

class StreamSlot;

// Thread-safe.
class StreamSlots {
 public:
  struct Limits {
    // How long a caller of ExportDossiers may take to read a block.
    absl::Duration export_stall = absl::Seconds(60);
    // How long one of IngestEvidence or RecordRatings may say nothing, or leave
    // an answer unread, while nothing of theirs is being worked on.
    absl::Duration import_idle = absl::Seconds(60);
  };

  explicit StreamSlots(const Limits& limits);
  // No place is held any more.
  ~StreamSlots();

  const Limits& limits() const { return limits_; }

 private:
  friend class StreamSlot;

  void Watch();

  const Limits limits_;
  std::atomic<int> taken_ = 0;
  std::mutex mutex_;  // Guards the rest.
  std::set<StreamSlot*> slots_;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread thread_;
};

// The place of one stream. Its holder may be called until it is destroyed.
class StreamSlot {
 public:
  // Takes a place, if there is one. All must outlive this.
  StreamSlot(StreamSlots& slots, StreamHolder& holder, absl::Duration wait_most);
  ~StreamSlot();
  StreamSlot(const StreamSlot&) = delete;
  StreamSlot& operator=(const StreamSlot&) = delete;

  bool taken() const { return taken_; }

  // It is for the caller to do something, from now on; and no more.
  void Waits();
  void Works();

  // Leaves the place to another stream: this one is over.
  void Give();

 private:
  friend class StreamSlots;

  static constexpr int64_t kNever = 0;

  StreamSlots& slots_;
  StreamHolder& holder_;
  const int64_t wait_most_us_;
  const bool taken_;
  std::atomic<bool> given_ = false;
  std::atomic<int64_t> waits_since_us_ = kNever;
  // Of StreamSlots' thread: the wait that it has told of, and when.
  int64_t told_of_us_ = kNever;
  int64_t told_at_us_ = kNever;
};

}  // namespace starratings::service
