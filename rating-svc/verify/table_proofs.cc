// What is proven of the tables alone.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/replay.h"

namespace starratings::verify {
namespace {

using scheme::Matrix;
using scheme::Scheme;

// More breaches of a property than these are counted, not tried.
constexpr size_t kTried = 64;

// Cells that break a property together.
using Breach = std::vector<uint32_t>;

struct Breaches {
  std::vector<Breach> shown;  // The first of them.
  size_t count = 0;

  void Add(Breach breach) {
    if (++count <= kTried) shown.push_back(std::move(breach));
  }
};

// One matrix, by its cells.
class Table {
 public:
  Table(const Scheme& scheme, int index)
      : scheme_(scheme), matrix_(scheme.matrices[static_cast<size_t>(index)]) {}

  const Matrix& matrix() const { return matrix_; }
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
  const Scheme& scheme_;
  const Matrix& matrix_;
};

// Notes a way to each cell that is wanted.
class Seeker : public Observer {
 public:
  Seeker(int matrix, const std::vector<Breach>& wanted) : matrix_(matrix) {
    for (const Breach& breach : wanted) wanted_.insert(breach.begin(), breach.end());
  }
  void OnMatrix(int matrix, uint32_t cell, const State& state) override {
    if (matrix != matrix_ || wanted_.count(cell) == 0) return;
    if (found_.count(cell) == 0) found_.emplace(cell, state.Trace(false));
  }
  const std::map<uint32_t, Assignment>& found() const { return found_; }

 private:
  const int matrix_;
  std::set<uint32_t> wanted_;
  std::map<uint32_t, Assignment> found_;
};

class TableProver {
 public:
  TableProver(const Draft& draft, Issues& issues, std::vector<std::string>& report)
      : draft_(draft), scheme_(draft.scheme), issues_(issues), report_(report) {}

  void Run(const Property& property) {
    if (const auto* symmetric = std::get_if<SymmetricClaim>(&property.claim)) {
      Symmetric(property, *symmetric);
    } else if (const auto* outranks = std::get_if<OutranksClaim>(&property.claim)) {
      Outranks(property, *outranks);
    } else if (const auto* points = std::get_if<PointsClaim>(&property.claim)) {
      Points(property, *points);
    }
  }

  void Forced(int index) {
    const Table table(scheme_, index);
    const std::vector<scheme::Row>& rows = table.matrix().rows;
    const bool any = std::any_of(rows.begin(), rows.end(), [](const scheme::Row& row) {
      return row.basis == scheme::Basis::kForced;
    });
    if (!any) return;
    const Bounds bounds = BoundsOf(draft_, index);
    std::set<uint32_t> told;
    size_t forced = 0;
    for (uint32_t cell = 0; cell < table.size(); ++cell) {
      if (!table.Filled(cell)) continue;
      const uint32_t row = table.matrix().row_of[cell];
      if (rows[row].basis != scheme::Basis::kForced) continue;
      ++forced;
      if (bounds.lowest[cell] == bounds.highest[cell] && bounds.lowest[cell] == table.At(cell)) {
        continue;
      }
      if (!told.insert(row).second) continue;
      const int output = table.matrix().output;
      issues_.Add("FORCED_UNPROVEN", table.matrix().id, rows[row].line,
                  absl::StrCat("the row is called FORCED, but for ",
                               CellName(scheme_, table.matrix(), cell),
                               " the principles and the documented rows leave \"",
                               scheme_.LevelName(output, bounds.lowest[cell]), "\" to \"",
                               scheme_.LevelName(output, bounds.highest[cell]), "\""));
    }
    if (told.empty()) {
      report_.push_back(absl::StrCat("the cells of ", table.matrix().id,
                                     " that are called FORCED are: proven for ", forced));
    }
  }

 private:
  void Symmetric(const Property& property, const SymmetricClaim& claim) {
    const Table table(scheme_, claim.matrix);
    Breaches breaches;
    for (uint32_t cell = 0; cell < table.size(); ++cell) {
      const uint32_t other = table.Exchange(cell, claim.pairs);
      if (other <= cell || !table.Filled(cell) || !table.Filled(other)) continue;
      if (table.At(cell) != table.At(other)) breaches.Add({cell, other});
    }
    Conclude(property, "NOT_SYMMETRIC", "symmetric", claim.matrix, breaches,
             [&](const Breach& breach) {
               return absl::StrCat("exchanging the pairs changes the result: ",
                                   Describe(table, breach[0]), "; ", Describe(table, breach[1]));
             });
  }

  void Outranks(const Property& property, const OutranksClaim& claim) {
    const Table table(scheme_, claim.matrix);
    Breaches breaches;
    for (const auto& [a, b] : claim.pairs) {
      for (uint32_t cell = 0; cell < table.size(); ++cell) {
        const std::optional<uint32_t> other = table.Trade(cell, a, b);
        if (!other || !table.Filled(cell) || !table.Filled(*other)) continue;
        if (table.At(*other) < table.At(cell)) breaches.Add({cell, *other});
      }
    }
    Conclude(property, "NOT_OUTRANKING", "outranks (swap)", claim.matrix, breaches,
             [&](const Breach& breach) {
               return absl::StrCat(
                   "one step of the weaker value given for one of the stronger makes the result "
                   "worse: ",
                   Describe(table, breach[0]), "; ", Describe(table, breach[1]));
             });
  }

