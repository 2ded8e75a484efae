#include "starctl/analysis_text.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "starctl/phrases.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

std::string Percent(double probability) { return absl::StrFormat("%.2f %%", 100 * probability); }

std::string SetsText(const rating::v1::ChangeSets& sets, absl::string_view heading,
                     absl::string_view none) {
  std::string out;
  if (sets.sets().empty() && sets.complete()) return absl::StrCat("  ", none, "\n");
  absl::StrAppend(&out, "  ", heading, ", ", Counted(sets.sets_size(), "set"), ":\n");
  for (const auto& set : sets.sets()) {
    std::vector<std::string> changes;
    for (const auto& change : set.changes()) changes.push_back(ChangeText(change));
    absl::StrAppend(&out, Wrap(absl::StrCat(Counted(set.steps(), "step"), " to ", set.level(), ": ",
                                            absl::StrJoin(changes, "; ")),
                               "  - ", "    "));
  }
  if (!sets.complete()) {
    absl::StrAppend(&out, "  not all: the search met its limit; all of ",
                    Counted(sets.complete_steps(), "step"), " or fewer are there\n");
  }
  return out;
}

std::string HeldText(const google::protobuf::RepeatedPtrField<rating::v1::HeldInput>& held,
                     bool counted) {
  std::vector<std::string> names;
  for (const auto& input : held) {
    names.push_back(absl::StrCat(input.code(), " (", input.reason(),
                                 counted ? absl::StrCat(", ", input.organisations()) : "", ")"));
  }
  return absl::StrJoin(names, ", ");
}

std::string Chances(const rating::v1::AssessRobustnessResponse& assessed) {
  bool bounds = false;
  bool not_rated = false;
  for (const auto& one : assessed.organisations()) {
    for (const auto& outcome : one.outcomes()) {
      bounds = bounds || outcome.most() > 0;
      not_rated = not_rated || outcome.level().empty();
    }
  }
  std::vector<Table::Column> columns = {{"organisation"}, {"name"}, {assessed.result()}};
  for (const auto& outcome : assessed.organisations(0).outcomes()) {
    if (outcome.level().empty()) continue;
    columns.push_back({absl::StrCat("P(", outcome.level(), ")"), Table::Align::kRight});
    if (bounds) columns.push_back({"bounds", Table::Align::kRight});
  }
  if (not_rated) {
    columns.push_back({"P(not rated)", Table::Align::kRight});
    if (bounds) columns.push_back({"bounds", Table::Align::kRight});
  }
  const size_t width = columns.size();
  Table table(std::move(columns));
  for (const auto& one : assessed.organisations()) {
    std::vector<std::string> row = {one.organisation(), one.name(),
                                    one.level().empty() ? "not rated" : one.level()};
    for (const auto& outcome : one.outcomes()) {
      row.push_back(Percent(outcome.probability()));
      if (bounds) {
        row.push_back(absl::StrCat(Percent(outcome.least()), " - ", Percent(outcome.most())));
      }
    }
    row.resize(width);
    table.AddRow(std::move(row));
  }
  return table.ToString();
}

std::string VariationText(const rating::v1::Variation& variation) {
  if (variation.has_threshold()) {
    const auto& threshold = variation.threshold();
    return absl::StrCat(threshold.rule_id(), ".", threshold.condition(), " = ",
                        threshold.has_number() ? threshold.number().decimal() : threshold.level());
  }
  return absl::StrCat(
      variation.item().code(), " = ",
      variation.item().has_text() ? variation.item().text() : ValueText(variation.item().value()));
}

std::string PlaceText(const rating::v1::Outcome& outcome) {
  return outcome.has_level() ? outcome.level() : outcome.not_rated() ? "not rated" : "a number";
}

// A row for each outcome now, a column for each then.
std::string MovesText(const google::protobuf::RepeatedPtrField<rating::v1::OutcomeMove>& moves) {
  std::string out;
  std::map<std::string, std::map<std::pair<std::string, std::string>, int64_t>> by_result;
  std::map<std::string, std::set<std::string>> places;
  for (const auto& move : moves) {
    const std::string before = PlaceText(move.before());
    const std::string after = PlaceText(move.after());
    by_result[move.result()][{before, after}] = move.count();
    places[move.result()].insert({before, after});
  }
  for (const auto& [result, counts] : by_result) {
    std::vector<Table::Column> columns = {{result + ", from"}};
    for (const std::string& after : places[result]) {
      columns.push_back({"to " + after, Table::Align::kRight});
    }
    Table table(std::move(columns));
    for (const std::string& before : places[result]) {
      std::vector<std::string> row = {before};
      for (const std::string& after : places[result]) {
        const auto found = counts.find({before, after});
        row.push_back(found == counts.end() ? "." : absl::StrCat(found->second));
      }
      table.AddRow(std::move(row));
    }
    absl::StrAppend(&out, table.ToString(), "\n");
  }
  return out;
}

