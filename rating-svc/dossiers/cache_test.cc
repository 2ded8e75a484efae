// The cache against a feed of the tests' own: it never says what is no longer
// so at the moment that it names, whatever happens while a read is under way.
#include "rating-svc/dossiers/cache.h"

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::dossiers {
namespace {

using Outcome = DossierCache::Outcome;

constexpr char kPeriod[] = "2001-02";
const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

Moment At(int64_t revision, const std::string& record = "store/1") {
  return {record, revision, "token " + std::to_string(revision)};
}

// A dossier that says by its only item's revision when it was changed last.
DossierPtr Dossier(const std::string& organisation, int64_t changed, size_t room = 0,
                   const std::string& period = kPeriod) {
  evidence::Dossier dossier;
  dossier.organisation.id = organisation;
  dossier.organisation.name = std::string(room, 'x');
  dossier.period = period;
  dossier.items.emplace_back().revision = changed;
  dossier.items.back().item.source = std::make_shared<const evidence::Source>();
  return std::make_shared<const evidence::Dossier>(std::move(dossier));
}

// What tests ask for, and keep answers to.
constexpr char kQuestion[] = "stars?";

AnswerPtr Answer(int stars) { return std::make_shared<const int>(stars); }

class CacheTest : public testing::Test {
 protected:
  void Begin(int64_t revision) {
    cache_.Begin(At(revision));
    cache_.Confirm("store/1", revision, kNow);
  }

  Outcome Find(const std::string& organisation, std::optional<Moment> at_least = std::nullopt,
               absl::Time now = kNow) {
    found_ = {};
    return cache_.Find(organisation, kPeriod, at_least, now, kQuestion, found_);
  }

  DossierCache cache_{CacheLimits{}};
  DossierCache::Found found_;
};

TEST_F(CacheTest, WhatWasKeptIsFoundAtTheRevisionThatTheWatchHasReached) {
  Begin(5);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 3), At(5));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.at.revision, 5);
  EXPECT_EQ(found_.dossier->items[0].revision, 3);
  cache_.Touched("b", 6);
  cache_.Reached(At(6), 0);
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.at.revision, 6);
  EXPECT_EQ(found_.at.token, "token 6");
}

TEST_F(CacheTest, AnAnswerComesWithTheDossierThatItWasMadeOf) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.answer, nullptr);
  const DossierPtr first = found_.dossier;
  cache_.KeepAnswer(first, "another?", Answer(1), 10);
  cache_.KeepAnswer(first, kQuestion, Answer(2), 10);
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(*static_cast<const int*>(found_.answer.get()), 2);
  // Evidence that has changed takes it along, also where it is kept too late.
  cache_.Touched("a", 6);
  cache_.Reached(At(6), 0);
  cache_.Keep(Dossier("a", 6), At(6));
  cache_.KeepAnswer(first, kQuestion, Answer(2), 10);
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.answer, nullptr);
}

TEST_F(CacheTest, AnswersAreFewAndCounted) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  const size_t before = cache_.size().bytes;
  for (int i = 0; i < 10; ++i) {
    cache_.KeepAnswer(found_.dossier, std::to_string(i), Answer(i), 1'000);
  }
  EXPECT_GE(cache_.size().bytes, before + DossierCache::kAnswersMost * 1'000);
  EXPECT_LE(cache_.size().bytes, before + DossierCache::kAnswersMost * 1'200);
  cache_.Touched("a", 6);
  EXPECT_EQ(cache_.size().bytes, 0u);
}

TEST_F(CacheTest, AnAnswerBeyondAllRoomTakesItsDossierWithIt) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  cache_.KeepAnswer(found_.dossier, kQuestion, Answer(1), CacheLimits{}.bytes_most);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  EXPECT_EQ(cache_.size().bytes, 0u);
}

TEST_F(CacheTest, AnotherPeriodIsAnotherDossier) {
  Begin(5);
  cache_.Keep(Dossier("a", 3, 0, "2000-01"), At(5));
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 4), At(5));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.dossier->period, kPeriod);
}

TEST_F(CacheTest, WhatIsTouchedIsDroppedAtOnce) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  cache_.Touched("a", 6);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Reached(At(6), 0);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
}

TEST_F(CacheTest, AReadThatSawTheChangeIsKeptAndOneThatDidNotIsNot) {
  Begin(5);
  cache_.Touched("a", 7);
  cache_.Reached(At(7), 0);
  cache_.Keep(Dossier("a", 3), At(6));  // Was under way for long.
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 7), At(7));
  EXPECT_EQ(Find("a"), Outcome::kHit);
}

TEST_F(CacheTest, AReadAheadOfTheWatchSurvivesTheChangeThatItSaw) {
  Begin(5);
  cache_.Keep(Dossier("a", 7), At(8));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.at.revision, 8);
  cache_.Touched("a", 7);
  cache_.Reached(At(7), 0);
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.at.revision, 8);
  cache_.Touched("a", 9);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
}

