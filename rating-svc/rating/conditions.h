// Whether a condition holds. For this room and for analysis.
#pragma once

#include <cassert>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// Whether a condition holds. Unknown is neither.
enum class Truth { kFalse, kTrue, kUnknown };

// Exact: numerators are below 10^32 and denominators below 10^12 by what the
// verifier admits, so that the products fit 128 bits.
inline bool Compare(scheme::Comparison comparison, const Value& value,
                    const scheme::Fraction& threshold) {
  const Int128 left = value.numerator * threshold.denominator;
  const Int128 right = static_cast<Int128>(threshold.numerator) * value.denominator;
  switch (comparison) {
    case scheme::Comparison::kAbove:
      return left > right;
    case scheme::Comparison::kBelow:
      return left < right;
    case scheme::Comparison::kAtLeast:
      return left >= right;
    case scheme::Comparison::kAtMost:
      return left <= right;
    case scheme::Comparison::kLevelAtMost:
    case scheme::Comparison::kLevelAtLeast:
      break;
  }
  assert(false);  // A condition on a level.
  return false;
}

inline Truth Test(const scheme::Condition& condition, const Value& value) {
  if (value.absent != Absent::kNo) {
    return DoesNotCount(value.absent) ? Truth::kFalse : Truth::kUnknown;
  }
  if (condition.comparison == scheme::Comparison::kLevelAtMost) {
    return value.level <= condition.level ? Truth::kTrue : Truth::kFalse;
  }
  if (condition.comparison == scheme::Comparison::kLevelAtLeast) {
    return value.level >= condition.level ? Truth::kTrue : Truth::kFalse;
  }
  return Compare(condition.comparison, value, condition.threshold) ? Truth::kTrue : Truth::kFalse;
}

}  // namespace starratings::rating
