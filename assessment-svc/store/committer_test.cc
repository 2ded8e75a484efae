#include "assessment-svc/store/committer.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/memory_store.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::store {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

Write SchemeWrite(const std::string& id) {
  Write write;
  write.actor = "ann";
  write.request_id = id;
  write.payload = digest::Sha256(id);
  write.body = SchemeDraft{id, "1", std::string(64, 'a'), "text"};
  return write;
}

// One answering thread, so that the answers of a group come in the order of
// revisions.
constexpr Committer::Options kInOrder = {.answering_threads = 1};

// A door that writes wait at, in the committer's thread.
class Door {
 public:
  void Open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitArrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return arrived_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

class Recorder : public CommitObserver {
 public:
  void OnGroup(const GroupReport& report) override {
    const std::lock_guard lock(mutex_);
    groups_.push_back(absl::StrCat(report.writes, " writes: ", report.accepted, "+",
                                   report.replayed, ", dropped ", report.dropped, ", head ",
                                   report.head));
  }
  std::vector<std::string> groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> groups_;
};

// Answers, in the order they come; must outlive the committer.
class Answers {
 public:
  Committer::Done Next() {
    return [this](const absl::StatusOr<Written>& written) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(written.ok() ? absl::StrCat(written->revision)
                                      : status::DetailOf(written.status()).reason);
    };
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> answers_;
};

class CommitterTest : public testing::Test {
 protected:
  // Holds the committer's thread until the door opens; the write is not kept.
  void Block(Committer& committer) {
    committer.Submit(
        SchemeWrite("blocker"), absl::InfiniteFuture(),
        [this] {
          door_.Pass();
          return true;
        },
        [](const absl::StatusOr<Written>&) {});
    door_.AwaitArrival();
  }

  std::unique_ptr<EvidenceStore> store_ = NewMemoryStore();
  Recorder recorder_;
  Door door_;
  Answers answers_;
};

TEST_F(CommitterTest, WritesInTheOrderTheyCome) {
  {
    Committer committer(*store_, kInOrder, &recorder_);
    Block(committer);
    for (const char* id : {"a", "b", "a", "c"}) {
      committer.Submit(SchemeWrite(id), absl::InfiniteFuture(), nullptr, answers_.Next());
    }
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), ElementsAre("1", "2", "1", "3"));
  EXPECT_THAT(recorder_.groups(),
              ElementsAre("0 writes: 0+0, dropped 1, head 0", "4 writes: 3+1, dropped 0, head 3"));
}

TEST_F(CommitterTest, AnIdleCommitterWritesAtOnce) {
  Committer committer(*store_, {}, &recorder_);
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(committer.SubmitAndWait(SchemeWrite(id), absl::InfiniteFuture()).ok());
  }
  EXPECT_THAT(recorder_.groups(),
              ElementsAre("1 writes: 1+0, dropped 0, head 1", "1 writes: 1+0, dropped 0, head 2"));
}

TEST_F(CommitterTest, WhatWaitedIsTheNextGroup) {
  {
    Committer committer(*store_, {.group_most = 2, .answering_threads = 1}, &recorder_);
    Block(committer);
    for (const char* id : {"a", "b", "c"}) {
      committer.Submit(SchemeWrite(id), absl::InfiniteFuture(), nullptr, answers_.Next());
    }
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), UnorderedElementsAre("1", "2", "3"));
  EXPECT_THAT(recorder_.groups(),
              ElementsAre("0 writes: 0+0, dropped 1, head 0", "2 writes: 2+0, dropped 0, head 2",
                          "1 writes: 1+0, dropped 0, head 3"));
}

TEST_F(CommitterTest, AGroupIsBoundedByBytesButOneWriteIsAlwaysTaken) {
  {
    Committer committer(*store_, {.group_bytes_most = 1, .answering_threads = 1}, &recorder_);
    Block(committer);
    for (const char* id : {"a", "b"}) {
      committer.Submit(SchemeWrite(id), absl::InfiniteFuture(), nullptr, answers_.Next());
    }
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), UnorderedElementsAre("1", "2"));
  EXPECT_THAT(recorder_.groups(),
              ElementsAre("0 writes: 0+0, dropped 1, head 0", "1 writes: 1+0, dropped 0, head 1",
                          "1 writes: 1+0, dropped 0, head 2"));
}

TEST_F(CommitterTest, TheQueueIsBoundedByBytesButOneWriteIsAlwaysTaken) {
  {
    Committer committer(*store_, {.queue_bytes_most = 1, .answering_threads = 1}, nullptr);
    Block(committer);
    for (const char* id : {"a", "b"}) {
      committer.Submit(SchemeWrite(id), absl::InfiniteFuture(), nullptr, answers_.Next());
    }
    EXPECT_THAT(answers_.all(), ElementsAre("QUEUE_FULL"));
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), ElementsAre("QUEUE_FULL", "1"));
}