TEST_F(CacheTest, AnOlderReadDoesNotReplaceANewerOne) {
  Begin(5);
  cache_.Keep(Dossier("a", 7), At(7));
  cache_.Keep(Dossier("a", 4), At(6));
  ASSERT_EQ(Find("a"), Outcome::kHit);
  EXPECT_EQ(found_.dossier->items[0].revision, 7);
}

TEST_F(CacheTest, WritersReadWhatTheyWrote) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(Find("a", At(5)), Outcome::kHit);
  EXPECT_EQ(Find("a", At(6)), Outcome::kBehind);
  EXPECT_EQ(Find("b", At(6)), Outcome::kBehind);
  cache_.Reached(At(6), 0);
  EXPECT_EQ(Find("a", At(6)), Outcome::kHit);
  EXPECT_EQ(Find("a", At(6, "store/2")), Outcome::kBehind);
  EXPECT_EQ(Find("a", At(5, "another/1")), Outcome::kBehind);
}

TEST_F(CacheTest, AChangedRegisterDropsEverybody) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  cache_.Keep(Dossier("b", 3), At(7));
  cache_.Reached(At(7), 6);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  EXPECT_EQ(Find("b"), Outcome::kHit);
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 3), At(6));
  EXPECT_EQ(Find("a"), Outcome::kHit);
}

TEST_F(CacheTest, WithoutAWatchThereIsNoAnswer) {
  EXPECT_EQ(Find("a"), Outcome::kBehind);
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(cache_.size().organisations, 0);
  Begin(5);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(Find("a"), Outcome::kHit);
  cache_.Lose();
  EXPECT_EQ(Find("a"), Outcome::kBehind);
  EXPECT_EQ(cache_.size().bytes, 0);
  Begin(9);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 3), At(8));  // From before the watch: changes may be missed.
  EXPECT_EQ(Find("a"), Outcome::kMiss);
}

TEST_F(CacheTest, AReadFromBeforeARestoreIsNotKept) {
  Begin(5);
  cache_.Lose();
  cache_.Begin(At(5, "store/2"));
  cache_.Confirm("store/2", 5, kNow);
  cache_.Keep(Dossier("a", 3), At(6));
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  cache_.Keep(Dossier("a", 3), At(6, "store/2"));
  EXPECT_EQ(Find("a"), Outcome::kHit);
}

TEST_F(CacheTest, WhoHasHeardOfAnotherRecordBelievesNothingThatWasKept) {
  Begin(5);
  cache_.Keep(Dossier("a", 5), At(5));
  ASSERT_EQ(Find("a", At(5)), Outcome::kHit);

  cache_.Keep(Dossier("b", 1), At(6, "store/2"));

  EXPECT_EQ(Find("a", At(5)), Outcome::kMiss);
  EXPECT_EQ(Find("a"), Outcome::kMiss);
  EXPECT_EQ(Find("b"), Outcome::kMiss);
  // If it was the read that came late, nothing is lost but what was kept.
  cache_.Keep(Dossier("a", 5), At(5));
  EXPECT_EQ(Find("a"), Outcome::kHit);
}

