// What is proven of the scheme as a whole.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rating-svc/verify/observers.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/replay.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

class WholeProver {
 public:
  WholeProver(const Draft& draft, Issues& issues, std::vector<std::string>& report)
      : draft_(draft),
        scheme_(draft.scheme),
        domains_(DomainsOf(draft.scheme)),
        issues_(issues),
        report_(report),
        coverage_(draft.scheme),
        used_(draft.scheme.values.size(), false) {
    exact_ = std::none_of(scheme_.sums.begin(), scheme_.sums.end(),
                          [this](const auto& sum) { return IsFree(scheme_, sum); });
  }

  void Run() {
    const bool done = Reach() && Move() && Vetoes() && Steps();
    if (!done) {
      issues_.Add("LIMIT_EXCEEDED", "", 1,
                  "the scheme has too many combinations of values that are needed at one time: "
                  "what it claims cannot be proven");
      return;
    }
    Limits();
    Writers();
    Rows();
    Transitions();
  }

 private:
  int ValueOf(size_t result) const { return scheme_.results[result].value; }
  const std::string& NameOf(int value) const {
    return scheme_.values[static_cast<size_t>(value)].name;
  }

  bool Reach() {
    for (size_t i = 0; i < scheme_.results.size(); ++i) {
      const std::vector<bool> cone = ConeOf(scheme_, ValueOf(i));
      for (size_t value = 0; value < cone.size(); ++value) {
        if (cone[value]) used_[value] = true;
      }
      coverage_.reached.clear();
      if (!Explore(scheme_, domains_, {.target = ValueOf(i)}, budget_, coverage_)) return false;
      Levels(i);
    }
    return true;
  }

  // Every level of a result is reached, and the evaluator agrees.
  void Levels(size_t result) {
    const int value = ValueOf(result);
    const int scale = scheme_.values[static_cast<size_t>(value)].scale;
    for (const auto& [word, assignment] : coverage_.reached) {
      const Replay replay = verify::Run(scheme_, domains_, assignment, "reached");
      Compare(value, replay, word, draft_.result_lines[result]);
    }
    if (scale < 0) return;
    const auto& levels = scheme_.scales[static_cast<size_t>(scale)].levels;
    std::vector<std::string> missing;
    for (size_t level = 0; level < levels.size(); ++level) {
      if (coverage_.reached.count(static_cast<Word>(level)) == 0) {
        missing.push_back(absl::StrCat("\"", levels[level], "\""));
      }
    }
    if (missing.empty()) {
      report_.push_back(absl::StrCat("every level of ", NameOf(value),
                                     " can be reached: ", absl::StrJoin(levels, ", ")));
    } else {
      issues_.Add("RESULT_UNREACHABLE", NameOf(value), draft_.result_lines[result],
                  absl::StrCat("no evidence leads to ", absl::StrJoin(missing, ", ")));
    }
  }

  // The proofs and the evaluator were written apart; where they differ nothing
  // is proven.
  void Compare(int value, const Replay& replay, Word proven, int line) {
    const rating::Value& evaluated = replay.evaluation.values[static_cast<size_t>(value)];
    if (!exact_ || Agrees(scheme_, value, evaluated, proven)) return;
    issues_.Add("REPLAY_DIFFERS", NameOf(value), line,
                "the evaluator does not give what was proven: a fault of this program",
                Print({replay.shown}));
  }

  // Every input can move a result, and none the wrong way.
  bool Move() {
    std::vector<bool> matters(scheme_.inputs.size(), false);
    for (const scheme::Transition& transition : scheme_.transitions) {
      matters[static_cast<size_t>(transition.previous)] = true;
    }
    const std::vector<size_t> like = AlikeOf(scheme_);
    for (size_t result = 0; result < scheme_.results.size(); ++result) {
      const std::vector<bool> cone = ConeOf(scheme_, ValueOf(result));
      bool monotone = true;
      for (size_t input = 0; input < scheme_.inputs.size(); ++input) {
        if (!cone[input] || like[input] != input) continue;
        Moves moves(scheme_.values[input].lower_is_better);
        const Question question{.target = ValueOf(result), .varied = static_cast<int>(input)};
        if (!Explore(scheme_, domains_, question, budget_, moves)) return false;
        matters[input] = matters[input] || moves.matters;
        // The levels of an attribute are in no order.
        const bool ordered = scheme_.inputs[input].from != scheme::InputFrom::kAttribute;
        if (!moves.worse || !ordered) continue;
        monotone = false;
        NotMonotone(result, input, *moves.worse);
      }
      if (monotone) NoteMonotone(result);
    }
    for (size_t input = 0; input < matters.size(); ++input) matters[input] = matters[like[input]];
    const auto dead = static_cast<size_t>(std::count(matters.begin(), matters.end(), false));
    for (size_t input = 0; input < matters.size(); ++input) {
      if (matters[input]) continue;
      issues_.Add("INPUT_DEAD", scheme_.inputs[input].code, draft_.input_lines[input],
                  used_[input] ? "whatever this input says, every result stays the same"
                               : "no result depends on this input");
    }
    if (dead == 0) {
      report_.push_back(absl::StrCat("each of ", matters.size(), " inputs can matter"));
    }
    return true;
  }

