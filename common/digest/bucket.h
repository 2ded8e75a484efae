// Buckets, and the digest of a round. Exports, pages and rounds are ordered by
// (bucket, id), so that a part of them is the same part for everybody.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/digest/sha256.h"

namespace starratings::digest {

// The first two bytes of the SHA-256 of an organisation's id: 0 to 65,535.
inline constexpr int kBuckets = 65'536;
int BucketOf(absl::string_view organisation);

// The buckets of shard `index` of `count`: from `first` up to, not including,
// `second`. The shards of a count cover all buckets once.
std::pair<int, int> BucketsOfShard(int index, int count);

// The digest of one bucket that has organisations.
struct BucketDigest {
  int bucket = 0;
  Digest digest{};
};

// The digest of a round, from those of its buckets, ascending.
Digest RoundDigest(std::span<const BucketDigest> buckets);

// Digests a round: over the digests of its buckets, each over the digests of
// its ratings.
class RoundDigester {
 public:
  // Whether the digests of the buckets are kept, for parts of a round.
  enum class Buckets { kForget, kKeep };
  explicit RoundDigester(Buckets buckets = Buckets::kForget) : keep_(buckets == Buckets::kKeep) {}

  // Call in the order (bucket, id).
  void Add(absl::string_view organisation, const Digest& rating);

  int64_t count() const { return count_; }

  // Call once, last.
  Digest Finish();

  // Ascending; after Finish(), if they are kept.
  const std::vector<BucketDigest>& buckets() const { return buckets_; }

 private:
  void CloseBucket();

  const bool keep_;
  std::vector<BucketDigest> buckets_;  // At most kBuckets.
  Sha256Hasher round_;
  Sha256Hasher bucket_;
  int current_ = -1;
  std::string last_;
  int64_t count_ = 0;
};

}  // namespace starratings::digest
