#include "assessment-svc/watch/tail.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::watch {
namespace {

// What one read of the store may take, and how long to wait after the first of
// a row of errors; each further one doubles it.
constexpr absl::Duration kReadWithin = absl::Seconds(5);
constexpr absl::Duration kBackoffFirst = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMost = absl::Seconds(5);

// How often watchers are looked at, whether or not the log moves.
constexpr absl::Duration kTick = absl::Milliseconds(250);

// What is passed on while the lock is held once.
constexpr size_t kPartsPassedOn = 64;

// What a watcher takes from the ring in one turn.
constexpr size_t kRingPartsATurn = 64;

// What a watcher that is behind reads at once, and so what it may hold.
constexpr int kReadItems = 250;

auto Chrono(absl::Duration duration) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      absl::ToChronoNanoseconds(duration));
}

// The same error, sharing nothing: ThreadSanitizer does not see Abseil count
// references.
absl::Status CopyOf(const absl::Status& error) {
  if (error.ok()) return absl::OkStatus();
  return status::ErrorWithDetail(error.code(), error.message(), status::DetailOf(error));
}

}  // namespace

Tail::Tail(const store::EvidenceStore& store, int64_t head, const TailOptions& options,
           TailObserver* observer)
    : store_(store),
      options_(options),
      observer_(observer),
      ring_(head, options.ring_bytes_most),
      moved_to_(head),
      seen_(head),
      answered_at_(Clock::now()),
      poll_at_(answered_at_),
      retry_at_(poll_at_),
      tick_at_(poll_at_) {
  thread_ = std::thread([this] { Follow(); });
}

