// The shards of a round add up to it; anything else is no round.
#include "starctl/tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using rating::v1::Rating;
using rating::v1::Summary;
using testing::HasSubstr;

std::vector<Rating> Ratings(int count) {
  std::vector<Rating> ratings;
  for (int i = 0; i < count; ++i) {
    Rating& rating = ratings.emplace_back();
    rating.set_organisation(absl::StrCat("o", i));
    rating.set_digest(digest::ToHex(digest::Sha256(absl::StrCat("rating ", i))));
    auto& stars = *rating.add_results();
    stars.set_id("stars");
    if (i % 4 == 3) {
      stars.mutable_not_rated()->set_reason("STALE");
    } else {
      stars.set_level(absl::StrCat(i % 4));
    }
    auto& decision = *rating.add_decisions();
    decision.set_id("list");
    decision.set_move(i % 2 == 0 ? rating::v1::MOVE_NONE : rating::v1::MOVE_ENTERED);
  }
  std::sort(ratings.begin(), ratings.end(), [](const Rating& a, const Rating& b) {
    return std::make_pair(digest::BucketOf(a.organisation()), a.organisation()) <
           std::make_pair(digest::BucketOf(b.organisation()), b.organisation());
  });
  return ratings;
}

// What `count` shards of them come to, as a service would say.
std::vector<Part> Shards(const std::vector<Rating>& ratings, int count) {
  std::vector<Part> parts;
  for (int i = 0; i < count; ++i) {
    const auto [first, end] = digest::BucketsOfShard(i, count);
    Tally tally;
    for (const Rating& rating : ratings) {
      const int bucket = digest::BucketOf(rating.organisation());
      if (bucket < first || bucket >= end) continue;
      EXPECT_TRUE(tally.Add(rating).ok());
    }
    Summary summary = tally.Finish();
    summary.clear_round_digest();
    summary.mutable_shard()->set_index(i);
    summary.mutable_shard()->set_count(count);
    summary.set_round("r");
    summary.set_total(static_cast<int64_t>(ratings.size()));
    summary.mutable_scheme()->set_digest("d");
    if (summary.count() > 0) {
      summary.mutable_snapshot()->set_revision(7);
      summary.mutable_snapshot()->set_token("t7");
    }
    parts.push_back({absl::StrCat("part-", i), summary});
  }
  return parts;
}

Summary Whole(const std::vector<Rating>& ratings) {
  Tally tally;
  for (const Rating& rating : ratings) EXPECT_TRUE(tally.Add(rating).ok());
  return tally.Finish();
}

std::string Refused(const std::vector<Part>& parts) {
  const auto sum = AddUp(parts);
  EXPECT_FALSE(sum.ok());
  EXPECT_EQ(ExitCodeOf(sum.status()), ExitCode::kBadFile);
  return std::string(sum.status().message());
}

std::string CountOf(const Summary& summary, const std::string& level) {
  for (const auto& tally : summary.tallies()) {
    if (tally.level() == level) return absl::StrCat(tally.count());
  }
  return "none";
}

TEST(TallyTest, ShardsAddUpToTheRoundInAnyOrder) {
  const std::vector<Rating> ratings = Ratings(200);
  for (const int count : {1, 2, 7, 1000}) {
    std::vector<Part> parts = Shards(ratings, count);
    std::reverse(parts.begin(), parts.end());
    const auto sum = AddUp(parts);
    ASSERT_TRUE(sum.ok()) << sum.status();
    EXPECT_EQ(sum->round_digest(), Whole(ratings).round_digest());
    EXPECT_EQ(sum->count(), 200);
    for (const char* level : {"0", "1", "2", ""}) EXPECT_EQ(CountOf(*sum, level), "50");
    ASSERT_EQ(sum->moves_size(), 2);
    EXPECT_EQ(sum->moves(0).count(), 100);
    EXPECT_EQ(sum->snapshot().revision(), 7);
  }
}

TEST(TallyTest, PartsThatAreNotTheRoundAreRefusedByName) {
  const std::vector<Rating> ratings = Ratings(200);
  std::vector<Part> parts = Shards(ratings, 4);
  std::vector<Part> changed = parts;
  changed.erase(changed.begin() + 2);
  EXPECT_THAT(Refused(changed), HasSubstr("shard 2 of 4 is missing"));
  changed = parts;
  changed.pop_back();
  EXPECT_THAT(Refused(changed), HasSubstr("shard 3 of 4 is missing"));
  changed = parts;
  changed.push_back({"again", parts[1].summary});
  EXPECT_THAT(Refused(changed), HasSubstr("again: is shard 1, as part-1 is"));
  changed = parts;
  changed[1].summary.mutable_shard()->set_count(5);
  EXPECT_THAT(Refused(changed), HasSubstr("part-1"));
  changed = parts;
  changed[1].summary.clear_shard();
  EXPECT_THAT(Refused(changed), HasSubstr("has no shard"));
}

TEST(TallyTest, PartsOfDifferentRoundsSchemesOrRevisionsAreRefused) {
  std::vector<Part> parts = Shards(Ratings(200), 2);
  std::vector<Part> changed = parts;
  changed[1].summary.set_round("s");
  EXPECT_THAT(Refused(changed), HasSubstr("another round"));
  changed = parts;
  changed[1].summary.mutable_scheme()->set_digest("e");
  EXPECT_THAT(Refused(changed), HasSubstr("another scheme"));
  changed = parts;
  changed[1].summary.mutable_snapshot()->set_token("t8");
  EXPECT_THAT(Refused(changed), HasSubstr("another revision"));
}

TEST(TallyTest, APartThatLostOrGainedOrganisationsIsRefused) {
  std::vector<Part> parts = Shards(Ratings(200), 2);
  std::vector<Part> changed = parts;
  changed[0].summary.set_count(changed[0].summary.count() - 1);
  EXPECT_THAT(Refused(changed), HasSubstr("have 199 organisations, and the round 200"));
  changed = parts;
  changed[1].summary.mutable_buckets(0)->set_bucket(3);
  EXPECT_THAT(Refused(changed), HasSubstr("part-1: has a bucket that is not its shard's"));
}

TEST(TallyTest, RatingsOutOfOrderAreNoRound) {
  std::vector<Rating> ratings = Ratings(3);
  Tally tally;
  ASSERT_TRUE(tally.Add(ratings[1]).ok());
  EXPECT_EQ(tally.Add(ratings[1]).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(tally.Add(ratings[0]).code(), absl::StatusCode::kDataLoss);
  ratings[2].clear_digest();
  EXPECT_EQ(tally.Add(ratings[2]).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace starratings::starctl
