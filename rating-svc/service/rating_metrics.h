// Metrics of what is rated. Labels are bounded: an organisation is never one,
// and schemes beyond the first kSchemesMost share the labels `other`.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::service {

// The counters of one scheme, found once a call: finding one costs more than
// rating does.
class SchemeCounters {
 public:
  // Counts `rating`, made with the scheme that these counters are for.
  void Count(const rating::Rating& rating) const;

 private:
  friend class RatingMetrics;

  std::vector<std::string> levels_;          // Of the first result; empty: a number.
  std::vector<prometheus::Counter*> stars_;  // One for each level, or the number's.
  std::array<prometheus::Counter*, rating::kAbsents> not_rated_{};  // By rating::Absent.
  std::array<prometheus::Counter*, 6> moves_{};                     // By rating::Move.
};

// Thread-safe.
class RatingMetrics {
 public:
  static constexpr size_t kSchemesMost = 64;

  explicit RatingMetrics(prometheus::Registry& registry);

  // Must not outlive this.
  std::shared_ptr<const SchemeCounters> Of(const scheme::Scheme& scheme);

 private:
  std::shared_ptr<const SchemeCounters> Build(const scheme::Scheme& scheme, bool named);

  prometheus::Family<prometheus::Counter>& decisions_;
  prometheus::Family<prometheus::Counter>& not_rated_;
  prometheus::Family<prometheus::Counter>& moves_;

  absl::Mutex mutex_;
  // By digest: two schemes of one name may differ in their levels.
  absl::flat_hash_map<std::string, std::shared_ptr<const SchemeCounters>> counters_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace starratings::service