  void Points(const Property& property, const PointsClaim& claim) {
    const Table table(scheme_, claim.matrix);
    const auto points = [&](uint32_t cell) {
      int64_t sum = 0;
      for (size_t i = 0; i < claim.weights.size(); ++i) {
        sum += claim.weights[i] * table.Level(cell, static_cast<int>(i));
      }
      return sum;
    };
    const auto level = [&](uint32_t cell) {
      return static_cast<int>(std::upper_bound(claim.cuts.begin(), claim.cuts.end(), points(cell)) -
                              claim.cuts.begin());
    };
    Breaches breaches;
    for (uint32_t cell = 0; cell < table.size(); ++cell) {
      if (table.Filled(cell) && table.At(cell) != level(cell)) breaches.Add({cell});
    }
    Conclude(property, "POINTS_DIFFER", "equals points", claim.matrix, breaches,
             [&](const Breach& breach) {
               return absl::StrCat(points(breach[0]), " points are \"",
                                   scheme_.LevelName(table.matrix().output, level(breach[0])),
                                   "\", and the table has ", Describe(table, breach[0]));
             });
  }

  std::string Describe(const Table& table, uint32_t cell) const {
    const uint32_t row = table.matrix().row_of[cell];
    return absl::StrCat("\"", scheme_.LevelName(table.matrix().output, table.At(cell)), "\" for ",
                        CellName(scheme_, table.matrix(), cell), " (line ",
                        table.matrix().rows[row].line, ")");
  }

  void Conclude(const Property& property, const char* code, const char* name, int matrix,
                const Breaches& breaches,
                const std::function<std::string(const Breach&)>& describe) {
    const Matrix& of = scheme_.matrices[static_cast<size_t>(matrix)];
    if (breaches.count == 0) {
      report_.push_back(absl::StrCat(property.id, ": ", of.id, " is proven ", name, " in its ",
                                     of.cells.size(), " cells"));
      return;
    }
    const auto [breach, text] = Show(matrix, breaches.shown);
    std::string message = describe(breach);
    if (breaches.count > 1) absl::StrAppend(&message, "; ", breaches.count - 1, " more like this");
    issues_.Add(code, property.id, property.line, message, text);
  }

  // The breach that shows best, and its cases: one that reaches the result, else
  // one that evidence can lead to at all, else the first, without cases.
  std::pair<Breach, std::string> Show(int matrix, const std::vector<Breach>& breaches) const {
    const Matrix& of = scheme_.matrices[static_cast<size_t>(matrix)];
    const std::vector<Domain> domains = DomainsOf(scheme_);
    Seeker seeker(matrix, breaches);
    Budget budget;
    if (!Explore(scheme_, domains, {.target = of.output}, budget, seeker)) {
      return {breaches.front(), ""};
    }
    std::optional<std::pair<Breach, std::string>> reachable;
    for (const Breach& breach : breaches) {
      std::vector<scheme::v1::Case> cases;
      bool masked = false;
      for (const uint32_t cell : breach) {
        const auto found = seeker.found().find(cell);
        if (found == seeker.found().end()) break;
        const Replay replay = verify::Run(scheme_, domains, found->second,
                                          absl::StrCat("counterexample-", cases.size() + 1));
        const rating::Value& out = replay.evaluation.values[static_cast<size_t>(of.output)];
        masked = masked || out.absent != rating::Absent::kNo || out.level != of.cells[cell];
        cases.push_back(replay.shown);
      }
      if (cases.size() < breach.size()) continue;
      if (!reachable || !masked) reachable = {breach, Print(cases)};
      if (!masked) break;
    }
    return reachable.value_or(std::pair{breaches.front(), std::string()});
  }

  const Draft& draft_;
  const Scheme& scheme_;
  Issues& issues_;
  std::vector<std::string>& report_;
};

// Which cells the declared principles put below which.
class Ranks {
 public:
  Ranks(const Draft& draft, int index) : table_(draft.scheme, index) {
    for (const Property& property : draft.properties) {
      if (const auto* s = std::get_if<SymmetricClaim>(&property.claim)) {
        if (s->matrix == index) symmetric_.push_back(s->pairs);
      } else if (const auto* o = std::get_if<OutranksClaim>(&property.claim)) {
        if (o->matrix == index) outranks_.insert(outranks_.end(), o->pairs.begin(), o->pairs.end());
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
    for (const auto& pairs : symmetric_) next.push_back(table_.Exchange(cell, pairs));
    for (const auto& [a, b] : outranks_) {
      const auto other = up ? table_.Trade(cell, a, b) : table_.Trade(cell, b, a);
      if (other) next.push_back(*other);
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
  const Table table_;
  std::vector<std::vector<std::pair<int, int>>> symmetric_;
  std::vector<std::pair<int, int>> outranks_;
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

void ProveTables(const Draft& draft, Issues& issues, std::vector<std::string>& report) {
  TableProver prover(draft, issues, report);
  for (const Property& property : draft.properties) prover.Run(property);
  for (size_t i = 0; i < draft.scheme.matrices.size(); ++i) prover.Forced(static_cast<int>(i));
}

}  // namespace starratings::verify
