// That the evaluator's exact arithmetic has room for every sum.
#include <algorithm>
#include <numeric>

#include "common/evidence/decimal.h"
#include "common/evidence/evidence.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

__extension__ using Int128 = __int128;

// Numerators below 10^28, times denominators of thresholds (10^9), are within 128
// bits; denominators of values are kept in 64.
constexpr Int128 kNumeratorsMost = static_cast<Int128>(100'000'000'000'000) * 100'000'000'000'000;
constexpr Int128 kDenominatorsMost = 9'000'000'000'000'000'000;

// Both are far above what is allowed and below what overflows.
Int128 Times(Int128 a, Int128 b) {
  constexpr Int128 kEnough = kNumeratorsMost * 1'000'000;
  if (a != 0 && b > kEnough / a) return kEnough;
  return a * b;
}

}  // namespace

// A number is a whole multiple of 1 / (fixed * v), where v, up to `varying`, depends
// on the evidence; its numerator over that is at most `numerator`.
struct Resolver::Size {
  Int128 numerator = kLevelsMost;
  Int128 fixed = 1;
  Int128 varying = 1;
};

void Resolver::CheckSizes() {
  std::vector<std::optional<Size>> known(draft_.scheme.values.size());
  for (size_t i = 0; i < draft_.scheme.sums.size(); ++i) {
    const scheme::Sum& sum = draft_.scheme.sums[i];
    if (sum.output < 0) continue;
    const Size size = SizeOf(sum.output, known, 0);
    if (size.numerator > kNumeratorsMost || Times(size.fixed, size.varying) > kDenominatorsMost) {
      issues_.Add("NUMBER_INVALID", sum.id, draft_.sum_lines[i],
                  "the sum may need more digits than there are: use smaller weights, fewer ratios "
                  "(give them as decimals), or round what goes into it");
    }
  }
  CheckCuts(known);
}

// A cut is a threshold: 64 bits above the line, too.
void Resolver::CheckCuts(std::vector<std::optional<Size>>& known) {
  for (size_t i = 0; i < draft_.scheme.quantiles.size(); ++i) {
    const scheme::Quantiles& of = draft_.scheme.quantiles[i];
    if (of.of < 0 || Info(of.of).scale >= 0) continue;
    const Size size = SizeOf(of.of, known, 0);
    const bool fits = size.numerator <= kDenominatorsMost &&
                      Times(size.numerator, Times(size.fixed, size.varying)) <= kNumeratorsMost;
    if (!fits) {
      issues_.Add("NUMBER_INVALID", of.id, draft_.quantile_lines[i],
                  "the number may have more digits than a cut can have: round it");
    }
  }
}

Resolver::Size Resolver::SizeOf(int value, std::vector<std::optional<Size>>& known, int depth) {
  if (value < 0) return {};
  std::optional<Size>& size = known[static_cast<size_t>(value)];
  // Sums that go in a circle are found elsewhere.
  if (size || depth > kStagesMost) return size.value_or(Size{});
  size = Size{};
  if (Info(value).scale >= 0) return *size;
  if (value < message_.input_size()) {
    if (Info(value).share) {
      size = Size{evidence::Ratio::kMost, 1, evidence::Ratio::kMost};
    } else {
      size = Size{static_cast<Int128>(1'000'000'000'000) * evidence::Decimal::kMicros,
                  evidence::Decimal::kMicros, 1};
    }
    return *size;
  }
  for (const scheme::Sum& sum : draft_.scheme.sums) {
    if (sum.output != value) continue;
    const Size of = SizeOfSum(sum, known, depth);
    known[static_cast<size_t>(value)] = of;
    return of;
  }
  return *size;  // A count.
}

Resolver::Size Resolver::SizeOfSum(const scheme::Sum& sum, std::vector<std::optional<Size>>& known,
                                   int depth) {
  std::vector<Size> terms;
  Size size{0, 1, 1};
  Int128 weights = 0;
  for (const scheme::Term& term : sum.terms) {
    terms.push_back(SizeOf(term.value, known, depth + 1));
    weights += std::max<int64_t>(term.weight, 1);
    // The least common multiple, or the product where it is too large to matter.
    const Int128 fixed = terms.back().fixed;
    if (size.fixed % fixed != 0) {
      size.fixed = fixed % size.fixed == 0 ? fixed : Times(size.fixed, fixed);
    }
    size.varying = Times(size.varying, terms.back().varying);
  }
  for (size_t i = 0; i < terms.size(); ++i) {
    const Int128 wider = Times(size.fixed / terms[i].fixed, size.varying / terms[i].varying);
    size.numerator +=
        Times(Times(terms[i].numerator, wider), std::max<int64_t>(sum.terms[i].weight, 1));
  }
  size.numerator = Times(size.numerator, sum.times);
  size.fixed = Times(size.fixed, sum.over);
  if (sum.mean) size.varying = Times(size.varying, weights);
  if (!sum.round_to) return size;
  // On the way to the rounded number the whole one counts, too.
  if (size.numerator > kNumeratorsMost || Times(size.fixed, size.varying) > kDenominatorsMost) {
    return size;
  }
  const Int128 largest = size.numerator / size.fixed + sum.round_to->numerator + 1;
  return {Times(largest, sum.round_to->denominator), sum.round_to->denominator, 1};
}

}  // namespace starratings::verify
