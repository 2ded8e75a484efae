#include "rating-svc/analysis/ladder.h"

#include <algorithm>

#include "rating-svc/analysis/structure.h"

namespace starratings::analysis {
namespace {

using rating::Evaluation;
using rating::Value;
using scheme::Scheme;

constexpr Int128 kDecimalMost = Int128{1'000'000'000'000} * evidence::Decimal::kMicros - 1;

// One number, and all tests that it can meet, also as part of sums.
class Probe {
 public:
  Probe(const Scheme& scheme, std::span<const Value> readings, size_t input)
      : scheme_(scheme),
        input_(input),
        numbers_(NumbersFrom(scheme, static_cast<int>(input))),
        readings_(readings.begin(), readings.end()),
        evaluation_(scheme) {}

  // What they say where the number is `grid` of its denominator.
  std::vector<int> At(Int128 grid) {
    readings_[input_].numerator = grid;
    Evaluate(scheme_, readings_, evaluation_);
    std::vector<int> answers;
    for (const int number : numbers_) {
      const bool own = number == static_cast<int>(input_);
      AppendTests(scheme_, number,
                  own ? readings_[input_] : evaluation_.values[static_cast<size_t>(number)],
                  answers);
    }
    return answers;
  }

 private:
  const Scheme& scheme_;
  const size_t input_;
  const std::vector<int> numbers_;
  std::vector<Value> readings_;
  Evaluation evaluation_;
};

// Appends the first place of each cell on the way from `near` to `far`, which may lie to either
// side. Each answer changes at most once on the way, so that where both ends
// agree there is nothing between them.
void Cut(Probe& probe, Int128 near, const std::vector<int>& at_near, Int128 far,
         const std::vector<int>& at_far, std::vector<Int128>& firsts) {
  if (at_near == at_far) return;
  if (far - near == 1 || near - far == 1) {
    firsts.push_back(far);
    return;
  }
  const Int128 middle = near + (far - near) / 2;
  const std::vector<int> at_middle = probe.At(middle);
  Cut(probe, near, at_near, middle, at_middle, firsts);
  Cut(probe, middle, at_middle, far, at_far, firsts);
}

// The end of the line in one direction.
Int128 EndOf(const Scheme& scheme, size_t input, const Value& from, bool up) {
  if (scheme.inputs[input].type == scheme::InputType::kDecimal) {
    return up ? kDecimalMost : -kDecimalMost;
  }
  if (!up) return 0;
  const auto constants = ConstantsOf(scheme, static_cast<int>(input));
  const bool above_one =
      from.numerator > from.denominator ||
      std::any_of(constants.begin(), constants.end(),
                  [](const scheme::Fraction& c) { return c.numerator > c.denominator; });
  return above_one ? Int128{evidence::Ratio::kMost} : Int128{from.denominator};
}

}  // namespace

std::vector<Value> LadderOf(const Scheme& scheme, std::span<const Value> readings, size_t input,
                            bool better) {
  const Value& from = readings[input];
  const scheme::ValueInfo& info = scheme.values[input];
  std::vector<Value> ladder;
  // What the register or another scheme says is not the organisation's to change.
  if (scheme.inputs[input].from != scheme::InputFrom::kEvidence) return ladder;
  if (IsHeld(from)) return ladder;
  if (info.scale >= 0) {
    const int levels =
        static_cast<int>(scheme.scales[static_cast<size_t>(info.scale)].levels.size());
    for (int level = from.level + (better ? 1 : -1); level >= 0 && level < levels;
         level += better ? 1 : -1) {
      ladder.push_back(Value::Level(level));
    }
    return ladder;
  }
  const bool up = better != info.lower_is_better;
  const Int128 end = EndOf(scheme, input, from, up);
  Probe probe(scheme, readings, input);
  std::vector<Int128> firsts;
  Cut(probe, from.numerator, probe.At(from.numerator), end, probe.At(end), firsts);
  for (const Int128 first : firsts) ladder.push_back(Value::Number(first, from.denominator));
  return ladder;
}

}  // namespace starratings::analysis
