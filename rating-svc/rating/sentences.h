// A rating in a few sentences. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rating-svc/rating/rating.h"

namespace starratings::rating {

// In double quotes: `most` and `some` are levels, not quantities.
std::string Quote(absl::string_view text);

// What the rating is, which rules decided it and which were binding, what was
// missing, and what it rests on.
std::vector<std::string> Summarise(const scheme::Scheme& scheme, const Explanation& explanation);

}  // namespace starratings::rating
