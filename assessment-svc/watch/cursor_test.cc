#include "assessment-svc/watch/cursor.h"

#include <numeric>

#include "assessment-svc/watch/ring.h"
#include "assessment-svc/watch/watch_fixture.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::watch {
namespace {

using testing::ElementsAre;

// A part of `revision`: items `first` to `first` + `count` of organisations o0, o1, ...
SharedPart PartOf(int64_t revision, int64_t first, int64_t count, bool more) {
  store::LoggedRevision logged;
  logged.commit.revision = revision;
  logged.first = first;
  logged.more = more;
  for (int64_t i = first; i < first + count; ++i) {
    evidence::RecordedItem item;
    item.item = Draft(absl::StrCat("o", i), i).item;
    item.revision = revision;
    logged.items.push_back(std::move(item));
  }
  return std::make_shared<const Part>(std::move(logged));
}

Filter Only(const std::string& organisation) {
  Filter filter;
  filter.organisations = {organisation};
  return filter;
}

TEST(RingTest, LetsTheOldestGoButNeverTheNewest) {
  Ring ring(4, 1);
  EXPECT_EQ(ring.begin(), PlaceAfter(4));
  ASSERT_TRUE(ring.Append(PartOf(5, 0, 2, false)).ok());
  ASSERT_TRUE(ring.Append(PartOf(6, 0, 2, true)).ok());
  EXPECT_EQ(ring.begin(), (Place{6, 0}));
  EXPECT_EQ(ring.end(), (Place{6, 2}));
  EXPECT_EQ(ring.From({6, 1}, 9).size(), 1u);
  EXPECT_EQ(ring.From({6, 2}, 9).size(), 0u);
}

TEST(RingTest, RefusesAGap) {
  Ring ring(4, 1 << 20);
  EXPECT_TRUE(absl::IsDataLoss(ring.Append(PartOf(6, 0, 1, false))));
  ASSERT_TRUE(ring.Append(PartOf(5, 0, 2, true)).ok());
  EXPECT_TRUE(absl::IsDataLoss(ring.Append(PartOf(6, 0, 1, false))));
  EXPECT_TRUE(absl::IsDataLoss(ring.Append(PartOf(5, 1, 1, false))));
  EXPECT_EQ(status::DetailOf(ring.Append(PartOf(5, 3, 1, false))).reason, "STORE_CORRUPT");
  EXPECT_TRUE(ring.Append(PartOf(5, 2, 1, false)).ok());
}

TEST(CursorTest, BeginsInTheMidstOfAPart) {
  Cursor cursor({}, 0, Cursor::kNever);
  EXPECT_TRUE(cursor.Take(PartOf(1, 0, 2, true))->more);
  // Read from elsewhere, cut differently.
  const auto rest = cursor.Take(PartOf(1, 0, 4, false));
  ASSERT_TRUE(rest);
  EXPECT_THAT(rest->items, ElementsAre(2, 3));
  EXPECT_FALSE(rest->more);
  EXPECT_EQ(cursor.told(), 1);
  EXPECT_FALSE(cursor.Take(PartOf(1, 2, 2, false)));
}

TEST(CursorTest, ARevisionThatSaidMoreIsClosed) {
  Cursor cursor(Only("o1"), 0, Cursor::kNever);
  EXPECT_TRUE(cursor.Take(PartOf(1, 0, 2, true))->more);
  EXPECT_FALSE(cursor.OwesBookmark());
  EXPECT_TRUE(cursor.Skip(*PartOf(1, 2, 2, true)));
  EXPECT_FALSE(cursor.Skip(*PartOf(1, 4, 2, false)));
  const auto closing = cursor.Take(PartOf(1, 4, 2, false));
  ASSERT_TRUE(closing);
  EXPECT_TRUE(closing->items.empty());
  EXPECT_EQ(closing->revision, 1);
}

TEST(CursorTest, WhatTheFilterHidesOwesABookmark) {
  Cursor cursor(Only("o9"), 0, Cursor::kNever);
  EXPECT_TRUE(cursor.Skip(*PartOf(1, 0, 2, false)));
  EXPECT_EQ(cursor.told(), 0);
  EXPECT_TRUE(cursor.OwesBookmark());
  EXPECT_EQ(cursor.Bookmark().revision, 1);
  EXPECT_FALSE(cursor.OwesBookmark());
}

TEST(CursorTest, StopsAtItsEnd) {
  Cursor cursor({}, 0, 1);
  EXPECT_TRUE(cursor.Take(PartOf(1, 0, 2, false)));
  EXPECT_TRUE(cursor.AtEnd());
  EXPECT_FALSE(cursor.Take(PartOf(2, 0, 2, false)));
  EXPECT_FALSE(cursor.Skip(*PartOf(2, 0, 2, false)));
  EXPECT_TRUE(Cursor({}, 5, 3).AtEnd());
}

TEST(CursorTest, AMessageIsBoundedInBytes) {
  store::LoggedRevision logged;
  logged.commit.revision = 1;
  for (int i = 0; i < 900; ++i) {
    evidence::RecordedItem item;
    item.item = Draft("o", i).item;
    item.reason = std::string(2'000, 'r');
    logged.items.push_back(std::move(item));
  }
  const auto part = std::make_shared<const Part>(std::move(logged));
  Cursor cursor({}, 0, Cursor::kNever);
  std::vector<size_t> sizes;
  while (const auto message = cursor.Take(part)) {
    sizes.push_back(message->items.size());
    EXPECT_LT(sizes.back(), 530u);
    EXPECT_EQ(message->more, cursor.told() == 0);
  }
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), size_t{0}), 900u);
}

