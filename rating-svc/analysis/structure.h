// How the values of a scheme hang together, as far as analyses need to know.
// Whoever adds a kind of stage extends this file and the thresholds of overlay, and
// nothing else of the room: all else asks the evaluator. Internal to the room.
#pragma once

#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/constants.h"
#include "rating-svc/scheme/reads.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

using rating::Int128;
using scheme::ConeOf;
using scheme::ConstantsOf;

// The numbers that are computed from input `input` without passing a level,
// itself included if it is one.
std::vector<int> NumbersFrom(const scheme::Scheme& scheme, int input);

// Appends what all tests of the number `value` say about it: two numbers of which they say the
// same are the same to the scheme, unless something else reads them. Each answer
// changes at most once when the number rises. -1 for each test where it is absent.
void AppendTests(const scheme::Scheme& scheme, int value, const rating::Value& number,
                 std::vector<int>& answers);

// Whether it is proven, stage by stage, that the level of `value` never falls when an input
// gets better and those that are absent in `readings` stay so. False where this
// simple proof does not succeed, whatever the truth.
bool IsProvenRising(const scheme::Scheme& scheme, int value,
                    std::span<const rating::Value> readings);

}  // namespace starratings::analysis