TEST_F(CacheTest, AnAnswerIsNeverOlderThanItMayBe) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(Find("a", std::nullopt, kNow + absl::Seconds(5)), Outcome::kHit);
  EXPECT_EQ(Find("a", std::nullopt, kNow + absl::Milliseconds(5'001)), Outcome::kBehind);
  cache_.Confirm("store/1", 5, kNow + absl::Seconds(3));
  EXPECT_EQ(Find("a", std::nullopt, kNow + absl::Seconds(8)), Outcome::kHit);
}

TEST_F(CacheTest, AWatchThatIsBehindConfirmsNothingUntilItHasCaughtUp) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  const absl::Time later = kNow + absl::Seconds(6);
  cache_.Confirm("store/1", 7, later);
  EXPECT_EQ(Find("a", std::nullopt, later), Outcome::kBehind);
  cache_.Reached(At(6), 0);
  EXPECT_EQ(Find("a", std::nullopt, later), Outcome::kBehind);
  cache_.Reached(At(7), 0);
  EXPECT_EQ(Find("a", std::nullopt, later), Outcome::kHit);
  EXPECT_EQ(Find("a", std::nullopt, later + absl::Seconds(6)), Outcome::kBehind);
}

TEST_F(CacheTest, AWatchOfWhichNothingWasConfirmedDoesNotAnswer) {
  cache_.Begin(At(5));
  cache_.Keep(Dossier("a", 3), At(5));
  EXPECT_EQ(Find("a"), Outcome::kBehind);
  cache_.Confirm("another/1", 5, kNow);
  EXPECT_EQ(Find("a"), Outcome::kBehind);
  cache_.Confirm("store/1", 5, kNow);
  EXPECT_EQ(Find("a"), Outcome::kHit);
}

TEST_F(CacheTest, AWatchThatGoesBackIsNotBelieved) {
  Begin(5);
  cache_.Keep(Dossier("a", 3), At(5));
  cache_.Reached(At(4), 0);
  EXPECT_EQ(Find("a"), Outcome::kBehind);
}

TEST(CacheBoundsTest, TheOneUsedLongestAgoGoesFirstAndBytesAreBounded) {
  const size_t one = BytesOf(*Dossier("a", 1, 10'000));
  EXPECT_GT(one, 10'000u);
  DossierCache cache({.bytes_most = 3 * one + 100});
  cache.Begin(At(1));
  cache.Confirm("store/1", 1, kNow);
  DossierCache::Found found;
  for (const char* id : {"a", "b", "c"}) cache.Keep(Dossier(id, 1, 10'000), At(1));
  EXPECT_EQ(cache.Find("a", kPeriod, std::nullopt, kNow, "", found), Outcome::kHit);
  cache.Keep(Dossier("d", 1, 10'000), At(1));
  EXPECT_EQ(cache.Find("b", kPeriod, std::nullopt, kNow, "", found), Outcome::kMiss);
  for (const char* id : {"a", "c", "d"}) {
    EXPECT_EQ(cache.Find(id, kPeriod, std::nullopt, kNow, "", found), Outcome::kHit) << id;
  }
  EXPECT_LE(cache.size().bytes, 3 * one + 100);
  cache.Keep(Dossier("huge", 1, 4 * one), At(1));
  EXPECT_EQ(cache.Find("huge", kPeriod, std::nullopt, kNow, "", found), Outcome::kMiss);
  EXPECT_EQ(cache.size().organisations, 3u);
  for (const char* id : {"a", "c", "d"}) cache.Touched(id, 2);
  EXPECT_EQ(cache.size().bytes, 0u);
}

TEST(CacheBoundsTest, ForgettingWhoWasTouchedForgetsNoChange) {
  DossierCache cache({.touched_most = 10});
  cache.Begin(At(1));
  cache.Confirm("store/1", 1, kNow);
  cache.Touched("a", 2);
  for (int i = 3; i < 50; ++i) {
    cache.Touched("o" + std::to_string(i), i);
    cache.Reached(At(i), 0);
  }
  cache.Keep(Dossier("a", 1), At(1));  // Began before revision 2.
  DossierCache::Found found;
  EXPECT_EQ(cache.Find("a", kPeriod, std::nullopt, kNow, "", found), Outcome::kMiss);
  cache.Keep(Dossier("a", 2), At(49));
  EXPECT_EQ(cache.Find("a", kPeriod, std::nullopt, kNow, "", found), Outcome::kHit);
}

// A record whose only truth is when each organisation was changed last, and its
// feed, which may be late.
TEST(CacheRaceTest, NoAnswerIsEverOlderThanTheMomentThatItNames) {
  DossierCache cache({.bytes_most = 8'000, .touched_most = 4});
  std::mutex mutex;
  std::vector<int> log;  // Whom revision i + 1 changed.
  const auto changed = [&log](int organisation, int64_t upto) {
    for (int64_t i = upto; i > 0; --i) {
      if (log[static_cast<size_t>(i - 1)] == organisation) return i;
    }
    return int64_t{0};
  };
  std::atomic<bool> over = false;
  std::atomic<int> hits = 0;
  std::thread feed([&] {
    std::mt19937 random(1);
    cache.Begin(At(0));
    cache.Confirm("store/1", 0, kNow);
    int64_t told = 0;
    // Until enough was seen, whoever runs first.
    for (int i = 0; i < 1'000'000 && (told < 3'000 || hits < 500); ++i) {
      if (i % 16 == 0) std::this_thread::yield();
      int64_t head = 0;
      std::vector<int> news;
      {
        const std::lock_guard lock(mutex);
        log.push_back(static_cast<int>(random() % 8));
        head = static_cast<int64_t>(log.size());
        if (random() % 3 == 0) news.assign(log.begin() + told, log.end());
      }
      for (const int organisation : news) {
        cache.Touched(std::to_string(organisation), ++told);
        if (random() % 2 == 0) cache.Reached(At(told), 0);
      }
      if (!news.empty()) cache.Reached(At(told), random() % 50 == 0 ? told : 0);
      if (random() % 500 == 0) {
        cache.Lose();
        cache.Begin(At(head));
        cache.Confirm("store/1", head, kNow);
        told = head;
      }
    }
    over = true;
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937 random(static_cast<unsigned>(reader) + 7);
      while (!over) {
        const int organisation = static_cast<int>(random() % 8);
        const std::string id = std::to_string(organisation);
        DossierCache::Found found;
        if (cache.Find(id, kPeriod, std::nullopt, kNow, "", found) == Outcome::kHit) {
          ++hits;
          const std::lock_guard lock(mutex);
          ASSERT_EQ(found.dossier->items[0].revision, changed(organisation, found.at.revision));
          continue;
        }
        Moment at;
        DossierPtr dossier;
        {
          const std::lock_guard lock(mutex);
          at = At(static_cast<int64_t>(log.size()));
          dossier = Dossier(id, changed(organisation, at.revision), 100);
        }
        if (random() % 4 == 0) std::this_thread::yield();
        cache.Keep(std::move(dossier), at);
      }
    });
  }
  feed.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(hits, 100);
}

}  // namespace
}  // namespace starratings::dossiers
