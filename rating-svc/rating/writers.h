// What sums, bands, counts and adjustments make of what they read. Internal to the
// room.
#pragma once

#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// How much of a sum is known.
struct Known {
  int known = 0;
  int applicable = 0;  // All but those that do not count.
  int needed = 0;      // At least 1.
};
Known KnownOf(const scheme::Sum& sum, const std::vector<Value>& values);

Value Add(const scheme::Scheme& scheme, const scheme::Sum& sum, const std::vector<Value>& values);

// The cuts that hold, and the level below the first; none if what selects them is
// absent.
struct Cuts {
  std::span<const scheme::Fraction> cuts;
  int lowest = 0;
};
Cuts CutsOf(const scheme::Band& band, const std::vector<Value>& values);

Value BandOf(const scheme::Band& band, const std::vector<Value>& values);

// Notes in `held` which conditions hold.
Value CountOf(const scheme::Count& count, const std::vector<Value>& values, uint64_t& held);
Value AdjustedOf(const scheme::Scheme& scheme, const scheme::Adjust& adjust,
                 const std::vector<Value>& values, uint64_t& held);

}  // namespace starratings::rating
