// Two schemes as one, over the same evidence. Internal to the room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

struct Merged {
  // Has both schemes' stages. Inputs of one code are one input.
  scheme::Scheme scheme;
  // For each result that both have, on the same levels: its id and its value in
  // each half.
  struct Pair {
    std::string result;
    int before = 0;
    int after = 0;
  };
  std::vector<Pair> results;
  // A value of the one half, and that of the other of the same name; -1: none.
  std::vector<int> counterparts;
  // Codes whose gaps (missing, exempt, stale, folded) the two read differently:
  // the merged scheme has no gaps there.
  std::vector<std::string> without_gaps;
  // Codes that only one of the two reads, and that it rates nobody without.
  std::vector<std::string> needed_by_one;
  // Codes that cannot be one input: of another type or with other levels. The
  // rest is of no use then.
  std::vector<std::string> incomparable;
};

Merged Merge(const scheme::Scheme& before, const scheme::Scheme& after);

}  // namespace starratings::verify
