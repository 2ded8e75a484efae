// What has to hold when several write at the same time, as checks of anything
// that has a log or an item with an etag: the stores, which must pass, and the
// doubles in broken_doubles.h, which must not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace starratings::store {

// A log with several writers and one follower, each on a thread of its own.
class FollowedLog {
 public:
  struct Event {
    int64_t position = 0;
    std::string what;
  };
  virtual ~FollowedLog() = default;

  // Appends an event, durable on return; its position. `writer` counts from 0.
  virtual absl::StatusOr<int64_t> Append(int writer, const std::string& what) = 0;

  // Where the follower may read up to.
  virtual absl::StatusOr<int64_t> Head() = 0;

  // The events after `after` up to `upto`, in order.
  virtual absl::StatusOr<std::vector<Event>> Read(int64_t after, int64_t upto) = 0;
};

// In each of `rounds` rounds all writers append at once, while a follower reads
// from where it was up to the head. Holds if the follower got every event that
// was acknowledged, once, at its position, and in order.
// Returns what does not hold; empty: all does.
std::string FollowerLosesNothing(FollowedLog& log, int writers, int rounds);

// An item that several replace, each on a thread of its own.
class GuardedItem {
 public:
  virtual ~GuardedItem() = default;

  // Replaces what is there if its etag is `expected`; the new etag. ABORTED:
  // something else is there.
  virtual absl::StatusOr<std::string> Replace(int writer, const std::string& expected) = 0;

  // The etag of what is there.
  virtual absl::StatusOr<std::string> Etag() = 0;
};

// In each of `rounds` rounds all writers replace the item at once, all with the
// etag it has. Holds if exactly one of them may, and its etag is the next.
// Returns the first thing that does not hold; empty: all does.
std::string EtagsSerialise(GuardedItem& item, int writers, int rounds);

}  // namespace starratings::store
