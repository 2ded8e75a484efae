// The one writer of a process. It commits at once when it is idle; whatever is
// queued while a group is written is the next group. Callers are answered from
// threads of their own after the group is durable, so that the next group
// starts at once; but a lone write that nothing waits behind is answered by the
// writer itself: to wake another thread takes half as long as the commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// What became of a group.
struct GroupReport {
  int writes = 0;
  int accepted = 0;
  int replayed = 0;
  int dropped = 0;   // Cancelled or expired before their turn; not in `writes`.
  int waiting = 0;   // Writes in the queue when the group was taken.
  int64_t head = 0;  // The newest revision this committer has seen.
  absl::Duration took;
};

// What the committer tells about itself; for metrics and the watch. Called on
// its thread after each group, before anybody is answered.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void OnGroup(const GroupReport& report) = 0;
};

class Committer {
 public:
  struct Options {
    // A group is bounded by both; one write is always taken.
    int group_most = 1'000;
    size_t group_bytes_most = 8 << 20;
    // So is what waits; more is refused.
    int queue_most = 10'000;
    size_t queue_bytes_most = 64 << 20;
    int answering_threads = 2;
  };
  using Done = std::function<void(absl::StatusOr<Written>)>;

  // `store` and `observer` (may be null) must outlive the committer.
  Committer(EvidenceStore& store, const Options& options, CommitObserver* observer);

  // Drains the queue, then stops.
  ~Committer();

  // Queues a write; `done` is called once, after the commit, on a thread of the
  // committer's, and must not block. Calls `done` at once with RESOURCE_EXHAUSTED (reason
  // QUEUE_FULL, with a retry delay) if too much waits, and later with DEADLINE_EXCEEDED or
  // CANCELLED without writing if `deadline` has passed, or `cancelled` says so, when its turn
  // comes. Writes of one thread become revisions in the order they were queued.
  void Submit(Write write, absl::Time deadline, std::function<bool()> cancelled, Done done);

  // Nothing is being written, and nothing waits; for the moment.
  bool IsIdle() const;

  // RESOURCE_EXHAUSTED, as Submit() gives it, if hardly anything more may wait: for
  // whoever would do something before it.
  absl::Status CheckRoom() const;

  // Waits for the answer.
  absl::StatusOr<Written> SubmitAndWait(Write write, absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Roughly what `write` takes in memory, in bytes.
size_t BytesOf(const Write& write);

}  // namespace starratings::store
