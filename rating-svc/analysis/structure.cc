#include "rating-svc/analysis/structure.h"

#include <algorithm>

#include "rating-svc/rating/conditions.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Value;
using scheme::Comparison;
using scheme::Condition;
using scheme::Fraction;
using scheme::Scheme;
using scheme::StageKind;

// Follows how each value answers to better inputs: +1 it does not fall, -1 it
// does not rise, 0 nobody knows.
class Directions {
 public:
  Directions(const Scheme& scheme, std::span<const Value> readings)
      : scheme_(scheme), of_(scheme.values.size(), 1), presence_(scheme.values.size(), kPresent) {
    for (size_t i = 0; i < scheme.inputs.size(); ++i) {
      if (readings[i].absent != Absent::kNo) presence_[i] = kAbsent;
      absent_.push_back(readings[i].absent);
      const scheme::ValueInfo& info = scheme.values[i];
      if (info.scale < 0 && info.lower_is_better) of_[i] = -1;
    }
    for (const scheme::Stage& stage : scheme.stages) Pass(stage);
  }

  int Of(int value) const { return of_[static_cast<size_t>(value)]; }
  bool IsPresent(int value) const { return presence_[static_cast<size_t>(value)] == kPresent; }

 private:
  // Whether a value is there, whatever the inputs that are there say.
  enum Presence { kPresent, kAbsent, kEither };

  void Pass(const scheme::Stage& stage) {
    const auto index = static_cast<size_t>(stage.index);
    const auto output = static_cast<size_t>(scheme::OutputOf(scheme_, stage));
    if (stage.kind == StageKind::kLimit) {
      if (!FollowsQuality(scheme_.limits[index])) of_[output] = 0;
      if (!IsPresent(static_cast<int>(output))) presence_[output] = kEither;
      return;
    }
    const std::vector<int> reads = scheme::ReadsOf(scheme_, stage);
    const bool whole =
        std::all_of(reads.begin(), reads.end(), [&](int read) { return IsPresent(read); });
    presence_[output] = whole ? kPresent : kEither;
    switch (stage.kind) {
      case StageKind::kLimit:
        break;
      case StageKind::kSum:
        Pass(scheme_.sums[index]);
        break;
      case StageKind::kBand:
        of_[output] = OfBand(scheme_.bands[index]);
        if (presence_[static_cast<size_t>(reads.front())] == kAbsent) presence_[output] = kAbsent;
        break;
      case StageKind::kMatrix:
        of_[output] = Together(reads) == 1 && IsRising(scheme_.matrices[index]) ? 1 : 0;
        break;
      case StageKind::kCount:
        of_[output] = OfCount(scheme_.counts[index]);
        break;
      case StageKind::kAdjust:
        of_[output] = OfAdjust(scheme_.adjusts[index]);
        break;
    }
    if (presence_[output] == kEither) of_[output] = 0;
  }

  // Terms that are never there leave the sum as it is. The weights are positive.
  void Pass(const scheme::Sum& sum) {
    const auto output = static_cast<size_t>(sum.output);
    std::vector<int> there;
    size_t all = 0;  // That count, at most.
    for (const scheme::Term& term : sum.terms) {
      const auto value = static_cast<size_t>(term.value);
      if (presence_[value] == kEither) return;
      if (presence_[value] == kPresent) there.push_back(term.value);
      const bool counts = value >= absent_.size() || !rating::DoesNotCount(absent_[value]);
      if (counts) ++all;
    }
    const size_t needed = sum.need == scheme::Need::kAll       ? all
                          : sum.need == scheme::Need::kAtLeast ? static_cast<size_t>(sum.least)
                                                               : all / 2 + 1;
    if (there.empty() || there.size() < needed) return;
    presence_[output] = kPresent;
    of_[output] = Together(there);
  }

  int OfBand(const scheme::Band& band) const {
    // Which cuts there are must not change with the evidence.
    if (band.by >= 0 && !IsGiven(band.by)) return 0;
    return band.at_most ? -Of(band.from) : Of(band.from);
  }

  int OfCount(const scheme::Count& count) const {
    const int first = OfCondition(count.conditions.front());
    const bool same =
        std::all_of(count.conditions.begin(), count.conditions.end(),
                    [&](const Condition& condition) { return OfCondition(condition) == first; });
    return same ? first : 0;
  }

  int OfAdjust(const scheme::Adjust& adjust) const {
    if (Of(adjust.from) != 1) return 0;
    const bool up =
        std::all_of(adjust.steps.begin(), adjust.steps.end(), [&](const scheme::AdjustStep& step) {
          return OfCondition(step.when) == (step.by > 0 ? 1 : -1);
        });
    if (!up) return 0;
    return adjust.bound && OfCondition(*adjust.bound) != -1 ? 0 : 1;
  }

