#include "rating-svc/service/record_round.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/service/service_fixture.h"

namespace starratings::service {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class RecordRoundTest : public RatingServiceTest {};

TEST_F(RecordRoundTest, RecordingNamesTheCallerAndSendsEveryRatingOnce) {
  AddMany(1'200);
  fake_.FreezeRound(digest_);
  Start();
  const auto recorded = Record("analyst");
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->etag(), "etag-rated");
  EXPECT_EQ(recorded->snapshot().revision(), 8);
  EXPECT_EQ(recorded->summary().round_digest(), RateRound().summary.round_digest());

  const auto records = fake_.asked().records;
  const auto& begin = records.front().begin();
  EXPECT_EQ(begin.round(), "r");
  EXPECT_EQ(begin.etag(), "etag-1");
  EXPECT_EQ(begin.on_behalf_of(), "analyst");
  EXPECT_EQ(begin.request_id(), "6f1c0a5e-0d3b-4b6e-9a55-2f8f3f1f9b11");
  std::set<std::string> organisations;
  for (size_t i = 1; i + 1 < records.size(); ++i) {
    EXPECT_EQ(records[i].chunk().number(), static_cast<int64_t>(i) - 1);
    EXPECT_LE(records[i].chunk().ratings_size(), 1'000);
    EXPECT_LE(records[i].ByteSizeLong(), (1u << 20) + 64);
    for (const auto& rating : records[i].chunk().ratings()) {
      EXPECT_FALSE(rating.has_trace());
      organisations.insert(rating.organisation());
    }
  }
  EXPECT_THAT(organisations, SizeIs(1'200));
  EXPECT_EQ(records.back().commit().count(), 1'200);
  EXPECT_EQ(records.back().commit().round_digest(), recorded->summary().round_digest());
}

TEST_F(RecordRoundTest, RecordingNeedsAnActorAndAFrozenRound) {
  AddMany(3);
  fake_.OpenRound("test", "1");
  Start();
  EXPECT_EQ(ReasonOf(Record("").status()), "ACTOR_REQUIRED");
  EXPECT_EQ(ReasonOf(Record().status()), "ROUND_NOT_FROZEN");
  EXPECT_THAT(fake_.asked().records, IsEmpty());
}

TEST_F(RecordRoundTest, WhatTheRecordObjectsToPasses) {
  AddMany(1'500);
  fake_.FreezeRound(digest_);
  fake_.faults.record_status =
      status::Error(absl::StatusCode::kAborted, "ETAG_MISMATCH", "read again", {{"etag", "2"}});
  Start();
  const auto recorded = Record();
  EXPECT_EQ(recorded.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status::DetailOf(recorded.status()).metadata.at("etag"), "2");
}

TEST_F(RecordRoundTest, AnAnswerOfAnEarlierAttemptIsTheAnswer) {
  AddMany(2'500);
  fake_.FreezeRound(digest_);
  Start();
  fake_.faults.earlier_digest = RateRound().summary.round_digest();
  const auto recorded = Record();
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->etag(), "etag-rated");
  EXPECT_EQ(recorded->summary().count(), 2'500);
  fake_.faults.earlier_digest = std::string(64, '0');
  EXPECT_EQ(ReasonOf(Record().status()), "ROUND_DIGEST_MISMATCH");
}

TEST_F(RecordRoundTest, AHalfExportIsNeverCommitted) {
  AddMany(30);
  fake_.FreezeRound(digest_);
  fake_.faults.one_short = true;
  Start();
  EXPECT_EQ(Record().status().code(), absl::StatusCode::kDataLoss);
  for (const auto& request : fake_.asked().records) EXPECT_FALSE(request.has_commit());
}

}  // namespace
}  // namespace starratings::service
