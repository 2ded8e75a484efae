// A scheme on its way to being proven. Internal to the room.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

// What a property claims. Pairs are positions in the matrix's `from`.
struct SymmetricClaim {
  int matrix = 0;
  std::vector<std::pair<int, int>> pairs;
  bool live = false;  // Only of cells that no veto reaches.
};
struct OutranksClaim {
  int matrix = 0;
  std::vector<std::pair<int, int>> pairs;  // The stronger first.
  bool lexicographic = false;              // Otherwise steps are traded.
  bool live = false;
};
struct VetoClaim {
  int limit = 0;
};
struct MonotoneClaim {
  int result = 0;
};
struct PointsClaim {
  int matrix = 0;
  std::vector<int64_t> weights;
  std::vector<int64_t> cuts;
  bool live = false;
};

struct Property {
  std::string id;
  int line = 0;
  std::variant<SymmetricClaim, OutranksClaim, VetoClaim, MonotoneClaim, PointsClaim> claim;
};

// Of a cell of a matrix that no row fills.
inline constexpr uint32_t kNoRow = 0xffffffff;

// The lines are those of the text, from 1, by the index of what they are of.
struct Draft {
  scheme::Scheme scheme;
  std::vector<Property> properties;
  std::vector<int> input_lines;
  std::vector<int> sum_lines;
  std::vector<int> quantile_lines;
  std::vector<int> band_lines;
  // Of each band the cuts, and where lists are selected of each list.
  std::vector<std::vector<std::vector<int>>> cut_lines;
  std::vector<int> count_lines;
  std::vector<int> adjust_lines;
  std::vector<std::vector<int>> step_lines;  // Of each adjustment; the bound last.
  std::vector<int> matrix_lines;
  std::vector<int> limit_lines;
  std::vector<int> result_lines;
  std::vector<int> transition_lines;
};

}  // namespace starratings::verify