SharedPart ActPart(int64_t revision, std::vector<std::string> rounds, int items, bool more) {
  store::LoggedRevision logged;
  logged.commit.revision = revision;
  logged.kind = store::WriteKind::kRound;
  logged.rounds = std::move(rounds);
  logged.more = more;
  for (int i = 0; i < items; ++i) {
    evidence::RecordedItem item;
    item.item = Draft("o", i).item;
    logged.items.push_back(std::move(item));
  }
  return std::make_shared<const Part>(std::move(logged));
}

TEST(FilterTest, ActsOnRoundsAreToldWithoutItems) {
  Filter filter;
  filter.what = Filter::What::kRounds;
  filter.rounds = {"may"};
  Cursor cursor(filter, 0, Cursor::kNever);
  EXPECT_TRUE(cursor.Skip(*PartOf(1, 0, 3, false)));
  EXPECT_TRUE(cursor.Skip(*ActPart(2, {"june"}, 2, false)));
  // The first part of a large one says nothing yet.
  EXPECT_TRUE(cursor.Skip(*ActPart(3, {}, 2, true)));
  store::LoggedRevision rest;
  rest.commit.revision = 3;
  rest.first = 2;
  rest.rounds = {"june", "may"};
  const auto last = std::make_shared<const Part>(std::move(rest));
  EXPECT_FALSE(cursor.Skip(*last));

  const auto told = cursor.Take(last);

  ASSERT_TRUE(told);
  EXPECT_TRUE(told->items.empty());
  EXPECT_FALSE(told->more);
  EXPECT_EQ(told->revision, 3);
  EXPECT_EQ(cursor.told(), 3);
}

TEST(FilterTest, EveryConditionMustHold) {
  const SharedPart part = PartOf(1, 0, 1, false);
  const int bucket = part->BucketOf(0);
  const auto passes = [&part](const Filter& filter) { return filter.Passes(*part, 0); };

  EXPECT_TRUE(passes({}));
  EXPECT_TRUE(passes({{"o0"}, "p", {"a"}, bucket, bucket + 1}));
  EXPECT_FALSE(passes({{"o1"}, "p", {"a"}, bucket, bucket + 1}));
  EXPECT_FALSE(passes({{"o0"}, "q", {"a"}, bucket, bucket + 1}));
  EXPECT_FALSE(passes({{"o0"}, "p", {"b"}, bucket, bucket + 1}));
  EXPECT_FALSE(passes({{"o0"}, "p", {"a"}, 0, bucket}));
  EXPECT_FALSE(passes({{"o0"}, "p", {"a"}, bucket + 1, digest::kBuckets}));
}

}  // namespace
}  // namespace starratings::watch