Tail::~Tail() {
  assert(watchers_.empty());
  {
    const std::lock_guard lock(news_mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void Tail::Moved(int64_t head) {
  {
    const std::lock_guard lock(news_mutex_);
    if (head <= moved_to_) return;
    moved_to_ = head;
  }
  news_.notify_one();
}

Tail::Knowledge Tail::Seen() const {
  const std::lock_guard lock(news_mutex_);
  Knowledge knowledge;
  knowledge.revision = seen_;
  if (known_at_) knowledge.age = absl::FromChrono(Clock::now() - *known_at_);
  return knowledge;
}

// The tail's thread. ---------------------------------------------------------

void Tail::Follow() {
  while (true) {
    const auto now = Clock::now();
    const bool over = IsOver();
    if (!over && now >= retry_at_ && (now >= poll_at_ || MovedTo() > ring_.end().Complete())) {
      if (const absl::Status advanced = Advance(now); !advanced.ok()) Fail(advanced, now);
    }
    if (Clock::now() >= tick_at_) Tick(Clock::now());
    const bool listening = !over && backoff_ == absl::ZeroDuration();
    const auto until = listening ? poll_at_ : std::max(retry_at_, now + Chrono(kBackoffFirst));
    std::unique_lock lock(news_mutex_);
    news_.wait_until(lock, std::min(tick_at_, until), [this, listening] {
      return stopping_ || (listening && moved_to_ > ring_.end().Complete());
    });
    if (stopping_) return;
  }
}

bool Tail::IsOver() const {
  const std::lock_guard lock(mutex_);
  return !ended_.ok();
}

int64_t Tail::MovedTo() const {
  const std::lock_guard lock(news_mutex_);
  return moved_to_;
}

absl::Status Tail::Advance(Clock::time_point now) {
  int64_t head = MovedTo();
  const bool polled = now >= poll_at_;
  if (polled) {
    ASSIGN_OR_RETURN(head, store_.Head(absl::Now() + kReadWithin));
  }
  if (head < ring_.end().Complete()) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the database has forgotten what it had");
  }
  RETURN_IF_ERROR(ReadUpTo(head));
  backoff_ = absl::ZeroDuration();
  answered_at_ = now;
  if (polled) {
    poll_at_ = now + Chrono(options_.poll);
    // Only what was acknowledged before the head was asked for is in it.
    const std::lock_guard lock(news_mutex_);
    known_at_ = now;
  }
  const std::lock_guard lock(mutex_);
  blind_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status Tail::ReadUpTo(int64_t head) {
  while (ring_.end().Complete() < head && !SkipUnwatched(head)) {
    ASSIGN_OR_RETURN(auto log, store_.ReadLog(CursorOf(ring_.end()), head, kPartItemsMost,
                                              absl::Now() + kReadWithin));
    if (log.empty()) {
      return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                           "the log does not reach its head");
    }
    std::vector<SharedPart> parts;
    for (store::LoggedRevision& logged : log) {
      parts.push_back(std::make_shared<const Part>(std::move(logged)));
      if (parts.size() < kPartsPassedOn && &logged != &log.back()) continue;
      RETURN_IF_ERROR(PassOn(std::exchange(parts, {})));
    }
    const std::lock_guard lock(news_mutex_);
    seen_ = ring_.end().Complete();
    if (stopping_) break;
  }
  const std::lock_guard lock(news_mutex_);
  seen_ = ring_.end().Complete();
  return absl::OkStatus();
}

bool Tail::SkipUnwatched(int64_t head) {
  const std::lock_guard lock(mutex_);
  if (!watchers_.empty()) return false;
  ring_.SkipTo(head);
  return true;
}

absl::Status Tail::PassOn(const std::vector<SharedPart>& parts) {
  std::vector<Watcher*> woken;
  {
    const std::lock_guard lock(mutex_);
    for (const SharedPart& part : parts) RETURN_IF_ERROR(ring_.Append(part));
    for (Watcher* watcher : watchers_) {
      if (watcher->state_ != Watcher::State::kWaiting) continue;
      const bool nothing = std::all_of(parts.begin(), parts.end(), [watcher](const auto& part) {
        return watcher->cursor_.Skip(*part);
      });
      if (nothing && !watcher->cursor_.AtEnd()) continue;
      watcher->state_ = Watcher::State::kTurn;
      woken.push_back(watcher);
    }
  }
  for (Watcher* watcher : woken) watcher->OnTurn();
  return absl::OkStatus();
}

void Tail::Fail(const absl::Status& why, Clock::time_point now) {
  backoff_ = std::clamp(2 * backoff_, kBackoffFirst, kBackoffMost);
  retry_at_ = now + Chrono(backoff_);
  // Before anybody is told: who has heard the end may count on the alarm.
  if (absl::IsDataLoss(why) && observer_ != nullptr) observer_->OnFault(why);
  std::vector<Watcher*> woken;
  {
    const std::lock_guard lock(mutex_);
    if (absl::IsDataLoss(why)) {
      ended_ = CopyOf(why);
    } else if (now - answered_at_ > Chrono(options_.blind_most)) {
      blind_ = CopyOf(why);
    } else {
      return;
    }
    woken = TakeWaiting();
  }
  for (Watcher* watcher : woken) watcher->OnTurn();
}

void Tail::Tick(Clock::time_point now) {
  tick_at_ = now + Chrono(std::min(kTick, options_.poll));
  std::vector<Watcher*> woken;
  std::vector<Watcher*> slow;
  std::vector<Watcher*> stuck;
  int watchers = 0;
  int64_t lag = 0;
  {
    const std::lock_guard lock(mutex_);
    watchers = static_cast<int>(watchers_.size());
    const int64_t head = ring_.end().Complete();
    for (Watcher* watcher : watchers_) {
      const bool stalled = now - watcher->since_ > Chrono(options_.stall);
      switch (watcher->state_) {
        case Watcher::State::kWaiting:
          if (BookmarkDue(*watcher, now)) {
            watcher->state_ = Watcher::State::kTurn;
            woken.push_back(watcher);
          }
          break;
        case Watcher::State::kSending:
          lag = std::max(lag, head - watcher->reached_);
          if (stalled && head > watcher->reached_) {
            watcher->state_ = Watcher::State::kEnded;
            watcher->since_ = now;
            slow.push_back(watcher);
          }
          break;
        case Watcher::State::kTurn:
          lag = std::max(lag, head - watcher->reached_);
          break;
        case Watcher::State::kEnded:
          if (stalled && !std::exchange(watcher->given_up_, true)) stuck.push_back(watcher);
          break;
      }
    }
  }
  for (Watcher* watcher : woken) watcher->OnTurn();
  for (Watcher* watcher : slow) {
    if (observer_ != nullptr) observer_->OnCutOff();
    // It cannot leave before it is ended, and that is done here.
    watcher->OnTooSlow();
  }
  for (Watcher* watcher : stuck) CallOn(*watcher, &Watcher::OnStuck);
  if (observer_ != nullptr) observer_->OnWatchers(watchers, lag);
}

void Tail::CallOn(Watcher& watcher, void (Watcher::*reaction)()) {
  {
    const std::lock_guard lock(mutex_);
    if (!watchers_.contains(&watcher)) return;
    calling_ = &watcher;
  }
  (watcher.*reaction)();
  {
    const std::lock_guard lock(mutex_);
    calling_ = nullptr;
  }
  called_.notify_all();
}

// Watchers. --------------------------------------------------------------------

std::vector<Watcher*> Tail::TakeWaiting() {
  std::vector<Watcher*> taken;
  for (Watcher* watcher : watchers_) {
    if (watcher->state_ != Watcher::State::kWaiting) continue;
    watcher->state_ = Watcher::State::kTurn;
    taken.push_back(watcher);
  }
  return taken;
}

void Tail::Stop() {
  std::vector<Watcher*> woken;
  {
    const std::lock_guard lock(mutex_);
    if (!ended_.ok()) return;
    ended_ = status::Error(absl::StatusCode::kUnavailable, "SERVER_STOPPING",
                           "the service is stopping: resume with the last token");
    woken = TakeWaiting();
  }
  for (Watcher* watcher : woken) watcher->OnTurn();
}

absl::Status Tail::Enter(Watcher& watcher) {
  const std::lock_guard lock(mutex_);
  if (!ended_.ok()) return CopyOf(ended_);
  if (std::ssize(watchers_) >= options_.watchers_most) {
    return status::Error(absl::StatusCode::kResourceExhausted, "WATCHERS_FULL",
                         "too many watchers: try again later, or another replica");
  }
  watchers_.insert(&watcher);
  watcher.reached_ = ring_.end().Complete();
  return absl::OkStatus();
}

void Tail::Begin(Watcher& watcher, Cursor cursor) {
  watcher.cursor_ = std::move(cursor);
  const std::lock_guard lock(mutex_);
  watcher.reached_ = watcher.cursor_.told();
}

bool Tail::Sent(Watcher& watcher) {
  const std::lock_guard lock(mutex_);
  if (watcher.state_ != Watcher::State::kSending) return false;
  watcher.state_ = Watcher::State::kTurn;
  return true;
}

bool Tail::Gone(Watcher& watcher) {
  const std::lock_guard lock(mutex_);
  watcher.gone_ = true;
  if (watcher.state_ != Watcher::State::kWaiting) return false;
  watcher.state_ = Watcher::State::kTurn;
  return true;
}

void Tail::End(Watcher& watcher) {
  const std::lock_guard lock(mutex_);
  watcher.state_ = Watcher::State::kEnded;
  watcher.since_ = Clock::now();
}

void Tail::Leave(Watcher& watcher) {
  std::unique_lock lock(mutex_);
  called_.wait(lock, [this, &watcher] { return calling_ != &watcher; });
  watchers_.erase(&watcher);
}

bool Tail::BookmarkDue(const Watcher& watcher, Clock::time_point now) const {
  return watcher.cursor_.OwesBookmark() &&
         (watcher.cursor_.AtEnd() || now - watcher.told_at_ >= Chrono(options_.bookmark_every));
}

void Tail::Sending(Watcher& watcher) {
  const auto now = Clock::now();
  watcher.told_at_ = now;
  const std::lock_guard lock(mutex_);
  watcher.state_ = Watcher::State::kSending;
  watcher.since_ = now;
  watcher.reached_ = watcher.cursor_.told();
}

void Tail::TakeRead(Watcher& watcher, Message& message) {
  while (!watcher.read_.empty() && message.Takes(*watcher.read_.front())) {
    std::optional<Delivery> delivery = watcher.cursor_.Take(watcher.read_.front());
    if (watcher.read_.front()->end() <= watcher.cursor_.next()) watcher.read_.pop_front();
    if (delivery) message.deliveries.push_back(*std::move(delivery));
    if (watcher.cursor_.AtEnd()) watcher.read_.clear();
  }
}

absl::StatusOr<std::vector<SharedPart>> Tail::ReadFor(const Watcher& watcher, int64_t upto,
                                                      absl::Time deadline) const {
  Place expected = watcher.cursor_.next();
  ASSIGN_OR_RETURN(auto log, store_.ReadLog(CursorOf(expected), upto, kReadItems, deadline));
  std::vector<SharedPart> parts;
  for (store::LoggedRevision& logged : log) {
    parts.push_back(std::make_shared<const Part>(std::move(logged)));
    RETURN_IF_ERROR(CheckFollows(expected, *parts.back()));
    expected = parts.back()->end();
  }
  if (parts.empty()) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the log does not reach its head");
  }
  return parts;
}

absl::StatusOr<Tail::Turn> Tail::Next(Watcher& watcher, absl::Time deadline, Message& message) {
  Cursor& cursor = watcher.cursor_;
  message.deliveries.clear();
  const auto send_bookmark = [&] {
    message.deliveries.push_back(cursor.Bookmark());
    return Turn::kSend;
  };
  std::vector<SharedPart> parts;
  int64_t upto = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!ended_.ok()) return CopyOf(ended_);
    if (watcher.gone_) {
      return status::Error(absl::StatusCode::kCancelled, "CANCELLED", "the caller has gone");
    }
    if (!blind_.ok()) return CopyOf(blind_);
    const bool says = !watcher.opened_ || !watcher.read_.empty() || cursor.AtEnd() ||
                      BookmarkDue(watcher, Clock::now());
    if (!says && cursor.next() >= ring_.end()) {
      watcher.state_ = Watcher::State::kWaiting;
      return Turn::kWait;
    }
    // A revision that the ring ends in the midst of is in the store as a whole.
    const Place end = ring_.end();
    upto = end.item > 0 ? end.revision : end.Complete();
    if (!says && cursor.next() >= ring_.begin()) parts = ring_.From(cursor.next(), kRingPartsATurn);
  }
  if (!std::exchange(watcher.opened_, true)) return send_bookmark();
  if (cursor.AtEnd()) return cursor.OwesBookmark() ? send_bookmark() : Turn::kEnd;
  if (parts.empty() && watcher.read_.empty() && !BookmarkDue(watcher, Clock::now())) {
    ASSIGN_OR_RETURN(const auto read, ReadFor(watcher, upto, deadline));
    watcher.read_.assign(read.begin(), read.end());
  }
  for (const SharedPart& part : parts) {
    if (!message.Takes(*part)) break;
    if (auto delivery = cursor.Take(part)) message.deliveries.push_back(*std::move(delivery));
  }
  TakeRead(watcher, message);
  if (!message.deliveries.empty()) return Turn::kSend;
  if (BookmarkDue(watcher, Clock::now())) return send_bookmark();
  return Turn::kAgain;
}

}  // namespace starratings::watch
