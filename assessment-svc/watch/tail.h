// Follows the log for everybody who watches it.
//
// One thread reads what is new, once, whoever wrote it, into a ring; watchers
// take it from there, each at its own pace, without a thread while they wait.
// While nobody watches, nothing is read but the log's head.
// Who is further behind than the ring reaches reads the store until it has
// caught up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/watch/cursor.h"
#include "assessment-svc/watch/part.h"
#include "assessment-svc/watch/ring.h"

namespace starratings::watch {

// What the tail tells about itself; for metrics. Called on its thread.
class TailObserver {
 public:
  virtual ~TailObserver() = default;
  // Every now and then: how many watch, and by how many revisions the last of
  // them is behind.
  virtual void OnWatchers(int watchers, int64_t lag_most) = 0;
  // A watcher was cut off because it reads too slowly.
  virtual void OnCutOff() = 0;
  // The log has a gap: all watchers end, and there will be no more.
  virtual void OnFault(const absl::Status& fault) = 0;
};

struct TailOptions {
  size_t ring_bytes_most = 64 << 20;
  int watchers_most = 10'000;
  // How often the store is asked for its head: how late the revisions of other
  // processes may come. Those of this one are told by Moved().
  absl::Duration poll = absl::Milliseconds(200);
  // How often a watcher is told of revisions that its filter hides.
  absl::Duration bookmark_every = absl::Seconds(1);
  // How long one message may be on its way while the log moves on; after twice
  // that the connection is given up.
  absl::Duration stall = absl::Seconds(10);
  // How long the store may not answer before watchers are told so.
  absl::Duration blind_most = absl::Seconds(30);
};

// One who watches. Its owner takes turns: it has the turn at first, gives it
// away when Tail::Next() says so and by Tail::Sending(), and gets it back by OnTurn(), by
// Tail::Sent() or by Tail::Gone(). Only who has the turn may end the watch.
class Watcher {
 public:
  virtual ~Watcher() = default;

  // The revision that the caller was told of last, with the message that Next() has
  // given: what to resume after once that was taken.
  int64_t told() const { return cursor_.told(); }

 protected:
  // Called on a thread of the tail, which must not be held up.
  // The turn has come: call Tail::Next() soon, on another thread.
  virtual void OnTurn() = 0;
  // It is too slow: end the watch now, though a message is still on its way.
  virtual void OnTooSlow() = 0;
  // It was ended and does not come to its end: give the connection up.
  virtual void OnStuck() = 0;

 private:
  friend class Tail;
  enum class State { kTurn, kWaiting, kSending, kEnded };

  // Of who has the turn; while it waits, of the tail, under its lock.
  Cursor cursor_;
  std::deque<SharedPart> read_;  // From the store, not from the ring.
  bool opened_ = false;
  std::chrono::steady_clock::time_point told_at_;

  // Under the tail's lock.
  State state_ = State::kTurn;
  std::chrono::steady_clock::time_point since_;  // It sends, or has ended.
  int64_t reached_ = 0;                          // As told().
  bool gone_ = false;
  bool given_up_ = false;
};

class Tail {
 public:
  // What is to be done next.
  enum class Turn {
    kSend,   // Make the message, call Sending() and send it, and Sent() when it was taken.
    kAgain,  // Nothing to say yet: call Next() again when others had their turn.
    kWait,   // The turn is given away; OnTurn() will be called.
    kEnd,    // Everything was said.
  };

  // How well the log is known.
  struct Knowledge {
    int64_t revision = 0;  // The newest that has been read as a whole.
    // What was acknowledged, by any process, longer ago than this is in it.
    absl::Duration age = absl::InfiniteDuration();
  };

  // Begins after revision `head`. `store` and `observer` (may be null) must
  // outlive the tail.
  Tail(const store::EvidenceStore& store, int64_t head, const TailOptions& options,
       TailObserver* observer);

  // Nobody may watch any more.
  ~Tail();
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  // This process has committed revisions up to `head`.
  void Moved(int64_t head);