  // +1 where it never ceases to hold when inputs get better, -1 where it never
  // begins to, 0 where nobody knows.
  int OfCondition(const Condition& condition) const {
    return IsLow(condition) ? -Of(condition.value) : Of(condition.value);
  }

  static bool IsLow(const Condition& condition) {
    return condition.comparison == Comparison::kBelow ||
           condition.comparison == Comparison::kAtMost ||
           condition.comparison == Comparison::kLevelAtMost;
  }

  // Whether evidence cannot change it.
  bool IsGiven(int value) const {
    const auto i = static_cast<size_t>(value);
    return i < scheme_.inputs.size() && scheme_.inputs[i].from != scheme::InputFrom::kEvidence;
  }

  int Together(const std::vector<int>& reads) const {
    const int first = Of(reads.front());
    const bool same =
        std::all_of(reads.begin(), reads.end(), [&](int read) { return Of(read) == first; });
    return same ? first : 0;
  }

  static bool IsRising(const scheme::Matrix& matrix) {
    const size_t cells = matrix.cells.size();
    for (size_t axis = 0; axis < matrix.from.size(); ++axis) {
      // The first axis has the largest stride.
      const size_t stride = matrix.stride[axis];
      const size_t whole = axis == 0 ? cells : matrix.stride[axis - 1];
      for (size_t cell = 0; cell + stride < cells; ++cell) {
        if (cell % whole / stride + 1 == whole / stride) continue;  // The highest level.
        if (matrix.cells[cell] > matrix.cells[cell + stride]) return false;
      }
    }
    return true;
  }

  // Whether it can only fire where things are bad (of a floor: good), on a target
  // that is there, and never leaves it undecided. Whether one condition is enough
  // or all are needed makes no difference to that.
  bool FollowsQuality(const scheme::Limit& limit) const {
    if (!IsPresent(limit.target)) return false;
    return std::all_of(limit.any.begin(), limit.any.end(), [&](const Condition& condition) {
      if (!IsPresent(condition.value)) return NeverHolds(limit, condition.value);
      return OfCondition(condition) == (limit.floor ? 1 : -1);
    });
  }

  // Whether a condition on the value neither holds nor leaves the limit undecided.
  bool NeverHolds(const scheme::Limit& limit, int value) const {
    const auto i = static_cast<size_t>(value);
    if (presence_[i] != kAbsent) return false;
    return limit.unknown == scheme::OnUnknown::kSkip ||
           (i < absent_.size() && rating::DoesNotCount(absent_[i]));
  }

  const Scheme& scheme_;
  std::vector<int> of_;
  std::vector<Presence> presence_;
  std::vector<Absent> absent_;  // Of inputs.
};

}  // namespace

std::vector<int> NumbersFrom(const Scheme& scheme, int input) {
  if (scheme.values[static_cast<size_t>(input)].scale >= 0) return {};
  std::vector<int> numbers = {input};
  for (const scheme::Stage& stage : scheme.stages) {
    // A count tests what it reads, as a limit does.
    if (stage.kind != StageKind::kSum) continue;
    const std::vector<int> reads = scheme::ReadsOf(scheme, stage);
    const bool any = std::any_of(reads.begin(), reads.end(), [&](int read) {
      return std::find(numbers.begin(), numbers.end(), read) != numbers.end();
    });
    if (any) numbers.push_back(scheme::OutputOf(scheme, stage));
  }
  return numbers;
}

void AppendTests(const Scheme& scheme, int value, const Value& number, std::vector<int>& answers) {
  const bool present = number.absent == Absent::kNo;
  const auto add = [&](Comparison comparison, const Fraction& constant) {
    answers.push_back(present ? rating::Compare(comparison, number, constant) : -1);
  };
  scheme::ForEachCondition(scheme, [&](const Condition& condition) {
    if (condition.value == value) add(condition.comparison, condition.threshold);
  });
  for (const scheme::Band& band : scheme.bands) {
    if (band.from != value) continue;
    const Comparison comparison = band.at_most ? Comparison::kAtMost : Comparison::kAtLeast;
    scheme::ForEachCut(band, [&](const Fraction& cut) { add(comparison, cut); });
  }
}

bool IsProvenRising(const Scheme& scheme, int value, std::span<const Value> readings) {
  const Directions directions(scheme, readings);
  return directions.IsPresent(value) && directions.Of(value) == 1;
}

}  // namespace starratings::analysis
