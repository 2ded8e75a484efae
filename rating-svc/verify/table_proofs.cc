// What is proven of the tables alone.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "rating-svc/verify/mask.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/replay.h"
#include "rating-svc/verify/table.h"

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

// The cells that a claim is of.
class Scope {
 public:
  Scope(const Scheme& scheme, const Table& table, bool live)
      : table_(table), mask_(scheme, table.matrix()), live_(live) {}

  bool Has(uint32_t cell) const { return table_.Filled(cell) && !(live_ && mask_.Masks(cell)); }
  const char* name() const { return live_ ? ", of live cells" : ""; }

 private:
  const Table& table_;
  const Mask mask_;
  const bool live_;
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
    const Scope scope(scheme_, table, claim.live);
    Breaches breaches;
    for (uint32_t cell = 0; cell < table.size(); ++cell) {
      const uint32_t other = table.Exchange(cell, claim.pairs);
      if (other <= cell || !scope.Has(cell) || !scope.Has(other)) continue;
      if (table.At(cell) != table.At(other)) breaches.Add({cell, other});
    }
    Conclude(property, "NOT_SYMMETRIC", absl::StrCat("symmetric", scope.name()), claim.matrix,
             breaches, [&](const Breach& breach) {
               return absl::StrCat("exchanging the pairs changes the result: ",
                                   Describe(table, breach[0]), "; ", Describe(table, breach[1]));
             });
  }

  void Outranks(const Property& property, const OutranksClaim& claim) {
    const Table table(scheme_, claim.matrix);
    const Scope scope(scheme_, table, claim.live);
    Breaches breaches;
    for (const auto& [a, b] : claim.pairs) {
      if (claim.lexicographic) {
        Lexicographic(table, scope, a, b, breaches);
      } else {
        Swap(table, scope, a, b, breaches);
      }
    }
    const std::string name = absl::StrCat(
        "outranks (", claim.lexicographic ? "lexicographic" : "swap", ")", scope.name());
    Conclude(property, "NOT_OUTRANKING", name, claim.matrix, breaches, [&](const Breach& breach) {
      return absl::StrCat(claim.lexicographic
                              ? "higher in the stronger value, and the result is worse: "
                              : "one step of the weaker value given for one of the stronger "
                                "makes the result worse: ",
                          Describe(table, breach[0]), "; ", Describe(table, breach[1]));
    });
  }

  static void Swap(const Table& table, const Scope& scope, int a, int b, Breaches& breaches) {
    for (uint32_t cell = 0; cell < table.size(); ++cell) {
      const std::optional<uint32_t> other = table.Trade(cell, a, b);
      if (!other || !scope.Has(cell) || !scope.Has(*other)) continue;
      if (table.At(*other) < table.At(cell)) breaches.Add({cell, *other});
    }
  }

  // Of what is alike in all else: the best that is lower in `a` against the worst
  // that is higher.
  static void Lexicographic(const Table& table, const Scope& scope, int a, int b,
                            Breaches& breaches) {
    for (uint32_t start = 0; start < table.size(); ++start) {
      if (table.Level(start, a) > 0 || table.Level(start, b) > 0) continue;
      std::optional<uint32_t> best;
      for (uint32_t level = 0; level < table.Levels(a); ++level) {
        std::optional<uint32_t> worst_here;
        std::optional<uint32_t> best_here;
        for (uint32_t weaker = 0; weaker < table.Levels(b); ++weaker) {
          const uint32_t cell = start + level * table.Stride(a) + weaker * table.Stride(b);
          if (!scope.Has(cell)) continue;
          if (!worst_here || table.At(cell) < table.At(*worst_here)) worst_here = cell;
          if (!best_here || table.At(cell) > table.At(*best_here)) best_here = cell;
        }
        if (best && worst_here && table.At(*worst_here) < table.At(*best)) {
          breaches.Add({*best, *worst_here});
        }
        if (best_here && (!best || table.At(*best_here) > table.At(*best))) best = best_here;
      }
    }
  }

  void Points(const Property& property, const PointsClaim& claim) {
    const Table table(scheme_, claim.matrix);
    const Scope scope(scheme_, table, claim.live);
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
      if (scope.Has(cell) && table.At(cell) != level(cell)) breaches.Add({cell});
    }
    Conclude(property, "POINTS_DIFFER", absl::StrCat("equals points", scope.name()), claim.matrix,
             breaches, [&](const Breach& breach) {
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

  void Conclude(const Property& property, const char* code, const std::string& name, int matrix,
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

}  // namespace

void ProveTables(const Draft& draft, Issues& issues, std::vector<std::string>& report) {
  TableProver prover(draft, issues, report);
  for (const Property& property : draft.properties) prover.Run(property);
  for (size_t i = 0; i < draft.scheme.matrices.size(); ++i) prover.Forced(static_cast<int>(i));
}

}  // namespace starratings::verify