  Knowledge Seen() const;

  // From now on every watcher ends with UNAVAILABLE (SERVER_STOPPING).
  void Stop();

  // Lets `watcher` in: RESOURCE_EXHAUSTED (WATCHERS_FULL) if there are too
  // many. It must be let out by Leave().
  absl::Status Enter(Watcher& watcher);

  // Says what it wants; call once, before Next().
  void Begin(Watcher& watcher, Cursor cursor);

  // What is next for `watcher`, which has the turn; may read the store, for as
  // long as `deadline`. The first message is a bookmark. Returns
  // - UNAVAILABLE (SERVER_STOPPING), or if the store does not answer;
  // - DATA_LOSS if the log has a gap;
  // - CANCELLED after Gone().
  absl::StatusOr<Turn> Next(Watcher& watcher, absl::Time deadline, Message& message);

  // The message that Next() gave to `watcher`, which has the turn, is being sent: from
  // now on the turn is away, and the message must be taken in time. Call it just
  // before, under whatever keeps OnTooSlow() from ending the watch meanwhile.
  void Sending(Watcher& watcher);

  // The message was taken. True: the watcher has the turn; false: it was cut
  // off meanwhile, and nothing is to be done.
  bool Sent(Watcher& watcher);

  // Nobody listens to `watcher` any more. True: it was waiting and has the turn
  // now; false: who has the turn, or gets it, will learn it from Next().
  bool Gone(Watcher& watcher);

  // `watcher`, which has the turn, is being ended.
  void End(Watcher& watcher);

  // Lets `watcher` out; on return nothing is called on it any more.
  void Leave(Watcher& watcher);

 private:
  using Clock = std::chrono::steady_clock;

  // The tail's thread.
  void Follow();
  bool IsOver() const;
  int64_t MovedTo() const;
  absl::Status Advance(Clock::time_point now);
  absl::Status ReadUpTo(int64_t head);
  // True: nobody watches, and `head` is where the next to watch begins.
  bool SkipUnwatched(int64_t head);
  absl::Status PassOn(const std::vector<SharedPart>& parts);
  void Tick(Clock::time_point now);
  void Fail(const absl::Status& why, Clock::time_point now);
  void CallOn(Watcher& watcher, void (Watcher::*reaction)());

  // Of Next().
  void TakeRead(Watcher& watcher, Message& message);
  absl::StatusOr<std::vector<SharedPart>> ReadFor(const Watcher& watcher, int64_t upto,
                                                  absl::Time deadline) const;
  bool BookmarkDue(const Watcher& watcher, Clock::time_point now) const;
  // Gives the turn to all that wait, who are returned: call OnTurn() on them.
  std::vector<Watcher*> TakeWaiting();

  const store::EvidenceStore& store_;
  const TailOptions options_;
  TailObserver* const observer_;

  // Locks are not absl's: ThreadSanitizer cannot see into Debian's build of it.
  mutable std::mutex mutex_;
  std::condition_variable called_;  // For Leave().
  Ring ring_;                       // Written by the tail's thread only.
  absl::flat_hash_set<Watcher*> watchers_;
  Watcher* calling_ = nullptr;  // Something is called on it just now.
  absl::Status ended_;          // Why nobody can watch any more.
  absl::Status blind_;          // Why the log could not be read for long.

  // Apart, so that the committer and readers do not wait while watchers are
  // gone through.
  mutable std::mutex news_mutex_;
  std::condition_variable news_;  // For the tail's thread.
  int64_t moved_to_;
  int64_t seen_;
  std::optional<Clock::time_point> known_at_;  // When the last head was asked for.
  bool stopping_ = false;

  // Of the tail's thread.
  Clock::time_point answered_at_;  // The log was read last.
  Clock::time_point poll_at_;      // The next head is due.
  Clock::time_point retry_at_;     // Not before, after an error.
  Clock::time_point tick_at_;
  absl::Duration backoff_;
  std::thread thread_;
};

}  // namespace starratings::watch
