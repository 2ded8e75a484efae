// What can be said of a probability where nobody knows how the inputs depend on
// each other: the bounds of Frechet, sharp. Internal to the room.
#pragma once

#include <vector>

namespace starratings::analysis {

// The greatest probability that an event can have, over all joint distributions with these
// marginals. `event` says of each combination of parts, the last marginal's
// fastest, whether it belongs. Each marginal adds up to 1, but for rounding.
double GreatestChance(const std::vector<std::vector<double>>& marginals,
                      const std::vector<bool>& event);

}  // namespace starratings::analysis
