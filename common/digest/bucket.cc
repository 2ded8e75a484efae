#include "common/digest/bucket.h"

#include <cassert>

namespace starratings::digest {

namespace {

void AddBucket(const BucketDigest& bucket, Sha256Hasher& round) {
  round.AddNumber(static_cast<uint64_t>(bucket.bucket), 2);
  round.Add(bucket.digest);
}

}  // namespace

int BucketOf(absl::string_view organisation) {
  const Digest digest = Sha256(organisation);
  return digest[0] * 256 + digest[1];
}

std::pair<int, int> BucketsOfShard(int index, int count) {
  assert(count >= 1 && count <= kBuckets && index >= 0 && index < count);
  const auto edge = [count](int64_t i) { return static_cast<int>(i * kBuckets / count); };
  return {edge(index), edge(index + 1)};
}

Digest RoundDigest(std::span<const BucketDigest> buckets) {
  Sha256Hasher round;
  for (const BucketDigest& bucket : buckets) AddBucket(bucket, round);
  return round.Finish();
}

void RoundDigester::Add(absl::string_view organisation, const Digest& rating) {
  const int bucket = BucketOf(organisation);
  assert(bucket > current_ || (bucket == current_ && organisation > last_));
  if (bucket != current_) {
    CloseBucket();
    current_ = bucket;
  }
  last_ = std::string(organisation);
  bucket_.AddNumber(organisation.size(), 2);
  bucket_.Add(organisation);
  bucket_.Add(rating);
  ++count_;
}

void RoundDigester::CloseBucket() {
  if (current_ < 0) return;
  const BucketDigest closed{current_, bucket_.Finish()};
  AddBucket(closed, round_);
  if (keep_) buckets_.push_back(closed);
  bucket_ = Sha256Hasher();
}

Digest RoundDigester::Finish() {
  CloseBucket();
  return round_.Finish();
}

}  // namespace starratings::digest