  void NoteMonotone(size_t result) {
    for (const Property& property : draft_.properties) {
      const auto* claim = std::get_if<MonotoneClaim>(&property.claim);
      if (claim == nullptr || claim->result != static_cast<int>(result)) continue;
      report_.push_back(absl::StrCat(property.id, ": better evidence never makes ",
                                     NameOf(ValueOf(result)),
                                     " worse: proven over the whole scheme"));
    }
  }

  void NotMonotone(size_t result, size_t input, const Moves::Found& found) {
    const bool lower = scheme_.values[input].lower_is_better;
    for (const Property& property : draft_.properties) {
      const auto* claim = std::get_if<MonotoneClaim>(&property.claim);
      if (claim == nullptr || claim->result != static_cast<int>(result)) continue;
      const int value = ValueOf(result);
      // The worse evidence first.
      const Assignment& worse = lower ? found.after : found.before;
      const Assignment& better = lower ? found.before : found.after;
      const Replay first = verify::Run(scheme_, domains_, worse, "counterexample-1");
      const Replay second = verify::Run(scheme_, domains_, better, "counterexample-2");
      Compare(value, first, lower ? found.second : found.first, property.line);
      Compare(value, second, lower ? found.first : found.second, property.line);
      issues_.Add("NOT_MONOTONE", property.id, property.line,
                  absl::StrCat("better evidence on ", scheme_.inputs[input].code, " makes ",
                               NameOf(value), " worse", LevelsOf(value, found, lower)),
                  exact_ ? Print({first.shown, second.shown}) : "");
    }
  }

  std::string LevelsOf(int value, const Moves::Found& found, bool lower) const {
    if (scheme_.values[static_cast<size_t>(value)].scale < 0) return "";
    const Word from = lower ? found.second : found.first;
    const Word to = lower ? found.first : found.second;
    return absl::StrCat(": \"", scheme_.LevelName(value, static_cast<int>(from)), "\" becomes \"",
                        scheme_.LevelName(value, static_cast<int>(to)), "\"");
  }

  bool Vetoes() {
    for (const Property& property : draft_.properties) {
      const auto* claim = std::get_if<VetoClaim>(&property.claim);
      if (claim == nullptr) continue;
      const scheme::Limit& limit = scheme_.limits[static_cast<size_t>(claim->limit)];
      Firing firing;
      const Question question{.target = limit.target, .claimed = claim->limit};
      if (!Explore(scheme_, domains_, question, budget_, firing)) return false;
      if (!firing.spared) {
        report_.push_back(absl::StrCat(property.id, ": whenever ", limit.id, " holds, ",
                                       NameOf(limit.target), " is \"",
                                       scheme_.LevelName(limit.target, 0), "\": proven"));
        continue;
      }
      const Replay replay = verify::Run(scheme_, domains_, firing.spared->second, "counterexample");
      issues_.Add("VETO_BROKEN", property.id, property.line,
                  absl::StrCat("the conditions of ", limit.id, " hold, and ", NameOf(limit.target),
                               " is not at its lowest level"),
                  exact_ ? Print({replay.shown}) : "");
    }
    return true;
  }

  // Every step of an adjustment makes a difference to something.
  bool Steps() {
    for (size_t i = 0; i < scheme_.adjusts.size(); ++i) {
      const scheme::Adjust& adjust = scheme_.adjusts[i];
      if (!used_[static_cast<size_t>(adjust.output)]) continue;
      const std::vector<int>& lines = draft_.step_lines[i];
      for (size_t step = 0; step < lines.size(); ++step) {
        Stepping stepping;
        const Question question{
            .target = adjust.output, .adjust = static_cast<int>(i), .step = static_cast<int>(step)};
        if (!Explore(scheme_, domains_, question, budget_, stepping)) return false;
        if (stepping.matters) continue;
        issues_.Add("RULE_DEAD", adjust.id, lines[step],
                    absl::StrCat("without this ", step < adjust.steps.size() ? "step" : "bound",
                                 " ", NameOf(adjust.output), " would always be the same"));
      }
    }
    return true;
  }

