// Counts for people.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rating-svc/verify/proofs.h"

namespace starratings::verify {
namespace {

using scheme::Basis;
using scheme::Scheme;

// The vetoes on a matrix's output, and what they make of its cells.
class Mask {
 public:
  Mask(const Scheme& scheme, const scheme::Matrix& matrix) : scheme_(scheme), matrix_(matrix) {
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
  Basis BasisOf(uint32_t cell) const {
    const Basis row = matrix_.rows[matrix_.row_of[cell]].basis;
    if (!Masks(cell)) return row;
    if (row == Basis::kDocumented && matrix_.cells[cell] == 0) return row;
    Basis strongest = Basis::kAssumed;
    for (const scheme::Limit* veto : vetoes_) {
      if (Holds(*veto, cell)) strongest = std::min(strongest, veto->basis);
    }
    return strongest == Basis::kAssumed ? Basis::kAssumed : Basis::kForced;
  }

 private:
  int LevelOf(uint32_t cell, size_t i) const {
    const int scale = scheme_.values[static_cast<size_t>(matrix_.from[i])].scale;
    const size_t levels = scheme_.scales[static_cast<size_t>(scale)].levels.size();
    return static_cast<int>(cell / matrix_.stride[i] % levels);
  }

  const Scheme& scheme_;
  const scheme::Matrix& matrix_;
  std::vector<const scheme::Limit*> vetoes_;
  bool only_vetoes_ = true;
};

void CountMasked(const Scheme& scheme, const scheme::Matrix& matrix, const Mask& mask,
                 std::vector<std::string>& report) {
  std::vector<std::string> ids;
  for (const scheme::Limit* veto : mask.vetoes()) ids.push_back(veto->id);
  const int scale = scheme.values[static_cast<size_t>(matrix.output)].scale;
  std::vector<size_t> live(scheme.scales[static_cast<size_t>(scale)].levels.size(), 0);
  size_t masked = 0;
  for (uint32_t cell = 0; cell < matrix.cells.size(); ++cell) {
    if (mask.Masks(cell)) {
      ++masked;
    } else {
      ++live[matrix.cells[cell]];
    }
  }
  std::vector<std::string> levels;
  for (size_t level = 0; level < live.size(); ++level) {
    if (live[level] == 0) continue;
    levels.push_back(absl::StrCat(live[level], " of \"",
                                  scheme.LevelName(matrix.output, static_cast<int>(level)), "\""));
  }
  report.push_back(absl::StrCat(masked, " of ", matrix.cells.size(), " cells of ", matrix.id,
                                " are masked by vetoes ", absl::StrJoin(ids, ", "), "; ",
                                matrix.cells.size() - masked,
                                " are live: ", absl::StrJoin(levels, ", ")));
}

}  // namespace

void CountCells(const Draft& draft, std::vector<std::string>& report) {
  const Scheme& scheme = draft.scheme;
  for (const scheme::Matrix& matrix : scheme.matrices) {
    const Mask mask(scheme, matrix);
    if (!mask.vetoes().empty()) CountMasked(scheme, matrix, mask, report);
    const bool is_result =
        std::any_of(scheme.results.begin(), scheme.results.end(),
                    [&](const scheme::Result& result) { return result.value == matrix.output; });
    if (!is_result || !mask.only_vetoes()) continue;
    std::array<size_t, 4> counts{};
    for (uint32_t cell = 0; cell < matrix.cells.size(); ++cell) {
      ++counts[static_cast<size_t>(mask.BasisOf(cell))];
    }
    report.push_back(absl::StrCat("results by basis: DOCUMENTED ", counts[1], ", FORCED ",
                                  counts[2], ", ASSUMED ", counts[3]));
  }
}

}  // namespace starratings::verify
