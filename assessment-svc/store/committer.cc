#include "assessment-svc/store/committer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/failpoints.h"
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

// What one answering thread takes at a time.
constexpr size_t kAnswersAtOnce = 16;

// The same error, sharing nothing: each caller has its own. (ThreadSanitizer
// does not see Abseil count references.)
absl::Status CopyOf(const absl::Status& error) {
  return status::ErrorWithDetail(error.code(), error.message(), status::DetailOf(error));
}

}  // namespace

size_t BytesOf(const Write& write) {
  // Of an item beside its texts: the structs, and their places in the queue.
  constexpr size_t kItem = sizeof(EvidenceDraft) + 64;
  size_t bytes = sizeof(Write) + write.reason.size();
  for (const EvidenceDraft& draft : DraftsOf(write)) {
    const evidence::ItemKey& key = draft.item.key;
    bytes += kItem + key.organisation.size() + key.instance.size();
    if (const auto* text = std::get_if<evidence::Text>(&draft.item.value)) {
      bytes += text->text.size();
    }
    if (draft.item.overriding) bytes += draft.item.overriding->authority.size();
  }
  if (const auto* scheme = std::get_if<SchemeDraft>(&write.body)) bytes += scheme->text.size();
  if (const auto* act = std::get_if<RoundAct>(&write.body)) {
    bytes += act->round.content.size() + act->organisations.size() * sizeof(std::string);
  }
  if (const auto* registration = std::get_if<Registration>(&write.body)) {
    bytes += registration->organisations.size() * 2 * sizeof(evidence::Organisation);
  }
  return bytes;
}

// Locks are not absl's: ThreadSanitizer cannot see into Debian's build of it.
class Committer::Impl {
 public:
  Impl(EvidenceStore& store, const Options& options, CommitObserver* observer)
      : store_(store), options_(options), observer_(observer) {
    committing_ = std::thread([this] { Commit(); });
    for (int i = 0; i < options.answering_threads; ++i) {
      answering_.emplace_back([this] { Answer(); });
    }
  }

  ~Impl() {
    {
      const std::lock_guard lock(queue_mutex_);
      stopping_ = true;
    }
    queued_.notify_all();
    committing_.join();
    {
      const std::lock_guard lock(answers_mutex_);
      committed_all_ = true;
    }
    answered_.notify_all();
    for (std::thread& thread : answering_) thread.join();
  }

  void Submit(Write write, absl::Time deadline, std::function<bool()> cancelled, Done done) {
    const size_t bytes = BytesOf(write);
    {
      const std::lock_guard lock(queue_mutex_);
      const bool fits = std::ssize(queue_) < options_.queue_most &&
                        (queue_.empty() || queue_bytes_ + bytes <= options_.queue_bytes_most);
      if (fits) {
        queue_bytes_ += bytes;
        queue_.push_back(
            {std::move(write), bytes, deadline, std::move(cancelled), std::move(done)});
        // One waits at most; while it commits, it looks by itself.
        if (queue_.size() == 1) queued_.notify_one();
        return;
      }
    }
    done(QueueFull());
  }

  bool IsIdle() {
    const std::lock_guard lock(queue_mutex_);
    return queue_.empty() && !writing_;
  }

  absl::Status CheckRoom() {
    const size_t hardly_any = options_.queue_bytes_most / 16;
    const std::lock_guard lock(queue_mutex_);
    const bool room = queue_.empty() || (std::ssize(queue_) < options_.queue_most &&
                                         queue_bytes_ + hardly_any < options_.queue_bytes_most);
    return room ? absl::OkStatus() : QueueFull();
  }

 private:
  struct Waiting {
    Write write;
    size_t bytes;
    absl::Time deadline;
    std::function<bool()> cancelled;
    Done done;
  };
  struct Answered {
    Done done;
    absl::StatusOr<Written> written;
  };

  // The committing thread.
  void Commit() {
    while (true) {
      GroupReport report;
      std::vector<Waiting> group = NextGroup(report);
      if (group.empty()) return;
      group = DropLate(std::move(group), report);
      WriteGroup(std::move(group), report);
    }
  }

