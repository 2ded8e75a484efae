#include "assessment-svc/store/committer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

// The most that a group may take, whatever its callers would wait.
constexpr absl::Duration kGroupMost = absl::Seconds(30);

// A rough time for a tenth of a full queue to be written.
constexpr absl::Duration kRetryAfter = absl::Milliseconds(250);

absl::Status QueueFull() {
  status::ErrorDetail detail;
  detail.reason = "QUEUE_FULL";
  detail.retry_after = kRetryAfter;
  return status::ErrorWithDetail(absl::StatusCode::kResourceExhausted,
                                 "too many writes wait: try again later", detail);
}

}  // namespace

// Locks are not absl's: ThreadSanitizer cannot see into Debian's build of it.
class Committer::Impl {
 public:
  Impl(EvidenceStore& store, const Options& options, CommitObserver* observer)
      : store_(store), options_(options), observer_(observer) {
    committing_ = std::thread([this] { Commit(); });
    completing_ = std::thread([this] { Complete(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    queued_.notify_all();
    committing_.join();
    {
      const std::lock_guard lock(mutex_);
      committed_all_ = true;
    }
    answered_.notify_all();
    completing_.join();
  }

  void Submit(Write write, absl::Time deadline, std::function<bool()> cancelled, Done done) {
    {
      const std::lock_guard lock(mutex_);
      if (std::ssize(queue_) < options_.queue_most) {
        queue_.push_back({std::move(write), deadline, std::move(cancelled), std::move(done)});
        queued_.notify_one();
        return;
      }
    }
    done(QueueFull());
  }

 private:
  struct Waiting {
    Write write;
    absl::Time deadline;
    std::function<bool()> cancelled;
    Done done;
  };
  struct Answer {
    Done done;
    absl::StatusOr<Written> written;
  };

  // The committing thread.
  void Commit() {
    while (true) {
      std::vector<Waiting> group = NextGroup();
      if (group.empty()) return;
      group = DropLate(std::move(group));
      if (!group.empty()) WriteGroup(std::move(group));
    }
  }

  // Waits for writes; empty: there will be no more.
  std::vector<Waiting> NextGroup() {
    std::unique_lock lock(mutex_);
    queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    std::vector<Waiting> group;
    while (!queue_.empty() && std::ssize(group) < options_.group_most) {
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return group;
  }

  // Nobody waits for these any more: they are not written.
  std::vector<Waiting> DropLate(std::vector<Waiting> group) {
    std::vector<Waiting> kept;
    for (Waiting& waiting : group) {
      if (waiting.cancelled && waiting.cancelled()) {
        Post(std::move(waiting.done), status::Error(absl::StatusCode::kCancelled, "CANCELLED",
                                                    "the caller has gone: nothing was written"));
      } else if (absl::Status late = CheckDeadline(waiting.deadline); !late.ok()) {
        // Moved, not copied: ThreadSanitizer does not see Abseil count references.
        Post(std::move(waiting.done), std::move(late));
      } else {
        kept.push_back(std::move(waiting));
      }
    }
    return kept;
  }

  void WriteGroup(std::vector<Waiting> group) {
    std::vector<Write> writes;
    absl::Time deadline = absl::InfinitePast();
    for (Waiting& waiting : group) {
      writes.push_back(std::move(waiting.write));
      deadline = std::max(deadline, waiting.deadline);
    }
    const absl::Time start = absl::Now();
    deadline = std::min(deadline, start + kGroupMost);
    auto written = store_.CommitGroup(writes, deadline);
    Observe(group.size(), written, absl::Now() - start);
    for (size_t i = 0; i < group.size(); ++i) {
      Post(std::move(group[i].done), written.ok() ? std::move((*written)[i]) : written.status());
    }
  }

  void Observe(size_t writes, const absl::StatusOr<std::vector<absl::StatusOr<Written>>>& written,
               absl::Duration took) {
    int accepted = 0;
    int replayed = 0;
    if (written.ok()) {
      for (const absl::StatusOr<Written>& one : *written) {
        if (!one.ok()) continue;
        ++(one->replayed ? replayed : accepted);
        head_ = std::max(head_, one->revision);
      }
    }
    if (observer_ == nullptr) return;
    observer_->OnGroup(static_cast<int>(writes), accepted, replayed, head_, took);
  }

  void Post(Done done, absl::StatusOr<Written> written) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back({std::move(done), std::move(written)});
    }
    answered_.notify_one();
  }

  // The completing thread.
  void Complete() {
    while (true) {
      std::unique_lock lock(mutex_);
      answered_.wait(lock, [this] { return committed_all_ || !answers_.empty(); });
      if (answers_.empty()) return;
      Answer answer = std::move(answers_.front());
      answers_.pop_front();
      lock.unlock();
      answer.done(std::move(answer.written));
    }
  }

  EvidenceStore& store_;
  const Options options_;
  CommitObserver* const observer_;

  int64_t head_ = 0;  // The newest this committer has seen; of its thread.

  // Guards all below but the threads.
  std::mutex mutex_;
  std::condition_variable queued_;
  std::condition_variable answered_;
  std::deque<Waiting> queue_;
  std::deque<Answer> answers_;
  bool stopping_ = false;
  bool committed_all_ = false;

  std::thread committing_;
  std::thread completing_;
};

Committer::Committer(EvidenceStore& store, const Options& options, CommitObserver* observer)
    : impl_(std::make_unique<Impl>(store, options, observer)) {}

Committer::~Committer() = default;

void Committer::Submit(Write write, absl::Time deadline, std::function<bool()> cancelled,
                       Done done) {
  impl_->Submit(std::move(write), deadline, std::move(cancelled), std::move(done));
}

absl::StatusOr<Written> Committer::SubmitAndWait(Write write, absl::Time deadline) {
  std::promise<absl::StatusOr<Written>> promise;
  auto future = promise.get_future();
  Submit(std::move(write), deadline, nullptr,
         [&promise](absl::StatusOr<Written> written) { promise.set_value(std::move(written)); });
  return future.get();
}

}  // namespace starratings::store