std::string PairsText(const google::protobuf::RepeatedPtrField<rating::v1::RatingPair>& pairs,
                      absl::string_view after_name) {
  if (pairs.empty()) return "";
  std::vector<Table::Column> columns = {{"organisation"}, {"name"}};
  for (const auto& result : pairs[0].before().results()) {
    columns.push_back({result.id()});
    columns.push_back({std::string(after_name)});
  }
  const size_t width = columns.size();
  Table table(std::move(columns));
  for (const auto& pair : pairs) {
    std::vector<std::string> row = {pair.before().organisation(), pair.before().name()};
    for (const auto& result : pair.before().results()) {
      row.push_back(OutcomeAndMechanicalText(result));
      const auto& after = pair.after().results();
      const auto found = std::find_if(after.begin(), after.end(),
                                      [&](const auto& other) { return other.id() == result.id(); });
      row.push_back(found == after.end() ? "" : OutcomeAndMechanicalText(*found));
    }
    row.resize(width);
    table.AddRow(std::move(row));
  }
  return table.ToString();
}

std::string CauseText(rating::v1::ChangeCause cause) {
  switch (cause) {
    case rating::v1::CHANGE_CAUSE_CORRECTED_EVIDENCE:
      return "corrected evidence";
    case rating::v1::CHANGE_CAUSE_NEW_EVIDENCE:
      return "new evidence";
    case rating::v1::CHANGE_CAUSE_CHANGED_SCHEME:
      return "changed scheme";
    default:
      return "";
  }
}

std::string ChangesText(const rating::v1::CompareRatingsResponse& compared) {
  if (compared.changes().empty()) return "";
  Table table({{"organisation"},
               {"name"},
               {"result"},
               {"before"},
               {"corrected"},
               {"new evidence"},
               {"after"},
               {"codes corrected"},
               {"codes new"}});
  for (const auto& change : compared.changes()) {
    for (const auto& path : change.results()) {
      table.AddRow({change.organisation(), change.name(), path.before().id(),
                    OutcomeText(path.before()), OutcomeText(path.corrected()),
                    OutcomeText(path.with_new_evidence()), OutcomeText(path.after()),
                    absl::StrJoin(change.corrected_codes(), " "),
                    absl::StrJoin(change.new_codes(), " ")});
    }
  }
  return table.ToString();
}

std::string Counts(const rating::v1::AssessRobustnessResponse& assessed) {
  Table expected(
      {{assessed.result()}, {"now", Table::Align::kRight}, {"expected", Table::Align::kRight}});
  for (const auto& count : assessed.expected_counts()) {
    if (count.level().empty() && count.now() == 0 && count.expected() == 0) continue;
    expected.AddRow({count.level().empty() ? "not rated" : count.level(), absl::StrCat(count.now()),
                     absl::StrFormat("%.3f", count.expected())});
  }
  Table counts({{absl::StrCat("organisations at ", assessed.expected_counts(0).level()),
                 Table::Align::kRight},
                {"probability", Table::Align::kRight}});
  for (const auto& chance : assessed.lowest_counts()) {
    if (chance.probability() < 5e-5) continue;  // Would be shown as nothing.
    counts.AddRow({absl::StrCat(chance.count()), Percent(chance.probability())});
  }
  return absl::StrCat(expected.ToString(), "\n", counts.ToString(), "\n");
}

}  // namespace

std::string ChangeText(const rating::v1::Change& change) {
  std::string out =
      absl::StrCat(change.code(), " ", ValueText(change.from()),
                   change.from_assumed() ? " (assumed)" : "", " -> ", ValueText(change.to()));
  if (change.cases() != 0) {
    absl::StrAppend(&out, " (", Thousands(std::abs(change.cases())),
                    change.cases() > 0 ? " more" : " fewer", change.unit().empty() ? "" : " ",
                    change.unit(), ")");
  }
  return out;
}

