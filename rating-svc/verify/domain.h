// What the inputs of a scheme can be, as far as the scheme can tell. A number
// occurs only in comparisons with the scheme's own constants, so that its line
// falls into finitely many cells; one representative of each stands for all.
// Internal to the room.
#pragma once

#include <cstdint>
#include <vector>

#include "common/evidence/evidence.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

__extension__ using Int128 = __int128;

// A value in a state of the proofs: a level; the cell of a number; a count; the
// total of a sum before `times`, `over` and rounding, of a mean with the weight
// that divides it; or one of these.
using Word = int64_t;
inline constexpr Word kUnknown = -1;       // Absent: nobody knows.
inline constexpr Word kDoesNotCount = -2;  // Absent: exempt or not applicable.

struct Number {
  Int128 numerator = 0;
  Int128 denominator = 1;
};

// What one input, or one sum of numbers, can be.
struct Domain {
  struct Cell {
    evidence::Value value;  // Evidence that reads so.
    Word word = 0;
    Number number;  // Of a number.
  };
  // Ascending levels or numbers, then absent ones.
  std::vector<Cell> cells;
  size_t present = 0;  // How many are not absent.
};

// One for each of the scheme's values; empty for what stages compute, but for
// sums that are free.
std::vector<Domain> DomainsOf(const scheme::Scheme& scheme);

// Whether a term of the sum is a number of more than finitely many values, or the
// sum is divided by a cohort's cuts, so that what comes out is taken to be anything.
bool IsFree(const scheme::Scheme& scheme, const scheme::Sum& sum);

// The word of a sum's total; `weight` is that of the terms in it, and counts where
// the sum is a mean.
Word TotalOf(const scheme::Sum& sum, Word total, Word weight);

// The sum's output for such a word.
Number SumOf(const scheme::Sum& sum, Word total);

// Whether `number` passes the test; not for tests of levels.
bool Passes(scheme::Comparison comparison, const Number& number, const scheme::Fraction& threshold);

// The level that a band gives a number; `list` is the list of cuts that is
// selected, where there are several.
int BandLevel(const scheme::Band& band, const Number& number, size_t list = 0);

}  // namespace starratings::verify
