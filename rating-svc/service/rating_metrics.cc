#include "rating-svc/service/rating_metrics.h"

#include <algorithm>

namespace starratings::service {
namespace {

constexpr char kOther[] = "other";
constexpr char kNumber[] = "number";

}  // namespace

void SchemeCounters::Count(const rating::Rating& rating) const {
  const rating::ResultOutcome& result = rating.results.front();
  if (result.not_rated) {
    not_rated_[static_cast<size_t>(result.not_rated->reason)]->Increment();
  } else if (levels_.empty()) {
    stars_.front()->Increment();
  } else {
    const auto level = std::find(levels_.begin(), levels_.end(), result.level);
    if (level != levels_.end()) {
      stars_[static_cast<size_t>(level - levels_.begin())]->Increment();
    }
  }
  for (const rating::Decision& decision : rating.decisions) {
    moves_[static_cast<size_t>(decision.move)]->Increment();
  }
}

RatingMetrics::RatingMetrics(prometheus::Registry& registry)
    : decisions_(prometheus::BuildCounter()
                     .Name("rating_decisions_total")
                     .Help("Ratings made, by scheme and level of the scheme's first result.")
                     .Register(registry)),
      not_rated_(prometheus::BuildCounter()
                     .Name("rating_not_rated_total")
                     .Help("Dossiers whose first result could not be rated, by reason.")
                     .Register(registry)),
      moves_(prometheus::BuildCounter()
                 .Name("rating_special_measures_moves_total")
                 .Help("Moves on and off lists that ratings came to, by move.")
                 .Register(registry)) {}

std::shared_ptr<const SchemeCounters> RatingMetrics::Of(const scheme::Scheme& scheme) {
  const absl::MutexLock lock(&mutex_);
  const auto known = counters_.find(scheme.digest);
  if (known != counters_.end()) return known->second;
  if (counters_.size() >= kSchemesMost) return Build(scheme, false);
  return counters_[scheme.digest] = Build(scheme, true);
}

std::shared_ptr<const SchemeCounters> RatingMetrics::Build(const scheme::Scheme& scheme,
                                                           bool named) {
  auto counters = std::make_shared<SchemeCounters>();
  const int scale = scheme.values[static_cast<size_t>(scheme.results.front().value)].scale;
  if (scale >= 0) counters->levels_ = scheme.scales[static_cast<size_t>(scale)].levels;
  const std::string label = named ? scheme.Name() : kOther;
  for (const std::string& level : counters->levels_) {
    counters->stars_.push_back(
        &decisions_.Add({{"scheme", label}, {"stars", named ? level : kOther}}));
  }
  if (scale < 0) {
    counters->stars_.push_back(
        &decisions_.Add({{"scheme", label}, {"stars", named ? kNumber : kOther}}));
  }
  for (size_t i = 1; i < counters->not_rated_.size(); ++i) {
    counters->not_rated_[i] =
        &not_rated_.Add({{"reason", rating::ToString(static_cast<rating::Absent>(i))}});
  }
  for (size_t i = 1; i < counters->moves_.size(); ++i) {
    counters->moves_[i] = &moves_.Add({{"move", rating::ToString(static_cast<rating::Move>(i))}});
  }
  return counters;
}

}  // namespace starratings::service
