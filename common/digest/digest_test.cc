#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/digest/bucket.h"
#include "common/digest/canonical.h"
#include "common/digest/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::digest {
namespace {

std::string Hex(const CanonicalWriter& writer) { return absl::BytesToHexString(writer.bytes()); }

TEST(Sha256Test, AgreesWithTheStandard) {
  // FIPS 180-4, example "abc".
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(ToHex(Sha256("abc")), abc);
  Sha256Hasher hasher;
  hasher.Add("a");
  hasher.AddNumber(0x6263, 2);
  EXPECT_EQ(ToHex(hasher.Finish()), abc);
  EXPECT_EQ(*FromHex(abc), Sha256("abc"));
  EXPECT_FALSE(FromHex(abc.substr(1)).ok());
  EXPECT_FALSE(FromHex("BA" + abc.substr(2)).ok());
}

TEST(CanonicalTest, DefaultsAreLeftOutUnlessTheirPresenceSaysSomething) {
  CanonicalWriter writer;
  writer.Number(1, 0);
  writer.String(2, "");
  writer.Bool(3, false);
  EXPECT_EQ(Hex(writer), "");
  writer.Bool(4, false, Presence::kExplicit);
  writer.String(5, "", Presence::kExplicit);
  writer.Message(6, [](CanonicalWriter&) {});
  EXPECT_EQ(Hex(writer), "20002a003200");
}

TEST(CanonicalTest, NumbersAreVarints) {
  CanonicalWriter writer;
  writer.Number(1, 300);
  writer.Number(2, -1);
  EXPECT_EQ(Hex(writer),
            "08ac02"
            "10ffffffffffffffffff01");
}

TEST(CanonicalDeathTest, FieldsOutOfOrderAreAMistake) {
  CanonicalWriter writer;
  writer.Number(2, 1);
  EXPECT_DEATH(writer.Number(1, 1), "last_field_");
}

TEST(BucketTest, IsTheHeadOfTheHash) { EXPECT_EQ(BucketOf("abc"), 0xba78); }

TEST(BucketTest, ShardsCoverAllBucketsOnce) {
  for (const int count : {1, 2, 3, 7, 65'536}) {
    int next = 0;
    for (int i = 0; i < count; ++i) {
      const auto [first, end] = BucketsOfShard(i, count);
      ASSERT_EQ(first, next);
      ASSERT_GT(end, first);
      next = end;
    }
    EXPECT_EQ(next, kBuckets);
  }
}

TEST(RoundDigestTest, IsThatOfItsBuckets) {
  std::vector<std::pair<int, std::string>> places;
  for (int i = 0; i < 300; ++i) {
    const std::string id = "o" + std::to_string(i);
    places.emplace_back(BucketOf(id), id);
  }
  std::sort(places.begin(), places.end());
  RoundDigester whole;
  RoundDigester kept(RoundDigester::Buckets::kKeep);
  for (const auto& [bucket, id] : places) {
    whole.Add(id, Sha256(id));
    kept.Add(id, Sha256(id));
  }
  const Digest digest = whole.Finish();
  EXPECT_EQ(kept.Finish(), digest);
  EXPECT_TRUE(whole.buckets().empty());
  EXPECT_EQ(RoundDigest(kept.buckets()), digest);
  std::vector<BucketDigest> fewer = kept.buckets();
  fewer.pop_back();
  EXPECT_NE(RoundDigest(fewer), digest);
  EXPECT_EQ(RoundDigest({}), RoundDigester().Finish());
}

TEST(RoundDigestTest, DependsOnEveryRating) {
  const auto digest_of = [](const std::string& rating) {
    RoundDigester digester;
    digester.Add("abc", Sha256(rating));
    return digester.Finish();
  };
  EXPECT_EQ(digest_of("1"), digest_of("1"));
  EXPECT_NE(digest_of("1"), digest_of("2"));
  EXPECT_NE(RoundDigester().Finish(), digest_of("1"));
}

}  // namespace
}  // namespace starratings::digest
