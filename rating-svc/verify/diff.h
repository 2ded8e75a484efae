// What changes from one scheme to another, over all evidence there can be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

// How many, exactly; or, where it is too many to count, that it is.
struct Count {
  uint64_t high = 0;
  uint64_t low = 0;
  bool too_many = false;  // 2^127 and more.

  std::string ToString() const;  // Decimal, or `more than 10^38`.
  bool operator==(const Count&) const = default;
};

// One result, before and after. A level is empty where there is none: unknown,
// or not applicable.
struct Shift {
  std::string result;
  std::string before;
  std::string after;
  // The abstract cells of evidence that move so: combinations of levels, of
  // intervals between any two thresholds of either scheme, and of gaps.
  Count cells;
  // One of them, for people: textproto of scheme.v1.Cases, what came out before
  // and after as its expectations; replayed by the evaluator under both schemes.
  // Only where before and after differ.
  std::string example;
};

struct SpaceDiff {
  std::vector<Shift> shifts;       // Result by result, from the worst before, after.
  std::vector<std::string> notes;  // What could not be compared, a sentence each.
  // False: the two have inputs that cannot be compared, the space is too large,
  // or the evaluator did not confirm an example; the notes say which.
  bool complete = true;
};

// Exact, and pure. Both schemes are verified.
SpaceDiff DiffSpace(const scheme::Scheme& before, const scheme::Scheme& after);

}  // namespace starratings::verify