std::string ImprovementsText(const rating::v1::FindImprovementsResponse& found, bool losses) {
  std::string out = absl::StrCat(found.rating().organisation(), " ", found.rating().name(), ", ",
                                 SchemeText(found.rating().scheme()), ", revision ",
                                 found.rating().snapshot().revision(), "\n");
  for (const auto& result : found.results()) {
    absl::StrAppend(
        &out, result.result(), ": ",
        result.level().empty() ? "not rated, so that there is no next level" : result.level(),
        "\n");
    if (result.level().empty()) continue;
    if (result.next_level().empty()) {
      absl::StrAppend(&out, "  this is the highest level\n");
    } else {
      absl::StrAppend(&out, SetsText(result.gains(), absl::StrCat("to ", result.next_level()),
                                     absl::StrCat("to ", result.next_level(), ": none exists")));
    }
    if (losses) {
      absl::StrAppend(
          &out, SetsText(result.losses(), "what would lose it", "what would lose it: nothing can"));
    }
    if (!result.held().empty()) {
      absl::StrAppend(&out, Wrap(HeldText(result.held(), false), "  kept as it is: ", "    "));
    }
  }
  return out;
}

std::string RobustnessText(const rating::v1::AssessRobustnessResponse& assessed) {
  std::string out = absl::StrCat(assessed.result(), " by ", SchemeText(assessed.scheme()),
                                 ", revision ", assessed.snapshot().revision(), "\n");
  const bool round = !assessed.expected_counts().empty();
  if (round) absl::StrAppend(&out, "\n", Counts(assessed));
  absl::StrAppend(&out, assessed.organisations().empty() ? "nobody\n" : Chances(assessed), "\n");
  for (const std::string& assumption : assessed.assumptions()) {
    absl::StrAppend(&out, Wrap(assumption, "assumed: ", "  "));
  }
  std::vector<std::string> varied;
  for (const auto& input : assessed.varied()) {
    varied.push_back(round ? absl::StrCat(input.code(), " (", input.organisations(), ")")
                           : input.code());
  }
  absl::StrAppend(
      &out, Wrap(varied.empty() ? "nothing" : absl::StrJoin(varied, ", "), "drawn anew: ", "  "));
  if (!assessed.held().empty()) {
    absl::StrAppend(&out, Wrap(HeldText(assessed.held(), round), "kept as it is: ", "  "));
  }
  if (assessed.bounds_refused()) {
    absl::StrAppend(&out, "no bounds: too many combinations of inputs\n");
  }
  absl::StrAppend(&out, absl::StrFormat("error at most %g\n", assessed.error_bound()));
  return out;
}

std::string SimulationText(const rating::v1::SimulateRatingRequest& asked,
                           const rating::v1::SimulateRatingResponse& simulated) {
  std::string out = absl::StrCat("simulated by ", SchemeText(simulated.scheme()), ", revision ",
                                 simulated.snapshot().revision(), "; nothing is recorded\n");
  for (int i = 0; i < simulated.outcomes_size() && i < asked.variations_size(); ++i) {
    const auto& outcome = simulated.outcomes(i);
    absl::StrAppend(
        &out, Wrap(absl::StrCat(VariationText(asked.variations(i)), ": ",
                                outcome.applied() ? "applied" : "refused: ", outcome.message()),
                   "  - ", "    "));
  }
  if (asked.organisation().empty()) {
    absl::StrAppend(&out, "\n", MovesText(simulated.moves()), simulated.changed_count(), " of ",
                    Counted(simulated.count(), "organisation"), " would change",
                    simulated.changed_count() > simulated.pairs_size() ? "; the first are" : "",
                    "\n");
  }
  absl::StrAppend(&out, PairsText(simulated.pairs(), "simulated"));
  return out;
}

std::string ComparisonText(const rating::v1::CompareRatingsResponse& compared) {
  std::string out = absl::StrCat("before: ", SchemeText(compared.before_scheme()), ", revision ",
                                 compared.before_snapshot().revision(),
                                 "\nafter:  ", SchemeText(compared.after_scheme()), ", revision ",
                                 compared.after_snapshot().revision(), "\n",
                                 Counted(compared.count(), "organisation"), " on both sides");
  if (compared.only_before() > 0)
    absl::StrAppend(&out, ", ", compared.only_before(), " before only");
  if (compared.only_after() > 0) absl::StrAppend(&out, ", ", compared.only_after(), " after only");
  absl::StrAppend(&out, "\n\n", MovesText(compared.moves()));
  for (const auto& cause : compared.causes()) {
    absl::StrAppend(&out, cause.result(), " changed by ", CauseText(cause.cause()), ": ",
                    Counted(cause.count(), "organisation"), "\n");
  }
  if (compared.changed_count() == 0) absl::StrAppend(&out, "nothing changed\n");
  if (compared.changed_count() > compared.changes_size()) {
    absl::StrAppend(&out, "the first ", compared.changes_size(), " of ", compared.changed_count(),
                    ":\n");
  }
  absl::StrAppend(&out, ChangesText(compared));
  return out;
}

}  // namespace starratings::starctl