  void Limits() {
    size_t dead = 0;
    for (size_t i = 0; i < scheme_.limits.size(); ++i) {
      if (coverage_.limits[i]) continue;
      ++dead;
      const scheme::Limit& limit = scheme_.limits[i];
      const bool used = used_[static_cast<size_t>(limit.target)];
      issues_.Add(
          "RULE_DEAD", limit.id, draft_.limit_lines[i],
          used ? absl::StrCat("can never ", limit.floor ? "raise " : "lower ", NameOf(limit.target),
                              ": it does not fire, or what it would ",
                              limit.floor ? "raise is as high" : "lower is as low", " without it")
               : absl::StrCat("no result depends on ", NameOf(limit.target)));
    }
    if (dead == 0 && !scheme_.limits.empty()) {
      report_.push_back(absl::StrCat("each of ", scheme_.limits.size(),
                                     HasFloors() ? " caps, floors and vetoes" : " caps and vetoes",
                                     " makes a difference to some evidence"));
    }
  }

  bool HasFloors() const {
    return std::any_of(scheme_.limits.begin(), scheme_.limits.end(),
                       [](const scheme::Limit& limit) { return limit.floor; });
  }

  void Writers() {
    Unused(scheme_.sums, draft_.sum_lines);
    Unused(scheme_.bands, draft_.band_lines);
    Unused(scheme_.counts, draft_.count_lines);
    Unused(scheme_.adjusts, draft_.adjust_lines);
    for (size_t i = 0; i < scheme_.bands.size(); ++i) {
      const scheme::Band& band = scheme_.bands[i];
      if (!used_[static_cast<size_t>(band.output)]) continue;
      for (size_t list = 0; list < coverage_.bands[i].size(); ++list) Cuts(i, list);
    }
  }

  template <typename Rule>
  void Unused(const std::vector<Rule>& rules, const std::vector<int>& lines) {
    for (size_t i = 0; i < rules.size(); ++i) {
      if (used_[static_cast<size_t>(rules[i].output)]) continue;
      issues_.Add("RULE_DEAD", rules[i].id, lines[i],
                  absl::StrCat("no result depends on ", NameOf(rules[i].output)));
    }
  }

  // Every level that a list of cuts can give is given.
  void Cuts(size_t index, size_t list) {
    const scheme::Band& band = scheme_.bands[index];
    const std::vector<int>& lines = draft_.cut_lines[index][list];
    const size_t lowest = band.lists.empty() ? 0 : static_cast<size_t>(band.lists[list].lowest);
    for (size_t step = 0; step <= lines.size(); ++step) {
      if (coverage_.bands[index][list][lowest + step]) continue;
      // The cut below the level; where lower is better they stand the other way.
      const size_t at = step == 0 ? 0 : step - 1;
      issues_.Add("RULE_DEAD", band.id, lines[band.at_most ? lines.size() - 1 - at : at],
                  absl::StrCat("no evidence leads to \"",
                               scheme_.LevelName(band.output, static_cast<int>(lowest + step)),
                               "\": this cut does nothing"));
    }
  }

  void Rows() {
    for (size_t i = 0; i < scheme_.matrices.size(); ++i) {
      const scheme::Matrix& matrix = scheme_.matrices[i];
      if (!used_[static_cast<size_t>(matrix.output)]) {
        issues_.Add("RULE_DEAD", matrix.id, draft_.matrix_lines[i],
                    absl::StrCat("no result depends on ", NameOf(matrix.output)));
        continue;
      }
      std::vector<bool> alive(matrix.rows.size(), false);
      for (size_t cell = 0; cell < matrix.cells.size(); ++cell) {
        if (coverage_.cells[i][cell]) alive[matrix.row_of[cell]] = true;
      }
      for (size_t row = 0; row < alive.size(); ++row) {
        if (alive[row]) continue;
        issues_.Add("RULE_DEAD", matrix.id, matrix.rows[row].line, "no evidence leads to this row");
      }
      report_.push_back(absl::StrCat(matrix.id, " is complete: one row for each of ",
                                     matrix.cells.size(), " combinations"));
    }
  }

  void Transitions() {
    for (size_t i = 0; i < scheme_.transitions.size(); ++i) {
      const scheme::Transition& transition = scheme_.transitions[i];
      const int value = ValueOf(static_cast<size_t>(transition.result));
      const int scale = scheme_.values[static_cast<size_t>(value)].scale;
      const size_t levels = scheme_.scales[static_cast<size_t>(scale)].levels.size();
      if (static_cast<size_t>(transition.listed_at_most) + 1 < levels) continue;
      issues_.Add("RULE_DEAD", transition.id, draft_.transition_lines[i],
                  "the best result, too, is on the list: nobody could ever leave it");
    }
  }

  const Draft& draft_;
  const Scheme& scheme_;
  const std::vector<Domain> domains_;
  Issues& issues_;
  std::vector<std::string>& report_;
  Coverage coverage_;
  Budget budget_;
  std::vector<bool> used_;  // By value: whether a result depends on it.
  bool exact_ = true;       // Without free sums, whose ways cannot be replayed.
};

}  // namespace

void ProveWhole(const Draft& draft, Issues& issues, std::vector<std::string>& report) {
  WholeProver(draft, issues, report).Run();
}

}  // namespace starratings::verify
