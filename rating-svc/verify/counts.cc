// Counts for people.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rating-svc/verify/mask.h"
#include "rating-svc/verify/proofs.h"

namespace starratings::verify {
namespace {

using scheme::Basis;
using scheme::Scheme;

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
