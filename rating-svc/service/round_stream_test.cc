#include "rating-svc/service/round_stream.h"

#include <array>
#include <functional>
#include <thread>

#include "absl/time/clock.h"
#include "common/digest/bucket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "rating-svc/service/service_fixture.h"

namespace starratings::service {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RateRoundTest : public RatingServiceTest {};

TEST_F(RateRoundTest, ARoundIsStreamedInOrderAndSummedUp) {
  AddMany(500);
  fake_.block_size = 333;
  fake_.FreezeRound(digest_);
  Start();
  const Streamed streamed = RateRound();
  ASSERT_TRUE(streamed.status.ok()) << streamed.status;
  ASSERT_THAT(streamed.ratings, SizeIs(500));
  digest::RoundDigester digester;
  for (const auto& rating : streamed.ratings) {  // Asserts the order.
    digester.Add(rating.organisation(), *digest::FromHex(rating.digest()));
  }
  EXPECT_EQ(streamed.summary.round_digest(), digest::ToHex(digester.Finish()));
  EXPECT_EQ(streamed.summary.count(), 500);
  EXPECT_EQ(streamed.summary.snapshot().revision(), 7);
  EXPECT_EQ(streamed.summary.scheme().digest(), digest_);

  std::vector<std::string> tallies;
  for (const auto& tally : streamed.summary.tallies()) {
    tallies.push_back(
        absl::StrCat(tally.result(), " ", tally.level(), tally.not_rated(), " ", tally.count()));
  }
  EXPECT_THAT(tallies,
              ElementsAre("stars 2 125", "stars 1 125", "stars 0 125", "stars NOT_REPORTED 125"));
  ASSERT_THAT(streamed.summary.moves(), SizeIs(2));
  EXPECT_EQ(streamed.summary.moves(0).move(), rating::v1::MOVE_NONE);
  EXPECT_EQ(streamed.summary.moves(1).move(), rating::v1::MOVE_ENTERED);
  EXPECT_EQ(streamed.summary.moves(1).count(), 125);

  // 333 and 167 dossiers in messages of up to 200, and the summary.
  std::vector<int64_t> done;
  for (const auto& message : streamed.messages) {
    EXPECT_EQ(message.total(), 500);
    done.push_back(message.done());
  }
  EXPECT_THAT(done, ElementsAre(200, 333, 500, 500));
}

// The digests of buckets that came, as values.
std::vector<digest::BucketDigest> BucketsOf(const rating::v1::Summary& summary) {
  std::vector<digest::BucketDigest> buckets;
  for (const auto& bucket : summary.buckets()) {
    buckets.push_back({bucket.bucket(), *digest::FromHex(bucket.digest())});
  }
  return buckets;
}

TEST_F(RateRoundTest, ShardsAddUpToTheSameRound) {
  AddMany(500);
  fake_.FreezeRound(digest_);
  Start();
  const Streamed whole = RateRound();
  EXPECT_THAT(whole.summary.buckets(), IsEmpty());
  for (const int count : {1, 3, 8}) {
    std::vector<digest::BucketDigest> buckets;
    std::vector<std::string> ratings;
    for (int i = 0; i < count; ++i) {
      rating::v1::RateRoundRequest request;
      request.set_round("r");
      request.mutable_shard()->set_index(i);
      request.mutable_shard()->set_count(count);
      const Streamed part = RateRound(request);
      ASSERT_TRUE(part.status.ok()) << part.status;
      EXPECT_EQ(part.summary.round_digest(), "");
      EXPECT_EQ(part.summary.total(), 500);
      EXPECT_EQ(part.summary.shard().index(), i);
      EXPECT_EQ(part.summary.count(), static_cast<int64_t>(part.ratings.size()));
      for (const digest::BucketDigest& bucket : BucketsOf(part.summary)) buckets.push_back(bucket);
      for (const auto& rating : part.ratings) ratings.push_back(rating.SerializeAsString());
    }
    EXPECT_EQ(digest::ToHex(digest::RoundDigest(buckets)), whole.summary.round_digest());
    ASSERT_THAT(ratings, SizeIs(500));
    for (size_t i = 0; i < 500; ++i) EXPECT_EQ(ratings[i], whole.ratings[i].SerializeAsString());
  }
}

TEST_F(RateRoundTest, AStreamGoesOnAfterItsCursor) {
  AddMany(700);
  fake_.block_size = 300;
  fake_.FreezeRound(digest_);
  Start();
  const Streamed whole = RateRound();
  // Of each message that has ratings.
  ASSERT_GT(whole.messages.size(), 3);
  size_t before = 0;
  for (const auto& message : whole.messages) {
    if (!message.has_ratings()) continue;
    before += static_cast<size_t>(message.ratings().ratings_size());
    EXPECT_EQ(message.cursor().organisation(), whole.ratings[before - 1].organisation());
    rating::v1::RateRoundRequest request;
    request.set_round("r");
    *request.mutable_resume_after() = message.cursor();
    const Streamed rest = RateRound(request);
    ASSERT_TRUE(rest.status.ok()) << rest.status;
    ASSERT_EQ(rest.ratings.size(), whole.ratings.size() - before);
    for (size_t i = 0; i < rest.ratings.size(); ++i) {
      EXPECT_EQ(rest.ratings[i].SerializeAsString(), whole.ratings[before + i].SerializeAsString());
    }
    EXPECT_EQ(rest.summary.round_digest(), "");
    for (const auto& bucket : rest.summary.buckets()) {
      EXPECT_GT(bucket.bucket(), message.cursor().bucket());
    }
  }
}

TEST_F(RateRoundTest, CompactRatingsHaveTheSameDigests) {
  AddMany(20);
  fake_.FreezeRound(digest_);
  Start();
  const Streamed whole = RateRound();
  rating::v1::RateRoundRequest request;
  request.set_round("r");
  request.set_compact(true);
  const Streamed compact = RateRound(request);
  EXPECT_EQ(compact.summary.SerializeAsString(), whole.summary.SerializeAsString());
  ASSERT_THAT(compact.ratings, SizeIs(20));
  for (size_t i = 0; i < 20; ++i) {
    rating::v1::Rating left = whole.ratings[i];
    left.clear_name();
    left.clear_period();
    left.clear_scheme();
    left.clear_snapshot();
    left.clear_consequences();
    EXPECT_EQ(compact.ratings[i].SerializeAsString(), left.SerializeAsString());
  }
}

TEST_F(RateRoundTest, APartThatMakesNoSenseIsRefusedByField) {
  AddMany(10);
  fake_.FreezeRound(digest_);
  Start();
  const auto fields = [this](const std::function<void(rating::v1::RateRoundRequest&)>& set) {
    rating::v1::RateRoundRequest request;
    request.set_round("r");
    set(request);
    return FieldsOf(RateRound(request).status);
  };
  EXPECT_THAT(fields([](auto& request) { request.mutable_shard(); }), ElementsAre("shard.count"));
  EXPECT_THAT(fields([](auto& request) {
                request.mutable_shard()->set_count(3);
                request.mutable_shard()->set_index(3);
              }),
              ElementsAre("shard.index"));
  EXPECT_THAT(fields([](auto& request) { request.mutable_resume_after(); }),
              ElementsAre("resume_after.organisation"));
  const auto after = [](rating::v1::RateRoundRequest& request, int bucket) {
    request.mutable_resume_after()->set_organisation("o");
    request.mutable_resume_after()->set_bucket(bucket);
  };
  const int bucket = digest::BucketOf("o");
  EXPECT_THAT(fields([&](auto& request) { after(request, bucket + 1); }),
              ElementsAre("resume_after.bucket"));
  EXPECT_THAT(fields([&](auto& request) {
                after(request, bucket);
                request.mutable_shard()->set_count(2);
                request.mutable_shard()->set_index(bucket < digest::kBuckets / 2 ? 1 : 0);
              }),
              ElementsAre("resume_after"));
  EXPECT_THAT(fields([](auto& request) {
                request.set_compact(true);
                request.set_trace(rating::v1::TRACE_DETAIL_FULL);
              }),
              ElementsAre("compact"));
}

TEST_F(RateRoundTest, OneOfARoundIsRatedAsInTheRound) {
  AddMany(20);
  fake_.FreezeRound(digest_);
  Start();
  for (const auto& rating : RateRound().ratings) {
    const auto alone = Rate(ByRound(rating.organisation()));
    ASSERT_TRUE(alone.ok()) << alone.status();
    EXPECT_EQ(alone->SerializeAsString(), rating.SerializeAsString());
  }
}

TEST_F(RateRoundTest, ARoundOfNobodyHasASummaryToo) {
  fake_.OpenRound("test", "1");
  Start();
  const Streamed streamed = RateRound();
  ASSERT_TRUE(streamed.status.ok()) << streamed.status;
  EXPECT_EQ(streamed.summary.count(), 0);
}

TEST_F(RateRoundTest, AnExportThatIsNotWholeIsNoRound) {
  AddMany(50);
  fake_.FreezeRound(digest_);
  Start();
  fake_.faults.out_of_order = true;
  EXPECT_EQ(RateRound().status.code(), absl::StatusCode::kDataLoss);
  fake_.faults.out_of_order = false;
  fake_.faults.one_short = true;
  EXPECT_EQ(RateRound().status.code(), absl::StatusCode::kDataLoss);
  fake_.faults.one_short = false;
  fake_.faults.export_status =
      status::Error(absl::StatusCode::kResourceExhausted, "BUSY", "try again");
  EXPECT_EQ(ReasonOf(RateRound().status), "BUSY");
}

TEST_F(RateRoundTest, ARoundThatIsNotThereIsTheRecordsError) {
  Start();
  EXPECT_EQ(ReasonOf(RateRound("2002-05").status), "ROUND_NOT_FOUND");
  EXPECT_THAT(FieldsOf(RateRound("Not A Round").status), ElementsAre("round"));
}

TEST_F(RateRoundTest, ACallerWhoGoesEndsTheExport) {
  AddMany(10);
  fake_.FreezeRound(digest_);
  fake_.faults.endless = true;
  Start(true, {.rounds_most = 1});
  grpc::ClientContext context;
  rating::v1::RateRoundRequest request;
  request.set_round("r");
  const auto reader = stub_->RateRound(&context, request);
  rating::v1::RateRoundResponse message;
  ASSERT_TRUE(reader->Read(&message));
  // While it runs no other may.
  EXPECT_EQ(ReasonOf(RateRound().status), "TOO_MANY_CALLS");
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (fake_.asked().cancelled_exports == 0) absl::SleepFor(absl::Milliseconds(1));
  fake_.faults.endless = false;
  Streamed next = RateRound();
  // The server may learn of the end a moment after the client.
  for (int i = 0; i < 1'000 && !next.status.ok(); ++i) {
    absl::SleepFor(absl::Milliseconds(5));
    next = RateRound();
  }
  EXPECT_TRUE(next.status.ok()) << next.status;
}

TEST_F(RateRoundTest, ManyRoundsAtOnceAreEachWhole) {
  AddMany(300);
  fake_.block_size = 7;
  fake_.FreezeRound(digest_);
  Start(true, {.rounds_most = 8});
  std::vector<std::thread> callers;
  std::array<std::string, 8> digests;
  for (std::string& digest : digests) {
    callers.emplace_back([this, &digest] { digest = RateRound().summary.round_digest(); });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(digests, Each(digests[0]));
  EXPECT_THAT(digests[0], SizeIs(64));
}

TEST_F(RateRoundTest, ASchemeThatIsNotAtHandComesFromTheRecordOnce) {
  AddMany(10);
  fake_.FreezeRound(digest_);
  fake_.scheme_texts[digest_] = SchemeText();
  Start();
  const std::string at_hand = RateRound().summary.round_digest();
  EXPECT_THAT(fake_.asked().schemes, IsEmpty());

  server_->Shutdown();
  server_.reset();
  Start(/*scheme_at_hand=*/false);
  EXPECT_EQ(RateRound().summary.round_digest(), at_hand);
  EXPECT_EQ(RateRound().summary.round_digest(), at_hand);
  EXPECT_THAT(fake_.asked().schemes, ElementsAre(digest_));
}

TEST_F(RateRoundTest, RatingsAreCounted) {
  AddMany(40);
  fake_.FreezeRound(digest_);
  Start();
  ASSERT_TRUE(RateRound().status.ok());
  const std::string text = prometheus::TextSerializer().Serialize(registry_.Collect());
  EXPECT_THAT(text, HasSubstr(R"(rating_decisions_total{scheme="test@1",stars="2"} 10)"));
  EXPECT_THAT(text, HasSubstr(R"(rating_not_rated_total{reason="NOT_REPORTED"} 10)"));
  EXPECT_THAT(text, HasSubstr(R"(rating_special_measures_moves_total{move="ENTERED"} 10)"));
}

}  // namespace
}  // namespace starratings::service
