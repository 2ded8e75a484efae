// Buckets, and the digest of a round. Exports, pages and rounds are ordered by
// (bucket, id), so that a part of them is the same part for everybody.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/digest/sha256.h"

namespace starratings::digest {

// The first two bytes of the SHA-256 of an organisation's id: 0 to 65,535.
inline constexpr int kBuckets = 65'536;
int BucketOf(absl::string_view organisation);

// The buckets of shard `index` of `count`: from `first` up to, not including,
// `second`. The shards of a count cover all buckets once.
std::pair<int, int> BucketsOfShard(int index, int count);

// Digests a round: over the digests of its buckets, each over the digests of
// its ratings.
class RoundDigester {
 public:
  // Call in the order (bucket, id).
  void Add(absl::string_view organisation, const Digest& rating);

  int64_t count() const { return count_; }

  // Call once, last.
  Digest Finish();

 private:
  void CloseBucket();

  Sha256Hasher round_;
  Sha256Hasher bucket_;
  int current_ = -1;
  std::string last_;
  int64_t count_ = 0;
};

}  // namespace starratings::digest
