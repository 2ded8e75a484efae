// What a scheme must be, and what it declares to be, proven. Internal to the
// room.
#pragma once

#include <string>
#include <vector>

#include "rating-svc/verify/draft.h"
#include "rating-svc/verify/issues.h"

namespace starratings::verify {

// What is proven of the tables alone: symmetric, outranks, equals_points, and
// that rows which are called FORCED are. Cells that no row fills are skipped.
// The stages must be in order.
void ProveTables(const Draft& draft, Issues& issues, std::vector<std::string>& report);

// What is proven of the scheme as a whole: every result reachable, no rule and
// no input dead, monotone, veto. The tables must be total.
void ProveWhole(const Draft& draft, Issues& issues, std::vector<std::string>& report);

// Counts for people: of tables that vetoes mask, and on what ground results
// stand.
void CountCells(const Draft& draft, std::vector<std::string>& report);

// How the cells of a table rank by the declared principles: the lowest and the
// highest level that these leave to each.
struct Bounds {
  std::vector<uint8_t> lowest;
  std::vector<uint8_t> highest;
};
Bounds BoundsOf(const Draft& draft, int matrix);

}  // namespace starratings::verify
