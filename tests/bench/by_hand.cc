// What somebody would write who had this one scheme and wanted it fast: no branch
// that depends on a dossier, and one table with the vetoes worked into it.
#include <algorithm>

#include "tests/bench/records.h"

namespace starratings::bench {
namespace {

constexpr std::array<uint8_t, 256> kStars = [] {
  std::array<uint8_t, 256> stars{};
  for (int cell = 0; cell < 256; ++cell) {
    const int adults = cell / 64;
    const int adults_prospects = cell / 16 % 4;
    const int children = cell / 4 % 4;
    const int children_prospects = cell % 4;
    const int points = 2 * (adults + children) + adults_prospects + children_prospects;
    const bool failed = std::min({adults, adults_prospects, children, children_prospects}) == 0;
    const int level = failed ? 0 : points >= 15 ? 3 : points >= 10 ? 2 : points >= 6 ? 1 : 0;
    stars[static_cast<size_t>(cell)] = static_cast<uint8_t>(level);
  }
  return stars;
}();

// 1 or 0; of 0 of 0 both are 0, as they should be.
unsigned Above(Ratio ratio, uint64_t numerator, uint64_t denominator) {
  return ratio.numerator * denominator > numerator * ratio.denominator;
}
unsigned Below(Ratio ratio, uint64_t numerator, uint64_t denominator) {
  return ratio.numerator * denominator < numerator * ratio.denominator;
}

}  // namespace

void StarsByHand(std::span<const Record> records, std::span<uint8_t> stars) {
  for (size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    const auto& [placements, registrations, childrens_homes, adult_homes, equipment] =
        record.indicators;
    // In numbers: of truth values the compiler makes branches.
    const unsigned children_capped =
        Above(placements, 1, 5) | Above(registrations, 6, 25) | Below(childrens_homes, 1, 1);
    const unsigned adults_capped = Below(adult_homes, 1, 1) | Below(equipment, 4, 5);
    const unsigned adults = std::min(unsigned{record.levels[0]}, 3 - adults_capped);
    const unsigned children = std::min(unsigned{record.levels[2]}, 3 - 2 * children_capped);
    stars[i] = kStars[64 * adults + 16U * record.levels[1] + 4 * children + record.levels[3]];
  }
}

}  // namespace starratings::bench
