// How a ratio would fall if the year were repeated. Internal to the room.
//
// Doubles: probabilities are never on the way to a rating.
#pragma once

#include <cstdint>
#include <vector>

namespace starratings::analysis {

// Where the rate of the next year comes from. The numbers are those of the wire.
enum class RateModel {
  // Beta(x + 1/2, n - x + 1/2): what x of n cases say of the rate, so that 0 of 12
  // is no certainty.
  kJeffreys = 1,
  // x / n itself.
  kObserved = 2,
};

// The largest denominator that is drawn: more would take milliseconds.
inline constexpr int64_t kDenominatorMost = 1'000'000'000;

// The probabilities that a numerator drawn anew lies in each of the parts that
// `firsts` cuts 0 to n into: part i begins at firsts[i - 1] (which may lie outside, so that
// parts are empty) and ends before firsts[i]. `firsts` does not descend; x is
// 0 to n, n is 1 to kDenominatorMost.
//
// The error of all parts together is at most kChancesError.
void Chances(RateModel model, int64_t x, int64_t n, const std::vector<int64_t>& firsts,
             std::vector<double>& parts);
inline constexpr double kChancesError = 2e-14;

}  // namespace starratings::analysis