TEST_F(CommitterTest, ARefusedWriteOfAGroupFailsAlone) {
  {
    Committer committer(*store_, kInOrder, &recorder_);
    Block(committer);
    for (const char* id : {"a", "a2", "b"}) {
      Write write = SchemeWrite(id);
      std::get<SchemeDraft>(write.body).id = std::string(1, id[0]);
      committer.Submit(std::move(write), absl::InfiniteFuture(), nullptr, answers_.Next());
    }
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), ElementsAre("1", "SCHEME_REGISTERED", "2"));
}

TEST_F(CommitterTest, AFullQueueRefusesAtOnceAndSaysWhenToComeBack) {
  absl::Status refused;
  {
    Committer committer(*store_, {.queue_most = 2, .answering_threads = 1}, nullptr);
    Block(committer);
    EXPECT_TRUE(committer.CheckRoom().ok());
    committer.Submit(SchemeWrite("a"), absl::InfiniteFuture(), nullptr, answers_.Next());
    EXPECT_TRUE(committer.CheckRoom().ok());
    committer.Submit(SchemeWrite("b"), absl::InfiniteFuture(), nullptr, answers_.Next());
    EXPECT_EQ(status::DetailOf(committer.CheckRoom()).reason, "QUEUE_FULL");
    committer.Submit(SchemeWrite("c"), absl::InfiniteFuture(), nullptr,
                     [&](const absl::StatusOr<Written>& written) { refused = written.status(); });
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    door_.Open();
  }
  EXPECT_EQ(status::DetailOf(refused).reason, "QUEUE_FULL");
  EXPECT_TRUE(status::DetailOf(refused).retry_after.has_value());
  EXPECT_THAT(answers_.all(), ElementsAre("1", "2"));
}

TEST_F(CommitterTest, WhatNobodyWaitsForIsNotWritten) {
  {
    Committer committer(*store_, kInOrder, nullptr);
    Block(committer);
    committer.Submit(SchemeWrite("late"), absl::Now(), nullptr, answers_.Next());
    committer.Submit(
        SchemeWrite("gone"), absl::InfiniteFuture(), [] { return true; }, answers_.Next());
    committer.Submit(
        SchemeWrite("kept"), absl::InfiniteFuture(), [] { return false; }, answers_.Next());
    door_.Open();
  }
  EXPECT_THAT(answers_.all(), UnorderedElementsAre("DEADLINE", "CANCELLED", "1"));
}

TEST_F(CommitterTest, ASlowAnswerDoesNotHoldUpTheNextWrite) {
  Door answered;
  Committer committer(*store_, {}, &recorder_);
  Block(committer);
  committer.Submit(SchemeWrite("a"), absl::InfiniteFuture(), nullptr,
                   [&answered](const absl::StatusOr<Written>&) { answered.Pass(); });
  committer.Submit(SchemeWrite("b"), absl::InfiniteFuture(), nullptr, answers_.Next());
  door_.Open();
  answered.AwaitArrival();
  EXPECT_TRUE(committer.SubmitAndWait(SchemeWrite("c"), absl::InfiniteFuture()).ok());
  answered.Open();
}

TEST_F(CommitterTest, ALoneWriteIsAnsweredByTheThreadThatWroteIt) {
  Committer committer(*store_, {}, &recorder_);
  for (const char* id : {"a", "b"}) {
    std::promise<std::thread::id> answered_by;
    std::thread::id written_by;
    committer.Submit(
        SchemeWrite(id), absl::InfiniteFuture(),
        [&] {
          written_by = std::this_thread::get_id();
          return false;
        },
        [&](const absl::StatusOr<Written>&) { answered_by.set_value(std::this_thread::get_id()); });
    EXPECT_EQ(answered_by.get_future().get(), written_by) << id;
  }
}

TEST_F(CommitterTest, ManyWritersGetEachTheirOwnRevision) {
  Committer committer(*store_, {}, nullptr);
  std::vector<std::thread> writers;
  std::mutex mutex;
  std::vector<int64_t> revisions;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 20; ++i) {
        const auto written = committer.SubmitAndWait(SchemeWrite(absl::StrCat(writer, "-", i)),
                                                     absl::Now() + absl::Minutes(1));
        const std::lock_guard lock(mutex);
        revisions.push_back(written.ok() ? written->revision : -1);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();

  std::sort(revisions.begin(), revisions.end());
  for (size_t i = 0; i < revisions.size(); ++i) {
    EXPECT_EQ(revisions[i], static_cast<int64_t>(i) + 1);
  }
  EXPECT_EQ(revisions.size(), 80u);
}

}  // namespace
}  // namespace starratings::store
