// What the declared principles and the documented cells leave of a table.
#include <algorithm>

#include "rating-svc/verify/mask.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/table.h"

namespace starratings::verify {
namespace {

// Which cells the declared principles put below which.
class Ranks {
 public:
  Ranks(const Draft& draft, int index)
      : table_(draft.scheme, index), mask_(draft.scheme, table_.matrix()) {
    for (const Property& property : draft.properties) {
      if (const auto* s = std::get_if<SymmetricClaim>(&property.claim)) {
        if (s->matrix == index) symmetric_.push_back(s);
      } else if (const auto* o = std::get_if<OutranksClaim>(&property.claim)) {
        if (o->matrix == index) outranks_.push_back(o);
      } else if (const auto* m = std::get_if<MonotoneClaim>(&property.claim)) {
        const int value = draft.scheme.results[static_cast<size_t>(m->result)].value;
        monotone_ = monotone_ || value == table_.matrix().output;
      }
    }
  }

  const Table& table() const { return table_; }
  bool monotone() const { return monotone_; }

  // The cells that are at least as high (or low) as `cell`, one step away.
  std::vector<uint32_t> Next(uint32_t cell, bool up) const {
    std::vector<uint32_t> next;
    const auto add = [&](uint32_t other, bool live) {
      if (!live || !(mask_.Masks(cell) || mask_.Masks(other))) next.push_back(other);
    };
    for (const SymmetricClaim* claim : symmetric_) {
      add(table_.Exchange(cell, claim->pairs), claim->live);
    }
    for (const OutranksClaim* claim : outranks_) {
      for (const auto& [a, b] : claim->pairs) {
        const auto other = up ? table_.Trade(cell, a, b) : table_.Trade(cell, b, a);
        if (other) add(*other, claim->live);
        if (claim->lexicographic) Beyond(cell, a, b, up, [&](uint32_t o) { add(o, claim->live); });
      }
    }
    const auto inputs = static_cast<int>(table_.matrix().from.size());
    for (int i = 0; monotone_ && i < inputs; ++i) {
      const uint32_t level = table_.Level(cell, i);
      if (up && level + 1 < table_.Levels(i)) next.push_back(cell + table_.Stride(i));
      if (!up && level > 0) next.push_back(cell - table_.Stride(i));
    }
    return next;
  }

 private:
  // Calls `each` with the cells that are one or more levels higher (or lower) in `a`,
  // whatever they are in `b`.
  template <typename Each>
  void Beyond(uint32_t cell, int a, int b, bool up, Each each) const {
    const uint32_t level = table_.Level(cell, a);
    const uint32_t start =
        cell - level * table_.Stride(a) - table_.Level(cell, b) * table_.Stride(b);
    for (uint32_t other = up ? level + 1 : 0; other < (up ? table_.Levels(a) : level); ++other) {
      for (uint32_t weaker = 0; weaker < table_.Levels(b); ++weaker) {
        each(start + other * table_.Stride(a) + weaker * table_.Stride(b));
      }
    }
  }

  const Table table_;
  const Mask mask_;
  std::vector<const SymmetricClaim*> symmetric_;
  std::vector<const OutranksClaim*> outranks_;
  bool monotone_ = false;
};

// Carries what is known of some cells to all that rank above (or below) them;
// the strongest first, so that each cell is visited once.
void Spread(const Ranks& ranks, const std::vector<std::pair<int, uint32_t>>& known, bool up,
            std::vector<uint8_t>& bound) {
  std::vector<bool> seen(bound.size(), false);
  for (const auto& [level, start] : known) {
    std::vector<uint32_t> open = {start};
    while (!open.empty()) {
      const uint32_t cell = open.back();
      open.pop_back();
      if (seen[cell]) continue;
      seen[cell] = true;
      bound[cell] = static_cast<uint8_t>(level);
      for (const uint32_t next : ranks.Next(cell, up)) open.push_back(next);
    }
  }
}

}  // namespace

Bounds BoundsOf(const Draft& draft, int matrix) {
  const Ranks ranks(draft, matrix);
  const Table& table = ranks.table();
  const int scale = draft.scheme.values[static_cast<size_t>(table.matrix().output)].scale;
  const size_t levels = draft.scheme.scales[static_cast<size_t>(scale)].levels.size();
  const auto best = static_cast<uint8_t>(levels - 1);
  Bounds bounds{std::vector<uint8_t>(table.size(), 0), std::vector<uint8_t>(table.size(), best)};
  std::vector<std::pair<int, uint32_t>> known;
  for (uint32_t cell = 0; cell < table.size(); ++cell) {
    if (!table.Filled(cell)) continue;
    const scheme::Row& row = table.matrix().rows[table.matrix().row_of[cell]];
    if (row.basis == scheme::Basis::kDocumented) known.emplace_back(table.At(cell), cell);
  }
  std::sort(known.begin(), known.end());
  Spread(ranks, known, /*up=*/false, bounds.highest);
  // A result is of no use if its best level cannot be reached; where limits only
  // lower, and the table is monotone, its best cell must have it.
  const bool raised = std::any_of(draft.scheme.limits.begin(), draft.scheme.limits.end(),
                                  [&](const scheme::Limit& limit) {
                                    return limit.floor && limit.target == table.matrix().output;
                                  });
  if (ranks.monotone() && !raised) known.emplace_back(best, table.size() - 1);
  std::reverse(known.begin(), known.end());
  std::stable_sort(known.begin(), known.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Spread(ranks, known, /*up=*/true, bounds.lowest);
  return bounds;
}

}  // namespace starratings::verify
