#include "rating-svc/verify/diff.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/wire/evidence_wire.h"
#include "rating-svc/verify/merge.h"
#include "rating-svc/verify/replay.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

Count CountOf(Ways cells) {
  Count count;
  count.too_many = cells >= kWaysMost;
  if (count.too_many) return count;
  count.high = static_cast<uint64_t>(cells >> 64);
  count.low = static_cast<uint64_t>(cells);
  return count;
}

// Gathers where evidence leads, both ways.
class Moves final : public Observer {
 public:
  struct Move {
    Ways cells = 0;
    Assignment example;
  };

  void OnEnd(Word first, Word second, const State& state) override {
    Move& move = moves_[{std::max<Word>(first, kUnknown), std::max<Word>(second, kUnknown)}];
    if (move.cells == 0) move.example = state.Trace(false);
    move.cells = AddWays(move.cells, state.Ways());
  }

  const std::map<std::pair<Word, Word>, Move>& moves() const { return moves_; }

 private:
  // Of what is not rated, why does not matter.
  std::map<std::pair<Word, Word>, Move> moves_;
};

std::string LevelOf(const Scheme& scheme, int value, Word word) {
  return word < 0 ? "" : scheme.LevelName(value, static_cast<int>(word));
}

// The result's level under one scheme, by the evaluator; empty if not rated.
std::string Evaluated(const Scheme& scheme, const std::string& result,
                      const evidence::Dossier& dossier) {
  for (const rating::ResultOutcome& outcome : rating::Rate(scheme, dossier, scheme.from).results) {
    if (outcome.id == result) return outcome.level;
  }
  return "";
}

// Evidence of an assignment on the merged scheme. An input that does not matter
// to this result is given too where the schemes would refuse without it.
std::vector<std::pair<int, evidence::Value>> GivenBy(const Merged& merged,
                                                     const std::vector<Domain>& domains,
                                                     const Assignment& assignment) {
  std::vector<std::pair<int, evidence::Value>> given;
  for (size_t i = 0; i < merged.scheme.inputs.size(); ++i) {
    int cell = assignment[i];
    const bool needed = merged.scheme.inputs[i].on_missing == scheme::OnMissing::kRefuse;
    if (cell < 0 && needed) cell = static_cast<int>(domains[i].present) - 1;
    if (cell < 0) continue;
    given.emplace_back(static_cast<int>(i), domains[i].cells[static_cast<size_t>(cell)].value);
  }
  return given;
}

scheme::v1::Case CaseOf(const Scheme& scheme,
                        const std::vector<std::pair<int, evidence::Value>>& given,
                        const std::string& id) {
  scheme::v1::Case shown;
  shown.set_id(id);
  shown.set_basis(scheme::v1::BASIS_ASSUMED);
  for (const auto& [input, value] : given) {
    const auto* const missing = std::get_if<evidence::MissingReason>(&value);
    if (missing != nullptr && *missing == evidence::MissingReason::kNotReported) continue;
    scheme::v1::Given& message = *shown.add_given();
    message.set_code(scheme.inputs[static_cast<size_t>(input)].code);
    wire::Write(value, *message.mutable_value());
  }
  return shown;
}

class Differ {
 public:
  Differ(const Scheme& before, const Scheme& after) : before_(before), after_(after) {}

  SpaceDiff Run();

 private:
  void NoteInputs();
  void NoteResults();
  void Compare(const Merged::Pair& pair);
  std::string Example(const Shift& shift, const Assignment& assignment);
  void Fail(std::string note) {
    out_.complete = false;
    out_.notes.push_back(std::move(note));
  }

  const Scheme& before_;
  const Scheme& after_;
  Merged merged_;
  std::vector<Domain> domains_;
  Budget budget_;
  SpaceDiff out_;
};

