// What it is to be an EvidenceStore: several write at the same time, through
// two stores as two processes would have them.
#include <utility>

#include "tests/store/conformance.h"
#include "tests/store/overlap_checks.h"

namespace starratings::store {
namespace {

// A store in memory reads its whole list each time.
int Rounds(const Backend& backend) { return backend.name == "Memory" ? 100 : 1'000; }

// SQLite's wait for each other asleep, and for the disk: each costs its time.
int Writers(const Backend& backend) { return backend.name == "Sqlite" ? 2 : 3; }

// Writers take turns on the two stores, the reader has the second.
struct TwoStores {
  EvidenceStore& first;
  EvidenceStore& second;

  EvidenceStore& Of(int writer) { return writer % 2 == 0 ? first : second; }

  absl::StatusOr<Written> Commit(int writer, const Write& write) {
    auto answers = Of(writer).CommitGroup(std::span(&write, 1), kForever);
    if (!answers.ok()) return std::move(answers).status();
    return std::move(answers->front());
  }
};

// Each event is a revision of one item.
class StoreLog : public FollowedLog {
 public:
  explicit StoreLog(TwoStores stores) : stores_(stores) {}

  absl::StatusOr<int64_t> Append(int writer, const std::string& what) override {
    auto written = stores_.Commit(
        writer, Say(what, {{ItemOf(absl::StrCat(writer), "a", evidence::Text{what}), {}}}));
    if (!written.ok()) return std::move(written).status();
    return written->revision;
  }

  absl::StatusOr<int64_t> Head() override { return stores_.second.Head(kForever); }

  absl::StatusOr<std::vector<Event>> Read(int64_t after, int64_t upto) override {
    std::vector<Event> events;
    while (after < upto) {
      auto log = stores_.second.ReadLog({after}, upto, 100, kForever);
      if (!log.ok()) return std::move(log).status();
      if (log->empty()) return absl::DataLossError(absl::StrCat("nothing after ", after));
      for (const LoggedRevision& logged : *log) {
        // Dense: nothing was passed over.
        if (logged.commit.revision != ++after) {
          return absl::DataLossError(absl::StrCat(logged.commit.revision, " follows ", after - 1));
        }
        events.push_back({after, logged.items.empty()
                                     ? "nothing"
                                     : evidence::ToString(logged.items.front().item.value)});
      }
    }
    return events;
  }

 private:
  TwoStores stores_;
};

class StoreItem : public GuardedItem {
 public:
  explicit StoreItem(TwoStores stores) : stores_(stores) {}

  absl::StatusOr<std::string> Replace(int writer, const std::string& expected) override {
    auto written =
        stores_.Commit(writer, Say(absl::StrCat(writer, " on ", expected),
                                   {{ItemOf("hull", "a", Number(writer)),
                                     expected == "nothing" ? Nothing() : store::Etag(expected)}}));
    if (!written.ok()) return std::move(written).status();
    return written->etags.front();
  }

  absl::StatusOr<std::string> Etag() override {
    auto head = stores_.second.Head(kForever);
    if (!head.ok()) return std::move(head).status();
    auto item = stores_.second.ReadItem({"hull", "2001-02", "a", ""}, *head, kForever);
    if (!item.ok()) return std::move(item).status();
    return item->has_value() ? (*item)->Etag() : "nothing";
  }

 private:
  TwoStores stores_;
};

TEST_P(ConformanceTest, AFollowerLosesNothingWhileOthersWrite) {
  StoreLog log({*store_, OtherStore()});
  const int writers = Writers(GetParam());
  const int rounds = Rounds(GetParam());

  EXPECT_EQ(FollowerLosesNothing(log, writers, rounds), "");
  EXPECT_EQ(Head(), writers * rounds);
}

TEST_P(ConformanceTest, OfThreeWithTheSameEtagOneMayWrite) {
  StoreItem item({*store_, OtherStore()});
  const int rounds = Rounds(GetParam()) / 4;

  EXPECT_EQ(EtagsSerialise(item, 3, rounds), "");
  EXPECT_EQ(Head(), rounds);
}

// The same request is sent through both at once, as a client does that has
// changed its server without waiting for the first answer.
TEST_P(ConformanceTest, ARequestSentTwiceAtOnceIsWrittenOnce) {
  class SameRequest : public GuardedItem {
   public:
    explicit SameRequest(TwoStores stores) : stores_(stores) {}

    // The one that was not a replay is the one that wrote.
    absl::StatusOr<std::string> Replace(int writer, const std::string& expected) override {
      auto written =
          stores_.Commit(writer, Say("after " + expected, {{ItemOf("hull", "a", Number(1)), {}}}));
      if (!written.ok()) return std::move(written).status();
      if (written->replayed) return absl::AbortedError("a replay");
      return absl::StrCat(written->revision);
    }
    absl::StatusOr<std::string> Etag() override {
      auto head = stores_.second.Head(kForever);
      if (!head.ok()) return std::move(head).status();
      return absl::StrCat(*head);
    }

   private:
    TwoStores stores_;
  };
  SameRequest request({*store_, OtherStore()});

  EXPECT_EQ(EtagsSerialise(request, 2, 100), "");
  EXPECT_EQ(Head(), 100);
}

TEST_P(ConformanceTest, WhatOneHasWrittenTheOtherReads) {
  for (int i = 1; i <= 10; ++i) {
    EvidenceStore& writer = i % 2 == 0 ? *store_ : OtherStore();
    EvidenceStore& reader = i % 2 == 0 ? OtherStore() : *store_;
    const Write write = Say(absl::StrCat(i), {{ItemOf("hull", "a", Number(i)), {}}});
    const auto answers = writer.CommitGroup(std::span(&write, 1), kForever);
    ASSERT_TRUE(answers.ok()) << answers.status();

    EXPECT_EQ(Must(reader.Head(kForever)), i);
    const auto item = Must(reader.ReadItem({"hull", "2001-02", "a", ""}, i, kForever));
    ASSERT_TRUE(item.has_value());
    EXPECT_EQ(evidence::ToString(item->item.value), absl::StrCat(i));
  }
  EXPECT_EQ(store_->GetIdentity().store, OtherStore().GetIdentity().store);
}

}  // namespace
}  // namespace starratings::store
