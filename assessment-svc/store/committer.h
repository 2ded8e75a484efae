// The one writer of a process. Whatever is queued while a group is written is
// the next group; callers are answered from a thread of its own after the
// group is durable, so that the next group starts at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// What the committer tells about itself; for metrics. Called on its thread.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void OnGroup(int writes, int accepted, int replayed, int64_t head,
                       absl::Duration took) = 0;
};

class Committer {
 public:
  struct Options {
    int group_most = 1;      // Writes in a group.
    int queue_most = 1'000;  // Writes that wait; more are refused.
  };
  using Done = std::function<void(absl::StatusOr<Written>)>;

  // `store` and `observer` (may be null) must outlive the committer.
  Committer(EvidenceStore& store, const Options& options, CommitObserver* observer);

  // Drains the queue, then stops.
  ~Committer();

  // Queues a write; `done` is called once, on the completion thread. Calls
  // `done` at once with RESOURCE_EXHAUSTED (reason QUEUE_FULL, with a retry
  // delay) if too many wait, and later with DEADLINE_EXCEEDED or CANCELLED
  // without writing if `deadline` has passed, or `cancelled` says so, when its
  // turn comes.
  void Submit(Write write, absl::Time deadline, std::function<bool()> cancelled, Done done);

  // Waits for the answer.
  absl::StatusOr<Written> SubmitAndWait(Write write, absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace starratings::store