void Differ::NoteInputs() {
  for (const std::string& code : merged_.incomparable) {
    Fail(absl::StrCat("the two read ", code,
                      " in another type or on other levels: no evidence "
                      "is evidence for both, and the space is not compared"));
  }
  if (!before_.quantiles.empty() || !after_.quantiles.empty()) {
    Fail("a cohort decides where cuts lie: the space is not compared");
    return;
  }
  for (const scheme::Sum& sum : merged_.scheme.sums) {
    if (!IsFree(merged_.scheme, sum)) continue;
    Fail("a sum of numbers can be anything: the space is not compared");
    break;
  }
  for (const std::string& code : merged_.needed_by_one) {
    out_.notes.push_back(absl::StrCat("only one of the two reads ", code,
                                      ", and rates nobody without it: compared is only evidence "
                                      "that has it"));
  }
  if (merged_.without_gaps.empty()) return;
  out_.notes.push_back(absl::StrCat(
      "the two treat gaps of ", absl::StrJoin(merged_.without_gaps, ", "),
      " differently: compared is only evidence that has them, and has them for all to count"));
}

void Differ::NoteResults() {
  const auto lacks = [](const Scheme& a, const Scheme& b, const std::string& name,
                        std::vector<std::string>& notes) {
    for (const scheme::Result& result : a.results) {
      const std::string& id = a.values[static_cast<size_t>(result.value)].name;
      const bool there = std::any_of(b.results.begin(), b.results.end(), [&](const auto& other) {
        return b.values[static_cast<size_t>(other.value)].name == id;
      });
      if (!there) notes.push_back(absl::StrCat("only ", name, " has the result ", id));
      if (there && a.values[static_cast<size_t>(result.value)].scale < 0) {
        notes.push_back(absl::StrCat("the result ", id, " is a number, and not compared"));
      }
    }
  };
  lacks(before_, after_, before_.Name(), out_.notes);
  lacks(after_, before_, after_.Name(), out_.notes);
  std::sort(out_.notes.begin(), out_.notes.end());
  out_.notes.erase(std::unique(out_.notes.begin(), out_.notes.end()), out_.notes.end());
}

std::string Differ::Example(const Shift& shift, const Assignment& assignment) {
  const auto given = GivenBy(merged_, domains_, assignment);
  const evidence::Dossier dossier = DossierOf(merged_.scheme, given);
  const std::pair<const Scheme&, const std::string&> sides[] = {{before_, shift.before},
                                                                {after_, shift.after}};
  std::vector<scheme::v1::Case> cases;
  for (const auto& [scheme, expected] : sides) {
    if (Evaluated(scheme, shift.result, dossier) != expected) {
      Fail(absl::StrCat("the evaluator does not confirm an example of ", shift.result, " under ",
                        scheme.Name(), "; this is a fault of the comparison"));
      return "";
    }
    scheme::v1::Case& shown = cases.emplace_back(CaseOf(merged_.scheme, given, scheme.Name()));
    scheme::v1::Expect& expect = *shown.add_expect();
    expect.set_result(shift.result);
    if (expected.empty()) {
      expect.mutable_not_rated();
    } else {
      expect.set_level(expected);
    }
  }
  return Print(cases);
}

void Differ::Compare(const Merged::Pair& pair) {
  Moves moves;
  Question question;
  question.target = pair.before;
  question.second = pair.after;
  question.counterparts = merged_.counterparts;
  if (!Explore(merged_.scheme, domains_, question, budget_, moves)) {
    Fail(absl::StrCat("the space of ", pair.result, " is too large to compare"));
    return;
  }
  for (const auto& [words, move] : moves.moves()) {
    Shift& shift = out_.shifts.emplace_back();
    shift.result = pair.result;
    shift.before = LevelOf(merged_.scheme, pair.before, words.first);
    shift.after = LevelOf(merged_.scheme, pair.after, words.second);
    shift.cells = CountOf(move.cells);
    if (shift.before != shift.after) shift.example = Example(shift, move.example);
  }
}

SpaceDiff Differ::Run() {
  merged_ = Merge(before_, after_);
  NoteInputs();
  if (!out_.complete) return std::move(out_);
  NoteResults();
  domains_ = DomainsOf(merged_.scheme);
  for (const Merged::Pair& pair : merged_.results) Compare(pair);
  return std::move(out_);
}

}  // namespace

std::string Count::ToString() const {
  if (too_many) return "more than 10^38";
  Ways left = (static_cast<Ways>(high) << 64) + low;
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(left % 10)));
    left /= 10;
  } while (left > 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

SpaceDiff DiffSpace(const Scheme& before, const Scheme& after) {
  return Differ(before, after).Run();
}

}  // namespace starratings::verify
