// What it would take to reach the next level of a result, and what would lose
// the one there is.
//
// Pure. Exact over the finite abstraction of ladder.h: one step of one input is
// one level, or one cell of its line. What is absent stays so, and so does what a
// person has decided.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

// One input, and where it goes.
struct Change {
  size_t input = 0;
  rating::Value from;
  rating::Value to;
  int steps = 0;
};

// Changes that suffice together; with any one of them a step shorter they do
// not.
struct Path {
  std::vector<Change> changes;  // By input.
  int steps = 0;
  int level = 0;  // What the result is then.
};

// All that was found in one direction.
struct Search {
  std::vector<Path> paths;  // Fewest steps first; then by input.
  // Every minimal set of changes is there: if none is, none exists.
  bool complete = true;
  // Every one of so many steps or fewer is there.
  int complete_steps = 0;
};

// What a search may cost.
struct SearchLimits {
  // Evaluations, and comparisons with paths found before.
  int64_t work_most = 5'000'000;
  size_t paths_most = 1'000;
  // Evaluations after which tables are made for the rest, where the scheme allows.
  int64_t tables_after = 5'000;
};

struct Improvements {
  // Empty where the result is not rated; then there is nothing to search from.
  bool rated = false;
  int level = 0;
  bool at_top = false;  // There is no next level.
  Search gains;         // The result is then at least one level higher.
  Search losses;        // It is rated then, and at least one level lower.
  // The inputs that the result depends on and that stay as they are: absent ones, and
  // those that an override has decided.
  std::vector<size_t> held;
};

// For `result`, an index in scheme.results; its value is on a scale.
Improvements FindImprovements(const scheme::Scheme& scheme, std::span<const rating::Value> readings,
                              size_t result, const SearchLimits& limits = {});

}  // namespace starratings::analysis
