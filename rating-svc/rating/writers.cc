#include "rating-svc/rating/writers.h"

#include <algorithm>
#include <numeric>

#include "rating-svc/rating/conditions.h"

namespace starratings::rating {
namespace {

using scheme::Scheme;

Int128 FloorDivide(Int128 numerator, Int128 denominator) {
  Int128 quotient = numerator / denominator;
  if (numerator % denominator != 0 && numerator < 0) --quotient;
  return quotient;
}

// floor(x / unit + 1/2) * unit.
Value RoundHalfUp(const Value& x, const scheme::Fraction& unit) {
  // x / unit + 1/2 = (2 * a + b) / (2 * b) with a / b = x / unit.
  const Int128 a = x.numerator * unit.denominator;
  const Int128 b = static_cast<Int128>(x.denominator) * unit.numerator;
  const Int128 steps = FloorDivide(2 * a + b, 2 * b);
  return Value::Number(steps * unit.numerator, unit.denominator);
}

int Needed(const scheme::Sum& sum, int applicable) {
  switch (sum.need) {
    case scheme::Need::kAll:
      return std::max(applicable, 1);
    case scheme::Need::kAtLeast:
      return sum.least;
    case scheme::Need::kMoreThanHalf:
      return applicable / 2 + 1;
  }
  return 1;
}

// A sum as far as it goes: exact. That it fits is what the verifier admits.
struct Total {
  Int128 numerator = 0;
  int64_t denominator = 1;

  void Add(int64_t weight, Int128 term_numerator, int64_t term_denominator) {
    if (term_denominator != denominator) {
      const int64_t common = std::gcd(denominator, term_denominator);
      const int64_t wider = term_denominator / common;
      term_numerator *= denominator / common;
      numerator *= wider;
      denominator *= wider;
    }
    numerator += weight * term_numerator;
  }
};

}  // namespace

Known KnownOf(const scheme::Sum& sum, const std::vector<Value>& values) {
  Known known;
  for (const scheme::Term& term : sum.terms) {
    const Absent absent = values[static_cast<size_t>(term.value)].absent;
    if (absent == Absent::kNo) ++known.known;
    if (!DoesNotCount(absent)) ++known.applicable;
  }
  known.needed = Needed(sum, known.applicable);
  return known;
}

Value Add(const Scheme& scheme, const scheme::Sum& sum, const std::vector<Value>& values) {
  Total total;
  int64_t weight = 0;
  int known = 0;
  int applicable = 0;
  const Value* unknown = nullptr;
  const Value* absent = nullptr;
  for (const scheme::Term& term : sum.terms) {
    const Value& value = values[static_cast<size_t>(term.value)];
    if (value.absent != Absent::kNo) {
      if (absent == nullptr) absent = &value;
      if (DoesNotCount(value.absent)) continue;
      if (unknown == nullptr) unknown = &value;
      ++applicable;
      continue;
    }
    ++applicable;
    ++known;
    weight += term.weight;
    const int scale = scheme.values[static_cast<size_t>(term.value)].scale;
    if (scale < 0) {
      total.Add(term.weight, value.numerator, value.denominator);
    } else {
      total.Add(term.weight, scheme.scales[static_cast<size_t>(scale)].lowest_score + value.level,
                1);
    }
  }
  if (known < Needed(sum, applicable)) {
    const Value& why = unknown != nullptr ? *unknown : *absent;
    return Value::Missing(why.absent, why.origin);
  }
  const Value exact = Value::Number(total.numerator * sum.times,
                                    total.denominator * sum.over * (sum.mean ? weight : 1));
  return sum.round_to ? RoundHalfUp(exact, *sum.round_to) : exact;
}

Cuts CutsOf(const scheme::Band& band, const std::vector<Value>& values) {
  if (band.by < 0) return {band.cuts, 0};
  const Value& by = values[static_cast<size_t>(band.by)];
  if (by.absent != Absent::kNo) return {};
  const auto list = static_cast<size_t>(band.list_of[static_cast<size_t>(by.level)]);
  return {band.lists[list].cuts, band.lists[list].lowest};
}

Value BandOf(const scheme::Band& band, const std::vector<Value>& values) {
  const Value& value = values[static_cast<size_t>(band.from)];
  if (value.absent != Absent::kNo) return Value::Missing(value.absent, value.origin);
  if (band.by >= 0) {
    const Value& by = values[static_cast<size_t>(band.by)];
    if (by.absent != Absent::kNo) return Value::Missing(by.absent, by.origin);
  }
  if (band.quantiles >= 0 && band.cuts.empty()) {
    return Value::Missing(Absent::kUnreliable, Value::kNoCuts - band.quantiles);
  }
  const Cuts cuts = CutsOf(band, values);
  int level = cuts.lowest;
  // Cuts ascend: those at or below the number come first, those at or above it
  // last.
  if (band.at_most) {
    for (auto cut = cuts.cuts.rbegin(); cut != cuts.cuts.rend(); ++cut) {
      if (!Compare(scheme::Comparison::kAtMost, value, *cut)) break;
      ++level;
    }
  } else {
    for (const scheme::Fraction& cut : cuts.cuts) {
      if (!Compare(scheme::Comparison::kAtLeast, value, cut)) break;
      ++level;
    }
  }
  return Value::Level(level);
}

Value CountOf(const scheme::Count& count, const std::vector<Value>& values, uint64_t& held) {
  int holds = 0;
  const Value* unknown = nullptr;
  for (size_t i = 0; i < count.conditions.size(); ++i) {
    const Value& value = values[static_cast<size_t>(count.conditions[i].value)];
    const Truth truth = Test(count.conditions[i], value);
    if (truth == Truth::kTrue) {
      held |= uint64_t{1} << (i & 63);
      ++holds;
    } else if (truth == Truth::kUnknown) {
      if (count.unknown == scheme::CountUnknown::kAsTrue) ++holds;
      if (unknown == nullptr) unknown = &value;
    }
  }
  if (unknown != nullptr && count.unknown == scheme::CountUnknown::kAbsent) {
    return Value::Missing(unknown->absent, unknown->origin);
  }
  return Value::Number(holds, 1);
}

Value AdjustedOf(const Scheme& scheme, const scheme::Adjust& adjust,
                 const std::vector<Value>& values, uint64_t& held) {
  const Value& from = values[static_cast<size_t>(adjust.from)];
  if (from.absent != Absent::kNo) return Value::Missing(from.absent, from.origin);
  const int scale = scheme.values[static_cast<size_t>(adjust.output)].scale;
  const auto best = static_cast<int>(scheme.scales[static_cast<size_t>(scale)].levels.size()) - 1;
  int level = from.level;
  const Value* unknown = nullptr;
  const auto holds = [&](const scheme::Condition& condition, size_t bit) {
    const Value& value = values[static_cast<size_t>(condition.value)];
    const Truth truth = Test(condition, value);
    if (truth == Truth::kUnknown && unknown == nullptr) unknown = &value;
    if (truth != Truth::kTrue) return false;
    held |= uint64_t{1} << (bit & 63);
    return true;
  };
  for (size_t i = 0; i < adjust.steps.size(); ++i) {
    if (holds(adjust.steps[i].when, i)) {
      level = std::clamp(level + adjust.steps[i].by, 0, best);
    }
  }
  if (adjust.bound && holds(*adjust.bound, adjust.steps.size())) {
    level = std::min(level, from.level + adjust.gain_at_most);
  }
  if (unknown != nullptr) return Value::Missing(unknown->absent, unknown->origin);
  return Value::Level(level);
}

}  // namespace starratings::rating
