#include "rating-svc/analysis/structure.h"

#include <algorithm>
#include <numeric>

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Value;
using scheme::Comparison;
using scheme::Condition;
using scheme::Fraction;
using scheme::Scheme;
using scheme::StageKind;

bool Less(const Fraction& a, const Fraction& b) {
  return static_cast<Int128>(a.numerator) * b.denominator <
         static_cast<Int128>(b.numerator) * a.denominator;
}

// -1, 0 or 1: how a number stands to a constant. Exact, as in the evaluator.
int Compare(const Value& number, const Fraction& constant) {
  const Int128 left = number.numerator * constant.denominator;
  const Int128 right = static_cast<Int128>(constant.numerator) * number.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

bool Holds(Comparison comparison, int order) {
  switch (comparison) {
    case Comparison::kAbove:
      return order > 0;
    case Comparison::kBelow:
      return order < 0;
    case Comparison::kAtLeast:
      return order >= 0;
    case Comparison::kAtMost:
      return order <= 0;
    case Comparison::kLevelAtMost:
    case Comparison::kLevelAtLeast:
      break;
  }
  return false;
}

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
    const Link link = LinkOf(scheme_, stage);
    const auto output = static_cast<size_t>(link.output);
    switch (stage.kind) {
      case StageKind::kLimit:
        if (!FollowsQuality(scheme_.limits[index])) of_[output] = 0;
        if (!IsPresent(link.output)) presence_[output] = kEither;
        return;
      case StageKind::kSum:
        of_[output] = Together(link.reads);
        break;
      case StageKind::kBand:
        of_[output] = Of(link.reads.front());
        break;
      case StageKind::kMatrix:
        of_[output] = Together(link.reads) == 1 && IsRising(scheme_.matrices[index]) ? 1 : 0;
        break;
    }
    for (const int read : link.reads) {
      if (!IsPresent(read)) presence_[output] = kEither;
    }
    if (!IsPresent(link.output)) of_[output] = 0;
  }

  // The weights of a sum are positive.
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
      const bool low = condition.comparison == Comparison::kBelow ||
                       condition.comparison == Comparison::kAtMost ||
                       condition.comparison == Comparison::kLevelAtMost;
      return Of(condition.value) == (low != limit.floor ? 1 : -1);
    });
  }

  // Whether a condition on the value neither holds nor leaves the limit undecided.
  bool NeverHolds(const scheme::Limit& limit, int value) const {
    if (presence_[static_cast<size_t>(value)] != kAbsent) return false;
    return limit.unknown == scheme::OnUnknown::kSkip ||
           rating::DoesNotCount(absent_[static_cast<size_t>(value)]);
  }

  const Scheme& scheme_;
  std::vector<int> of_;
  std::vector<Presence> presence_;
  std::vector<Absent> absent_;  // Of inputs.
};

}  // namespace

Link LinkOf(const Scheme& scheme, const scheme::Stage& stage) {
  const auto index = static_cast<size_t>(stage.index);
  Link link;
  switch (stage.kind) {
    case StageKind::kSum:
      link.output = scheme.sums[index].output;
      for (const scheme::Term& term : scheme.sums[index].terms) link.reads.push_back(term.value);
      break;
    case StageKind::kBand:
      link = {scheme.bands[index].output, {scheme.bands[index].from}};
      break;
    case StageKind::kMatrix:
      link = {scheme.matrices[index].output, scheme.matrices[index].from};
      break;
    case StageKind::kLimit:
      link.output = scheme.limits[index].target;
      for (const Condition& condition : scheme.limits[index].any) {
        link.reads.push_back(condition.value);
      }
      break;
  }
  return link;
}

std::vector<bool> ConeOf(const Scheme& scheme, int value) {
  std::vector<bool> cone(scheme.values.size(), false);
  cone[static_cast<size_t>(value)] = true;
  // Whatever reads a value stands behind all that write or limit it.
  for (auto stage = scheme.stages.rbegin(); stage != scheme.stages.rend(); ++stage) {
    const Link link = LinkOf(scheme, *stage);
    if (!cone[static_cast<size_t>(link.output)]) continue;
    for (const int read : link.reads) cone[static_cast<size_t>(read)] = true;
  }
  return cone;
}

std::vector<int> NumbersFrom(const Scheme& scheme, int input) {
  if (scheme.values[static_cast<size_t>(input)].scale >= 0) return {};
  std::vector<int> numbers = {input};
  for (const scheme::Stage& stage : scheme.stages) {
    const Link link = LinkOf(scheme, stage);
    if (stage.kind == StageKind::kLimit ||
        scheme.values[static_cast<size_t>(link.output)].scale >= 0) {
      continue;
    }
    const bool reads = std::any_of(link.reads.begin(), link.reads.end(), [&](int read) {
      return std::find(numbers.begin(), numbers.end(), read) != numbers.end();
    });
    if (reads) numbers.push_back(link.output);
  }
  return numbers;
}

std::vector<Fraction> ConstantsOf(const Scheme& scheme, int value) {
  std::vector<Fraction> constants;
  for (const scheme::Limit& limit : scheme.limits) {
    for (const Condition& condition : limit.any) {
      if (condition.value == value) constants.push_back(condition.threshold);
    }
  }
  for (const scheme::Band& band : scheme.bands) {
    if (band.from == value) constants.insert(constants.end(), band.cuts.begin(), band.cuts.end());
  }
  for (Fraction& constant : constants) {
    const int64_t common = std::gcd(constant.numerator, constant.denominator);
    constant = {constant.numerator / common, constant.denominator / common};
  }
  std::sort(constants.begin(), constants.end(), Less);
  const auto same = [](const Fraction& a, const Fraction& b) { return !Less(a, b) && !Less(b, a); };
  constants.erase(std::unique(constants.begin(), constants.end(), same), constants.end());
  return constants;
}

void AppendTests(const Scheme& scheme, int value, const Value& number, std::vector<int>& answers) {
  const bool present = number.absent == Absent::kNo;
  for (const scheme::Limit& limit : scheme.limits) {
    for (const Condition& condition : limit.any) {
      if (condition.value != value) continue;
      const bool holds =
          present && Holds(condition.comparison, Compare(number, condition.threshold));
      answers.push_back(present ? holds : -1);
    }
  }
  for (const scheme::Band& band : scheme.bands) {
    if (band.from != value) continue;
    for (const Fraction& cut : band.cuts) {
      answers.push_back(present ? Compare(number, cut) >= 0 : -1);
    }
  }
}

bool IsProvenRising(const Scheme& scheme, int value, std::span<const Value> readings) {
  const Directions directions(scheme, readings);
  return directions.IsPresent(value) && directions.Of(value) == 1;
}

}  // namespace starratings::analysis
