// Values for people.
#pragma once

#include <optional>
#include <string>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// An exact number: `12.5`, or `n/d` where it is no decimal of six digits.
std::string PrintNumber(Int128 numerator, Int128 denominator);

// The same read back; none if it is neither, or does not fit.
std::optional<scheme::Fraction> ParseNumber(const std::string& text);

// A value for people: a level, `21.4 % (30 of 140 children)`, `12.5 days`; empty
// if absent.
std::string PrintValue(const scheme::Scheme& scheme, int value_index, const Value& value);

// The test of a number in words: `at least 88`, `at most 20 %`.
std::string PrintCut(const scheme::Scheme& scheme, const scheme::Condition& condition);

// How far the value is from the threshold, positive where the condition does
// not hold: `3.571429 percentage points`; empty for levels and where absent.
std::string PrintMargin(const scheme::Scheme& scheme, const scheme::Condition& condition,
                        const Value& value);

}  // namespace starratings::rating
