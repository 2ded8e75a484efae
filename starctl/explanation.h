// A rating and all its reasons, for people.
#pragma once

#include <string>

#include "starratings/rating/v1/rating.pb.h"

namespace starratings::starctl {

// The result and the sentences; what was read, and from where; every rule with
// what it did (fired, decided, binding) and its margins; what follows; what the
// rules cite. `rating` has a FULL trace.
std::string ExplanationText(const rating::v1::Rating& rating);

}  // namespace starratings::starctl
