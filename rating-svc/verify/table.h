// One matrix, by its cells. Internal to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rating-svc/verify/draft.h"

namespace starratings::verify {

class Table {
 public:
  Table(const scheme::Scheme& scheme, int index)
      : scheme_(scheme), matrix_(scheme.matrices[static_cast<size_t>(index)]) {}

  const scheme::Matrix& matrix() const { return matrix_; }
  uint32_t size() const { return static_cast<uint32_t>(matrix_.cells.size()); }
  bool Filled(uint32_t cell) const { return matrix_.row_of[cell] != kNoRow; }
  int At(uint32_t cell) const { return matrix_.cells[cell]; }
  uint32_t Stride(int i) const { return matrix_.stride[static_cast<size_t>(i)]; }

  uint32_t Levels(int i) const {
    const int value = matrix_.from[static_cast<size_t>(i)];
    const int scale = scheme_.values[static_cast<size_t>(value)].scale;
    return static_cast<uint32_t>(scheme_.scales[static_cast<size_t>(scale)].levels.size());
  }
  uint32_t Level(uint32_t cell, int i) const { return cell / Stride(i) % Levels(i); }

  uint32_t Exchange(uint32_t cell, const std::vector<std::pair<int, int>>& pairs) const {
    uint32_t other = cell;
    for (const auto& [a, b] : pairs) {
      other -= Stride(a) * Level(cell, a) + Stride(b) * Level(cell, b);
      other += Stride(a) * Level(cell, b) + Stride(b) * Level(cell, a);
    }
    return other;
  }

  // The cell with one step of `b` given for one step of `a`, if there is one.
  std::optional<uint32_t> Trade(uint32_t cell, int a, int b) const {
    if (Level(cell, a) + 1 >= Levels(a) || Level(cell, b) == 0) return std::nullopt;
    return cell + Stride(a) - Stride(b);
  }

 private:
  const scheme::Scheme& scheme_;
  const scheme::Matrix& matrix_;
};

}  // namespace starratings::verify
