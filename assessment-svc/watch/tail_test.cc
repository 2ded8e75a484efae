#include "assessment-svc/watch/tail.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "assessment-svc/watch/tail_stores.h"
#include "assessment-svc/watch/watch_fixture.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::watch {
namespace {

using testing::SizeIs;

TailOptions Quick() {
  TailOptions options;
  options.poll = absl::Milliseconds(5);
  options.bookmark_every = absl::Milliseconds(20);
  return options;
}

std::string ReasonOf(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ",
                      status::DetailOf(status).reason);
}

// Waits for what another thread does.
bool Soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 4'000 && !holds(); ++i) absl::SleepFor(absl::Milliseconds(5));
  return holds();
}

struct Faults : TailObserver {
  void OnWatchers(int, int64_t) override {}
  void OnCutOff() override {}
  void OnFault(const absl::Status& fault) override { seen += absl::IsDataLoss(fault) ? 1 : 100; }
  std::atomic<int> seen = 0;
};

class TailTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              absl::StrCat("tail_", getpid(), "_", absl::ToUnixNanos(absl::Now()));
    std::filesystem::create_directories(folder_);
    const auto made = MakeStore(GetParam(), folder_);
    if (absl::IsNotFound(made.status()) && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << made.status().message();
    }
    ASSERT_TRUE(made.ok()) << made.status();
    made_ = *made;
    store_ = *store::OpenStore(made_.uri);
    double_.emplace(*store_);
  }
  void TearDown() override {
    tail_.reset();
    std::filesystem::remove_all(folder_);
  }

  Tail& Start(const TailOptions& options = Quick(), TailObserver* observer = nullptr) {
    tail_.emplace(*double_, Head(), options, observer);
    return *tail_;
  }

  int64_t Commit(const store::Write& write) {
    auto answers = store_->CommitGroup(std::span(&write, 1), kForever);
    EXPECT_TRUE(answers.ok() && answers->front().ok());
    return answers->front()->revision;
  }
  // A revision of `items` items about o0, o1, ...
  int64_t CommitMany(const std::string& id, int items) {
    std::vector<store::EvidenceDraft> drafts;
    for (int i = 0; i < items; ++i) drafts.push_back(Draft(absl::StrCat("o", i), i));
    return Commit(Say(id, std::move(drafts)));
  }
  int64_t Head() { return *store_->Head(kForever); }
  store::WatchedLog Log() { return store::ReadWholeLog(*store_, Head()); }

  std::filesystem::path folder_;
  TestStore made_;
  std::unique_ptr<store::EvidenceStore> store_;
  std::optional<LogDouble> double_;
  // What the tail's thread looks at outlives it.
  Faults faults_;
  std::atomic<bool> broken_ = false;
  std::optional<Tail> tail_;
};

// What only a store that processes share can show.
class SharedTailTest : public TailTest {};

std::vector<Filter> SomeFilters() {
  Filter none;
  Filter one{{"o1"}, "", {}};
  Filter nobody{{"stranger"}, "", {}};
  Filter code{{}, "p", {"b"}};
  Filter half{{}, "", {}, 0, digest::kBuckets / 2};
  return {none, one, nobody, code, half};
}

