// Whether what clients saw can be explained by one copy of each item on which
// every operation took effect at one moment between its call and its return.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/linearizable/history.h"

namespace starratings::linearizable {

struct Verdict {
  enum class Kind { kLinearizable, kNotLinearizable, kGaveUp };
  Kind kind = Kind::kLinearizable;
  std::string key;          // Of the first item for which it does not hold.
  std::string explanation;  // What could not be placed, in several lines.
};

// Searches for an order, as Wing and Gong do, remembering dead ends, as Lowe
// does, for each key alone: a history is linearizable if it is for each key.
//
// An item is what its last submit said, with an etag: each submit that takes
// effect has the next ordinal and a larger revision. A submit of unknown
// outcome takes effect at any moment after its call, or never; which etag it
// got is known once somebody has seen it. A read of unknown outcome says
// nothing.
//
// Gives up after `steps_most` steps. As ordinals say much about the order, a
// history takes little more steps than it has operations, unless many submits of
// unknown outcome say the same.
Verdict Check(const std::vector<Operation>& history, int64_t steps_most = 5'000'000);

}  // namespace starratings::linearizable
