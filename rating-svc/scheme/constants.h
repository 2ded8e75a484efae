// What a scheme compares numbers with.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "rating-svc/scheme/reads.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::scheme {

// Exact.
inline bool Less(const Fraction& a, const Fraction& b) {
  __extension__ using Int128 = __int128;
  return static_cast<Int128>(a.numerator) * b.denominator <
         static_cast<Int128>(b.numerator) * a.denominator;
}

// Calls `each` with every cut of the band, whatever selects it.
template <typename Each>
void ForEachCut(const Band& band, Each each) {
  for (const Fraction& cut : band.cuts) each(cut);
  for (const CutList& list : band.lists) {
    for (const Fraction& cut : list.cuts) each(cut);
  }
}

// All constants that the number `value` is compared with, in lowest terms, ascending,
// each once.
inline std::vector<Fraction> ConstantsOf(const Scheme& scheme, int value) {
  std::vector<Fraction> constants;
  ForEachCondition(scheme, [&](const Condition& condition) {
    if (condition.value == value) constants.push_back(condition.threshold);
  });
  for (const Band& band : scheme.bands) {
    if (band.from != value) continue;
    ForEachCut(band, [&](const Fraction& cut) { constants.push_back(cut); });
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

}  // namespace starratings::scheme
