// Which cells of a table vetoes reach. Internal to the room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

// The vetoes on a matrix's output, and what they make of its cells.
class Mask {
 public:
  Mask(const scheme::Scheme& scheme, const scheme::Matrix& matrix)
      : scheme_(scheme), matrix_(matrix) {
    for (const scheme::Limit& limit : scheme.limits) {
      if (limit.target != matrix.output) continue;
      only_vetoes_ = only_vetoes_ && limit.veto;
      if (limit.veto) vetoes_.push_back(&limit);
    }
  }

  const std::vector<const scheme::Limit*>& vetoes() const { return vetoes_; }
  bool only_vetoes() const { return only_vetoes_; }

  // Whether the cell's levels alone make the veto hold.
  bool Holds(const scheme::Limit& veto, uint32_t cell) const {
    return std::any_of(veto.any.begin(), veto.any.end(), [&](const scheme::Condition& condition) {
      for (size_t i = 0; i < matrix_.from.size(); ++i) {
        if (matrix_.from[i] != condition.value) continue;
        const int level = LevelOf(cell, i);
        return condition.comparison == scheme::Comparison::kLevelAtMost ? level <= condition.level
                                                                        : level >= condition.level;
      }
      return false;
    });
  }

  bool Masks(uint32_t cell) const {
    return std::any_of(vetoes_.begin(), vetoes_.end(),
                       [&](const scheme::Limit* veto) { return Holds(*veto, cell); });
  }

  // The ground of the result, not of the cell. A published outcome of just this
  // combination stands on itself. Otherwise, where a veto decides, the strongest
  // ground of those that do: what a documented veto leaves no choice about is
  // FORCED. Otherwise the row's.
  scheme::Basis BasisOf(uint32_t cell) const {
    const scheme::Basis row = matrix_.rows[matrix_.row_of[cell]].basis;
    if (!Masks(cell)) return row;
    if (row == scheme::Basis::kDocumented && matrix_.cells[cell] == 0) return row;
    scheme::Basis strongest = scheme::Basis::kAssumed;
    for (const scheme::Limit* veto : vetoes_) {
      if (Holds(*veto, cell)) strongest = std::min(strongest, veto->basis);
    }
    return strongest == scheme::Basis::kAssumed ? scheme::Basis::kAssumed : scheme::Basis::kForced;
  }

 private:
  int LevelOf(uint32_t cell, size_t i) const {
    const int scale = scheme_.values[static_cast<size_t>(matrix_.from[i])].scale;
    const size_t levels = scheme_.scales[static_cast<size_t>(scale)].levels.size();
    return static_cast<int>(cell / matrix_.stride[i] % levels);
  }

  const scheme::Scheme& scheme_;
  const scheme::Matrix& matrix_;
  std::vector<const scheme::Limit*> vetoes_;
  bool only_vetoes_ = true;
};

}  // namespace starratings::verify
