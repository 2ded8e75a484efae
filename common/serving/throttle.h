// How much each identity may ask for: a bucket of tokens each, refilled as time
// goes by. Knows no clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starratings::serving {

// Thread-safe.
class Throttle {
 public:
  // Identities that are remembered; the one unheard of longest is forgotten, with
  // whatever it owed.
  static constexpr size_t kIdentitiesMost = 10'000;
  // As much as may be asked for at once, after a silence: that of two seconds.
  static constexpr double kBurstSeconds = 2;

  // 0: no limit.
  explicit Throttle(double per_second) : per_second_(per_second) {}

  bool limits() const { return per_second_ > 0; }

  // OK to go on; otherwise how long to wait. A bucket may be owed to: what has been
  // taken cannot be given back.
  absl::Duration Wait(absl::string_view identity, absl::Time now) {
    if (per_second_ <= 0) return absl::ZeroDuration();
    const std::lock_guard lock(mutex_);
    const double tokens = Refilled(identity, now).tokens;
    return tokens > 0 ? absl::ZeroDuration() : absl::Seconds((1 - tokens) / per_second_);
  }

  void Take(absl::string_view identity, double tokens, absl::Time now) {
    if (per_second_ <= 0) return;
    const std::lock_guard lock(mutex_);
    Refilled(identity, now).tokens -= tokens;
  }

 private:
  struct Bucket {
    std::string identity;
    double tokens = 0;
    absl::Time at;
  };

  Bucket& Refilled(absl::string_view identity, absl::Time now) {
    const double full = per_second_ * kBurstSeconds;
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) {
      if (buckets_.size() == kIdentitiesMost) {
        by_identity_.erase(buckets_.back().identity);
        buckets_.pop_back();
      }
      buckets_.push_front({std::string(identity), full, now});
      by_identity_.emplace(buckets_.front().identity, buckets_.begin());
      return buckets_.front();
    }
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    Bucket& bucket = buckets_.front();
    const double seconds = std::max(0.0, absl::ToDoubleSeconds(now - bucket.at));
    bucket.tokens = std::min(full, bucket.tokens + seconds * per_second_);
    bucket.at = std::max(bucket.at, now);
    return bucket;
  }

  const double per_second_;
  std::mutex mutex_;           // Guards the rest.
  std::list<Bucket> buckets_;  // The latest heard of first.
  absl::flat_hash_map<std::string, std::list<Bucket>::iterator> by_identity_;
};

}  // namespace starratings::serving