// Writers write while watchers join, at every place, with a ring that is always
// too small: so that they change over from the store to the ring and back.
TEST_P(TailTest, KeepsItsPromisesWhileWritersWrite) {
  constexpr int kRevisions = 120;
  for (const size_t ring_bytes : {size_t{1}, size_t{20'000}, size_t{64} << 20}) {
    TailOptions options = Quick();
    options.ring_bytes_most = ring_bytes;
    const int64_t begin = Head();
    Tail& tail = Start(options);
    std::vector<std::unique_ptr<Listener>> listeners;
    std::thread writer([&] {
      for (int i = 0; i < kRevisions; ++i) {
        const std::string id = absl::StrCat(ring_bytes, ".", i);
        const std::string organisation = absl::StrCat("o", i % 3);
        const int64_t revision =
            i % 17 == 0 ? Commit(RegisterOrganisation(id))
                        : Commit(Say(id, {Draft(organisation, i), Draft(organisation, i, "b"),
                                          Draft("z", i, "a", "q")}));
        if (i % 2 == 0) tail.Moved(revision);
      }
    });
    for (int i = 0; i < 15; ++i) {
      const Filter filter = SomeFilters()[static_cast<size_t>(i) % 5];
      const int64_t head = Head();
      listeners.push_back(std::make_unique<Listener>(tail, filter, head - (head - begin) * i / 15));
      absl::SleepFor(absl::Milliseconds(1));
    }
    writer.join();
    const int64_t head = Head();
    ASSERT_EQ(head, begin + kRevisions);
    const store::WatchedLog log = Log();
    for (const auto& listener : listeners) {
      const absl::Status kept = store::CheckWatch(listener->HearUpTo(head), log, head);
      EXPECT_TRUE(kept.ok()) << kept << " ring of " << ring_bytes;
    }
    listeners.clear();
    tail_.reset();
  }
}

TEST_P(TailTest, ABigRevisionComesInPartsAndSaysSo) {
  CommitMany("before", 2'345);
  TailOptions options = Quick();
  options.ring_bytes_most = 1;
  Tail& tail = Start(options);
  Listener early(tail, {}, 0);
  Listener now(tail, {}, 1);
  Listener first(tail, Filter{{"o0"}, "", {}}, 0);
  const int64_t head = CommitMany("after", 2'345);
  const store::WatchedLog log = Log();
  ASSERT_THAT(log[1].items, SizeIs(2'345));

  for (Listener* listener : {&early, &now, &first}) {
    const store::WatchRecording heard = listener->HearUpTo(head);
    const absl::Status kept = store::CheckWatch(heard, log, head);
    EXPECT_TRUE(kept.ok()) << kept;
    for (const store::WatchMessage& message : heard.messages) {
      EXPECT_LE(message.items.size(), 1'000u);
    }
  }
}

TEST_P(TailTest, ResumedAnywhereItSaysTheSame) {
  for (int i = 0; i < 12; ++i) {
    Commit(i % 5 == 2 ? RegisterOrganisation(absl::StrCat(i))
                      : Say(absl::StrCat(i), {Draft("o1", i), Draft("o2", i)}));
  }
  CommitMany("big", 700);
  const int64_t head = Head();
  Tail& tail = Start();
  for (const Filter& filter : SomeFilters()) {
    Listener whole(tail, filter, 0, head);
    EXPECT_TRUE(whole.HearTheEnd().ok());
    const store::WatchRecording heard = whole.Heard();
    for (size_t i = 0; i < heard.messages.size(); ++i) {
      if (!heard.messages[i].revision) continue;
      Listener rest(tail, filter, *heard.messages[i].revision, head);
      EXPECT_TRUE(rest.HearTheEnd().ok());
      const absl::Status kept = store::CheckResumable(heard, i, rest.Heard());
      EXPECT_TRUE(kept.ok()) << kept;
    }
  }
}

TEST_P(TailTest, EndsAtUntil) {
  for (int i = 0; i < 5; ++i) CommitMany(absl::StrCat(i), 2);
  Tail& tail = Start();
  for (const Filter& filter : SomeFilters()) {
    Listener listener(tail, filter, 1, 3);
    EXPECT_TRUE(listener.HearTheEnd().ok());
    const absl::Status kept = store::CheckWatch(listener.Heard(), Log(), 3);
    EXPECT_TRUE(kept.ok()) << kept;
  }
  for (const int64_t until : {2, 3}) {
    Listener none(tail, {}, 3, until);
    EXPECT_TRUE(none.HearTheEnd().ok());
    EXPECT_TRUE(store::CheckWatch(none.Heard(), Log(), 3).ok());
    EXPECT_THAT(none.Heard().messages, SizeIs(1));
  }
}

TEST_P(TailTest, ReadsNothingWhileNobodyWatches) {
  std::atomic<int> reads = 0;
  double_->on_log = [&reads](LogDouble::Log log) {
    ++reads;
    return log;
  };
  Tail& tail = Start();
  const auto commit = [&](const std::string& id) {
    const int64_t head = CommitMany(id, 3);
    tail.Moved(head);
    EXPECT_TRUE(Soon([&] { return tail.Seen().revision == head; }));
  };
  for (const char* id : {"1", "2", "3"}) commit(id);
  EXPECT_EQ(reads, 0);

  // Who comes then begins with the store, and goes on with the ring.
  {
    Listener listener(tail, {}, 1);
    commit("4");
    listener.HearUpTo(Head());
    const absl::Status kept = store::CheckWatch(listener.Heard(), Log(), Head());
    EXPECT_TRUE(kept.ok()) << kept;
    EXPECT_GT(reads, 0);
  }
  const int so_far = reads;
  commit("5");
  EXPECT_EQ(reads, so_far);
}

TEST_P(TailTest, WhatComesWhileAMessageIsOnItsWayIsTheNextMessage) {
  Tail& tail = Start();
  Listener listener(tail, {}, 0, Cursor::kNever, /*deaf=*/true);
  listener.HearUpTo(0);
  for (const char* id : {"1", "2", "3"}) {
    const int64_t head = CommitMany(id, 2);
    tail.Moved(head);
    ASSERT_TRUE(Soon([&] { return tail.Seen().revision == head; }));
  }
  listener.SetDeaf(false);
  const store::WatchRecording heard = listener.HearUpTo(Head());
  ASSERT_EQ(heard.messages.size(), 2u);
  EXPECT_EQ(heard.messages[1].items.size(), 6u);
  const absl::Status kept = store::CheckWatch(heard, Log(), Head());
  EXPECT_TRUE(kept.ok()) << kept;
}

TEST_P(TailTest, WakesOnlyWhomItConcerns) {
  TailOptions options = Quick();
  options.bookmark_every = absl::Hours(1);
  Tail& tail = Start(options);
  Listener one(tail, Filter{{"o1"}, "", {}}, 0);
  Listener other(tail, Filter{{"stranger"}, "", {}}, 0);
  other.HearUpTo(0);
  for (int i = 0; i < 10; ++i) one.HearUpTo(Commit(Say(absl::StrCat(i), {Draft("o1", i)})));

  EXPECT_THAT(one.Heard().messages, SizeIs(11));
  EXPECT_THAT(other.Heard().messages, SizeIs(1));
  EXPECT_EQ(other.turns, 0);
}

TEST_P(TailTest, BookmarksAreCoalescedAndComeOnlyWhenSomethingMoved) {
  TailOptions options = Quick();
  options.bookmark_every = absl::Milliseconds(200);
  Tail& tail = Start(options);
  Listener listener(tail, Filter{{"stranger"}, "", {}}, 0);
  listener.HearUpTo(0);
  int64_t head = 0;
  for (int i = 0; i < 10; ++i) head = Commit(Say(absl::StrCat(i), {Draft("o1", i)}));
  const size_t messages = listener.HearUpTo(head).messages.size();
  EXPECT_LE(messages, 4u);
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_THAT(listener.Heard().messages, SizeIs(messages));
}

TEST_P(SharedTailTest, SeesWhatAnotherProcessHasWritten) {
  Tail& tail = Start();
  Listener listener(tail, {}, 0);
  const auto other = *store::OpenStore(made_.uri);
  const store::Write write = Say("1", {Draft("o1", 1)});
  ASSERT_TRUE(other->CommitGroup(std::span(&write, 1), kForever).ok());

  listener.HearUpTo(1);
  EXPECT_TRUE(Soon([&] { return tail.Seen().revision == 1; }));
}

TEST_P(TailTest, AGapEndsEverybodyWithDataLoss) {
  double_->on_log = [this](LogDouble::Log log) {
    if (broken_ && log.ok() && log->size() > 1) log->erase(log->begin());
    return log;
  };
  Tail& tail = Start(Quick(), &faults_);
  Listener waiting(tail, {}, 0);
  waiting.HearUpTo(0);
  broken_ = true;
  const std::vector<store::Write> group = {Say("1", {Draft("o1", 1)}), Say("2", {Draft("o1", 2)})};
  ASSERT_TRUE(store_->CommitGroup(group, kForever).ok());

  EXPECT_EQ(ReasonOf(waiting.HearTheEnd()), "DATA_LOSS STORE_CORRUPT");
  EXPECT_THAT(waiting.Heard().messages, SizeIs(1));
  EXPECT_EQ(faults_.seen, 1);
  Listener late(tail, {}, 0);
  EXPECT_EQ(ReasonOf(late.HearTheEnd()), "DATA_LOSS STORE_CORRUPT");
}

TEST_P(TailTest, AGapFarBehindEndsWhoComesUponIt) {
  for (int i = 0; i < 4; ++i) CommitMany(absl::StrCat(i), 1);
  double_->on_log = [](LogDouble::Log log) {
    if (log.ok() && log->size() > 2) log->erase(log->begin() + 1);
    return log;
  };
  Tail& tail = Start();
  Listener listener(tail, {}, 0);
  EXPECT_EQ(ReasonOf(listener.HearTheEnd()), "DATA_LOSS STORE_CORRUPT");
}

TEST_P(TailTest, WaitsWhileTheStoreIsAwayAndEndsWhenItStaysAway) {
  double_->on_head = [this](absl::StatusOr<int64_t> head) -> absl::StatusOr<int64_t> {
    if (broken_) return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "away");
    return head;
  };
  TailOptions options = Quick();
  options.blind_most = absl::Milliseconds(400);
  Tail& tail = Start(options);
  Listener listener(tail, {}, 0);
  listener.HearUpTo(0);

  broken_ = true;
  absl::SleepFor(absl::Milliseconds(50));
  broken_ = false;
  const int64_t head = CommitMany("1", 3);
  EXPECT_TRUE(store::CheckWatch(listener.HearUpTo(head), Log(), head).ok());

  broken_ = true;
  EXPECT_EQ(ReasonOf(listener.HearTheEnd()), "UNAVAILABLE STORE_UNAVAILABLE");
  broken_ = false;
  EXPECT_TRUE(Soon([&] {
    Listener again(tail, {}, head, head);
    return again.HearTheEnd().ok();
  }));
}

TEST_P(TailTest, AHeadThatGoesBackIsNotFollowed) {
  CommitMany("1", 1);
  CommitMany("2", 1);
  double_->on_head = [](absl::StatusOr<int64_t>) { return 1; };
  TailOptions options = Quick();
  options.blind_most = absl::Milliseconds(50);
  Tail& tail = Start(options);
  Listener listener(tail, {}, 2);
  EXPECT_EQ(ReasonOf(listener.HearTheEnd()), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(tail.Seen().age, absl::InfiniteDuration());
}

TEST_P(TailTest, AgeCountsFromWhenTheHeadWasAskedFor) {
  double_->on_head = [](absl::StatusOr<int64_t> head) {
    absl::SleepFor(absl::Milliseconds(100));
    return head;
  };
  Tail& tail = Start();
  ASSERT_TRUE(Soon([&] { return tail.Seen().age < absl::InfiniteDuration(); }));
  EXPECT_GE(tail.Seen().age, absl::Milliseconds(100));
  // What this process has written is known sooner; of others it says nothing.
  const int64_t head = CommitMany("1", 1);
  tail.Moved(head);
  ASSERT_TRUE(Soon([&] { return tail.Seen().revision == head; }));
  EXPECT_GE(tail.Seen().age, absl::Milliseconds(100));
}

TEST_P(TailTest, WhoIsTooSlowIsCutOffOnlyWhenTheLogMovesOn) {
  TailOptions options = Quick();
  options.stall = absl::Milliseconds(60);
  Tail& tail = Start(options);
  Listener slow(tail, {}, 0, Cursor::kNever, true);
  slow.HearUpTo(0);
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(slow.too_slow, 0);

  CommitMany("1", 1);
  EXPECT_TRUE(Soon([&] { return slow.too_slow == 1; }));
  EXPECT_EQ(slow.told(), 0);
  EXPECT_TRUE(Soon([&] { return slow.stuck == 1; }));
  slow.SetDeaf(false);
  EXPECT_EQ(slow.HearTheEnd(), absl::AbortedError("cut off"));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(slow.too_slow, 1);
  EXPECT_EQ(slow.stuck, 1);
}

TEST_P(TailTest, StopEndsEverybody) {
  Tail& tail = Start();
  Listener waiting(tail, {}, 0);
  Listener sending(tail, {}, 0);
  waiting.HearUpTo(0);
  sending.HearUpTo(0);
  sending.SetDeaf(true);
  waiting.HearUpTo(CommitMany("1", 1));
  tail.Stop();
  EXPECT_EQ(ReasonOf(waiting.HearTheEnd()), "UNAVAILABLE SERVER_STOPPING");
  sending.SetDeaf(false);
  EXPECT_EQ(ReasonOf(sending.HearTheEnd()), "UNAVAILABLE SERVER_STOPPING");
  Listener late(tail, {}, 0);
  EXPECT_EQ(ReasonOf(late.HearTheEnd()), "UNAVAILABLE SERVER_STOPPING");
}

TEST_P(TailTest, ThereIsAMostOfWatchers) {
  TailOptions options = Quick();
  options.watchers_most = 2;
  Tail& tail = Start(options);
  Listener first(tail, {}, 0);
  {
    Listener second(tail, {}, 0);
    Listener third(tail, {}, 0);
    EXPECT_EQ(ReasonOf(third.HearTheEnd()), "RESOURCE_EXHAUSTED WATCHERS_FULL");
  }
  Listener fourth(tail, {}, 0);
  fourth.HearUpTo(0);
}

INSTANTIATE_TEST_SUITE_P(Stores, TailTest, testing::ValuesIn(StoreNames()),
                         [](const auto& test) { return test.param; });
INSTANTIATE_TEST_SUITE_P(Stores, SharedTailTest, testing::ValuesIn(SharedStoreNames()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace starratings::watch