  // Waits for writes; empty: there will be no more.
  std::vector<Waiting> NextGroup(GroupReport& report) {
    std::unique_lock lock(queue_mutex_);
    writing_ = false;
    queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    report.waiting = static_cast<int>(queue_.size());
    std::vector<Waiting> group;
    size_t bytes = 0;
    while (!queue_.empty() && std::ssize(group) < options_.group_most &&
           (group.empty() || bytes + queue_.front().bytes <= options_.group_bytes_most)) {
      bytes += queue_.front().bytes;
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    queue_bytes_ -= bytes;
    writing_ = true;
    return group;
  }

  // Nobody waits for these any more: they are not written.
  std::vector<Waiting> DropLate(std::vector<Waiting> group, GroupReport& report) {
    std::vector<Waiting> kept;
    std::vector<Answered> dropped;
    kept.reserve(group.size());
    for (Waiting& waiting : group) {
      if (waiting.cancelled && waiting.cancelled()) {
        dropped.push_back(
            {std::move(waiting.done), status::Error(absl::StatusCode::kCancelled, "CANCELLED",
                                                    "the caller has gone: nothing was written")});
      } else if (absl::Status late = CheckDeadline(waiting.deadline); !late.ok()) {
        dropped.push_back({std::move(waiting.done), std::move(late)});
      } else {
        kept.push_back(std::move(waiting));
      }
    }
    report.dropped = static_cast<int>(dropped.size());
    Post(std::move(dropped));
    return kept;
  }

  void WriteGroup(std::vector<Waiting> group, GroupReport& report) {
    std::vector<Write> writes;
    writes.reserve(group.size());
    absl::Time deadline = absl::InfinitePast();
    for (Waiting& waiting : group) {
      writes.push_back(std::move(waiting.write));
      deadline = std::max(deadline, waiting.deadline);
    }
    const absl::Time start = absl::Now();
    deadline = std::min(deadline, start + kGroupMost);
    std::vector<Answered> answers;
    answers.reserve(group.size());
    if (!writes.empty()) {
      auto written = store_.CommitGroup(writes, deadline);
      for (size_t i = 0; i < group.size(); ++i) {
        answers.push_back({std::move(group[i].done),
                           written.ok() ? std::move((*written)[i]) : CopyOf(written.status())});
      }
    }
    report.took = absl::Now() - start;
    Observe(answers, report);
    if (answers.size() == 1 && NothingWaits()) {
      Tell(answers.front());
    } else {
      Post(std::move(answers));
    }
  }

  bool NothingWaits() {
    const std::lock_guard lock(queue_mutex_);
    return queue_.empty();
  }

  void Observe(const std::vector<Answered>& answers, GroupReport& report) {
    report.writes = static_cast<int>(answers.size());
    for (const Answered& answer : answers) {
      if (!answer.written.ok()) continue;
      ++(answer.written->replayed ? report.replayed : report.accepted);
      head_ = std::max(head_, answer.written->revision);
    }
    report.head = head_;
    if (observer_ != nullptr) observer_->OnGroup(report);
  }

  void Post(std::vector<Answered> answers) {
    if (answers.empty()) return;
    {
      const std::lock_guard lock(answers_mutex_);
      std::move(answers.begin(), answers.end(), std::back_inserter(answers_));
    }
    answered_.notify_all();
  }

  // An answering thread.
  void Answer() {
    while (true) {
      std::vector<Answered> taken;
      {
        std::unique_lock lock(answers_mutex_);
        answered_.wait(lock, [this] { return committed_all_ || !answers_.empty(); });
        if (answers_.empty()) return;
        while (!answers_.empty() && taken.size() < kAnswersAtOnce) {
          taken.push_back(std::move(answers_.front()));
          answers_.pop_front();
        }
      }
      for (Answered& answer : taken) Tell(answer);
    }
  }

  static void Tell(Answered& answer) {
    Reached(Failpoint::kBeforeReply);
    answer.done(std::move(answer.written));
  }

  EvidenceStore& store_;
  const Options options_;
  CommitObserver* const observer_;

  int64_t head_ = 0;  // The newest this committer has seen; of its thread.

  std::mutex queue_mutex_;  // Guards the next five.
  std::condition_variable queued_;
  std::deque<Waiting> queue_;
  size_t queue_bytes_ = 0;
  bool stopping_ = false;
  bool writing_ = false;

  std::mutex answers_mutex_;  // Guards the next three.
  std::condition_variable answered_;
  std::deque<Answered> answers_;
  bool committed_all_ = false;

  std::thread committing_;
  std::vector<std::thread> answering_;
};

Committer::Committer(EvidenceStore& store, const Options& options, CommitObserver* observer)
    : impl_(std::make_unique<Impl>(store, options, observer)) {}

Committer::~Committer() = default;

void Committer::Submit(Write write, absl::Time deadline, std::function<bool()> cancelled,
                       Done done) {
  impl_->Submit(std::move(write), deadline, std::move(cancelled), std::move(done));
}

bool Committer::IsIdle() const { return impl_->IsIdle(); }

absl::Status Committer::CheckRoom() const { return impl_->CheckRoom(); }

absl::StatusOr<Written> Committer::SubmitAndWait(Write write, absl::Time deadline) {
  std::promise<absl::StatusOr<Written>> promise;
  auto future = promise.get_future();
  Submit(std::move(write), deadline, nullptr,
         [&promise](absl::StatusOr<Written> written) { promise.set_value(std::move(written)); });
  return future.get();
}

}  // namespace starratings::store
