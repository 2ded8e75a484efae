// Random small schemes: what is proven stage by stage must be what trying every
// combination of inputs on the production evaluator shows.
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/resolve.h"
#include "rating-svc/verify/space.h"
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

// What can be wrong, as (code, rule).
using Findings = std::set<std::pair<std::string, std::string>>;

// Writes schemes that are well-formed; whether they are any good is chance.
class Author {
 public:
  explicit Author(uint32_t seed) : random_(seed) {}

  std::string Write() {
    text_ = R"(id: "r" version: "1" title: "R" in_force { from: "2000-01-01" }
      scale { id: "two" level: "l0" level: "l1" }
      scale { id: "three" level: "l0" level: "l1" level: "l2" lowest_score: 1 })";
    const int inputs = 2 + Pick(3);
    for (int i = 0; i < inputs; ++i) Input(i);
    const int limits = Pick(3);
    for (int i = 0; i < limits; ++i) Limit(levels_[Choose(levels_)], "A");
    Stage("x");
    if (Pick(2) == 0) Stage("y");
    const auto& result = levels_.back();
    const int last = 1 + Pick(3);
    for (int i = 0; i < last; ++i) Limit(result, "Z");
    absl::StrAppend(&text_, "\nresult { value: \"", result.first, "\" }",
                    "\nproperty { id: \"MON\" monotone { result: \"", result.first,
                    "\" } basis: BASIS_ASSUMED }\n");
    return text_;
  }

 private:
  using Named = std::pair<std::string, int>;  // A value and its number of levels.

  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  size_t Choose(const std::vector<Named>& values) {
    return static_cast<size_t>(Pick(static_cast<int>(values.size())));
  }
  static const char* ScaleOf(int levels) { return levels == 2 ? "two" : "three"; }

  void Input(int i) {
    const std::string code = absl::StrCat("i", i);
    absl::StrAppend(&text_, "\ninput { code: \"", code, "\" ");
    const int kind = i < 2 ? Pick(2) : Pick(4);
    if (kind < 2) {
      absl::StrAppend(&text_, "scale: \"", ScaleOf(kind + 2), "\" ");
      levels_.emplace_back(code, kind + 2);
    } else {
      absl::StrAppend(&text_, kind == 2 ? "ratio" : "decimal",
                      " { lower_is_better: ", Pick(2) == 0 ? "true" : "false", " } ");
      numbers_.push_back(code);
    }
    const int missing = Pick(kind < 2 ? 3 : 2);
    absl::StrAppend(&text_,
                    missing == 0   ? "on_missing: ON_MISSING_REFUSE"
                    : missing == 1 ? "on_missing: ON_MISSING_ABSENT"
                                   : "on_missing: ON_MISSING_ASSUME assume: \"l0\"",
                    " basis: BASIS_ASSUMED }");
    read_.push_back(code);
  }

  std::string Condition(const std::string& target) {
    if (!numbers_.empty() && Pick(2) == 0) {
      static constexpr const char* kTests[] = {"above", "below", "at_least", "at_most"};
      return absl::StrCat(
          "any { value: \"", numbers_[static_cast<size_t>(Pick(static_cast<int>(numbers_.size())))],
          "\" ", kTests[Pick(4)], " { fraction { numerator: ", Pick(3), " denominator: 2 } } } ");
    }
    for (int tries = 0; tries < 20; ++tries) {
      const Named& value = levels_[Choose(levels_)];
      if (value.first >= target) continue;  // Only what comes before: no cycles.
      return absl::StrCat("any { value: \"", value.first, "\" ",
                          Pick(3) == 0 ? "level_at_least" : "level_at_most", ": \"l",
                          Pick(value.second), "\" } ");
    }
    return "";
  }

  void Limit(Named target, const std::string& prefix) {
    std::string conditions = Condition(target.first);
    if (Pick(2) == 0) absl::StrAppend(&conditions, Condition(target.first));
    if (conditions.empty()) return;
    const int kind = Pick(4);
    const bool veto = kind == 0;
    if (!veto && Pick(2) == 0) conditions = absl::StrReplaceAll(conditions, {{"any {", "all {"}});
    absl::StrAppend(&text_,
                    veto        ? "\nveto"
                    : kind == 1 ? "\nfloor"
                                : "\ncap",
                    " { id: \"", prefix, ++limits_, "\" target: \"", target.first, "\" ",
                    conditions, Pick(2) == 0 ? "unknown: ON_UNKNOWN_SKIP " : "");
    if (!veto) {
      absl::StrAppend(&text_, "limit: \"l", Pick(target.second), "\" ",
                      Pick(2) == 0 ? "if_absent: IF_ABSENT_LIMIT " : "");
    }
    absl::StrAppend(&text_, "basis: BASIS_ASSUMED }");
  }

  // A table of two values, or a band of their sum.
  void Stage(const std::string& output) {
    const Named a = levels_[Choose(levels_)];
    Named b = levels_[Choose(levels_)];
    while (b.first == a.first) b = levels_[Choose(levels_)];
    const int levels = 2 + Pick(2);
    if (Pick(2) == 0) {
      absl::StrAppend(&text_, "\nmatrix { id: \"M", output, "\" from: \"", a.first, "\" from: \"",
                      b.first, "\" output: \"", output, "\" to: \"", ScaleOf(levels), "\"");
      for (int i = 0; i < a.second; ++i) {
        for (int j = 0; j < b.second; ++j) {
          const int wanted = std::min(levels - 1, (i + j + Pick(2)) / 2);
          absl::StrAppend(&text_, " row { when: \"l", i, "\" when: \"l", j, "\" then: \"l", wanted,
                          "\" basis: BASIS_ASSUMED }");
        }
      }
      absl::StrAppend(&text_, " }");
    } else {
      absl::StrAppend(&text_, "\nsum { id: \"S", output, "\" output: \"s", output,
                      "\" term { value: \"", a.first, "\" weight: ", 1 + Pick(3),
                      " } term { value: \"", b.first, "\" weight: ", 1 + Pick(3),
                      " } times: ", 1 + Pick(2), " over: ", 1 + Pick(3),
                      Pick(2) == 0 ? " round { unit: \"1\" }" : "", " basis: BASIS_ASSUMED }");
      absl::StrAppend(&text_, "\nband { id: \"B", output, "\" from: \"s", output, "\" output: \"",
                      output, "\" to: \"", ScaleOf(levels), "\"");
      for (int cut = 1, at = Pick(2); cut < levels; ++cut) {
        at += 1 + Pick(3);
        absl::StrAppend(&text_, " cut { decimal: \"", at, "\" }");
      }
      absl::StrAppend(&text_, " basis: BASIS_ASSUMED }");
    }
    levels_.emplace_back(output, levels);
  }

  std::mt19937 random_;
  std::string text_;
  std::vector<Named> levels_;
  std::vector<std::string> numbers_;
  std::vector<std::string> read_;
  int limits_ = 0;
};

// Tries every combination of cells on the evaluator.
class Flat {
 public:
  Flat(const Draft& draft, Findings& findings)
      : scheme_(draft.scheme),
        domains_(DomainsOf(draft.scheme)),
        value_(draft.scheme.results[0].value),
        cone_(ConeOf(draft.scheme, value_)),
        evaluation_(draft.scheme),
        alive_(draft.scheme.limits.size(), false),
        matters_(draft.scheme.inputs.size(), false),
        findings_(findings) {
    cell_.assign(scheme_.inputs.size(), 0);
    Walk(0);
    Report();
  }

  size_t count() const { return count_; }

 private:
  rating::Value Reading(size_t input, size_t cell) const {
    const Domain::Cell& of = domains_[input].cells[cell];
    if (of.word == kUnknown) {
      return rating::Value::Missing(rating::Absent::kNotReported, static_cast<int>(input));
    }
    if (of.word == kDoesNotCount) {
      return rating::Value::Missing(rating::Absent::kNotApplicable, static_cast<int>(input));
    }
    if (scheme_.values[input].scale >= 0) return rating::Value::Level(static_cast<int>(of.word));
    return rating::Value::Number(of.number.numerator, static_cast<int64_t>(of.number.denominator));
  }

  void Walk(size_t input) {
    if (input == scheme_.inputs.size()) {
      Look();
      return;
    }
    for (size_t cell = 0; cell < domains_[input].cells.size(); ++cell) {
      cell_[input] = cell;
      Walk(input + 1);
    }
  }

  rating::Value Evaluate(int skip, int value) {
    std::vector<rating::Value> readings;
    for (size_t i = 0; i < cell_.size(); ++i) readings.push_back(Reading(i, cell_[i]));
    rating::Evaluate(scheme_, readings, evaluation_, skip);
    return evaluation_.values[static_cast<size_t>(value)];
  }

  static Word WordOf(const rating::Value& value) {
    if (value.absent == rating::Absent::kNo) return value.level;
    return rating::DoesNotCount(value.absent) ? kDoesNotCount : kUnknown;
  }

  void Look() {
    ++count_;
    const Word here = WordOf(Evaluate(-1, value_));
    reached_.insert(here);
    for (const scheme::Matrix& matrix : scheme_.matrices) Row(matrix);
    for (const scheme::Band& band : scheme_.bands) {
      const rating::Value& from = evaluation_.values[static_cast<size_t>(band.from)];
      if (from.absent != rating::Absent::kNo) continue;
      const Number number{from.numerator, from.denominator};
      banded_.insert({band.id, BandLevel(band, number)});
    }
    for (size_t i = 0; i < scheme_.limits.size(); ++i) {
      const int target = scheme_.limits[i].target;
      const Word with = WordOf(Evaluate(-1, target));
      const Word without = WordOf(Evaluate(static_cast<int>(i), target));
      if (with >= 0 && with != without) alive_[i] = true;
    }
    for (size_t i = 0; i < cell_.size(); ++i) {
      if (!cone_[i] || cell_[i] + 1 >= domains_[i].present) continue;
      ++cell_[i];
      const Word next = WordOf(Evaluate(-1, value_));
      --cell_[i];
      matters_[i] = matters_[i] || next != here;
      const bool worse = scheme_.values[i].lower_is_better ? next > here : next < here;
      if (here >= 0 && next >= 0 && worse) findings_.emplace("NOT_MONOTONE", "MON");
    }
  }

  void Row(const scheme::Matrix& matrix) {
    uint32_t cell = 0;
    for (size_t i = 0; i < matrix.from.size(); ++i) {
      const rating::Value& value = evaluation_.values[static_cast<size_t>(matrix.from[i])];
      if (value.absent != rating::Absent::kNo) return;
      cell += matrix.stride[i] * static_cast<uint32_t>(value.level);
    }
    rows_.insert({matrix.id, matrix.row_of[cell]});
  }

  void Report() {
    const auto& levels =
        scheme_.scales[static_cast<size_t>(scheme_.values[static_cast<size_t>(value_)].scale)]
            .levels;
    for (size_t level = 0; level < levels.size(); ++level) {
      if (reached_.count(static_cast<Word>(level)) > 0) continue;
      findings_.emplace("RESULT_UNREACHABLE", scheme_.values[static_cast<size_t>(value_)].name);
    }
    const auto used = [&](int value) { return cone_[static_cast<size_t>(value)]; };
    for (size_t i = 0; i < alive_.size(); ++i) {
      if (!alive_[i] || !used(scheme_.limits[i].target)) {
        findings_.emplace("RULE_DEAD", scheme_.limits[i].id);
      }
    }
    for (const scheme::Matrix& matrix : scheme_.matrices) {
      for (uint32_t row = 0; row < matrix.rows.size(); ++row) {
        if (rows_.count({matrix.id, row}) > 0 && used(matrix.output)) continue;
        findings_.emplace("RULE_DEAD", matrix.id);
      }
    }
    for (const scheme::Sum& sum : scheme_.sums) {
      if (!used(sum.output)) findings_.emplace("RULE_DEAD", sum.id);
    }
    for (const scheme::Band& band : scheme_.bands) {
      for (size_t level = 0; level <= band.cuts.size(); ++level) {
        if (banded_.count({band.id, static_cast<int>(level)}) > 0 && used(band.output)) continue;
        findings_.emplace("RULE_DEAD", band.id);
      }
    }
    for (size_t i = 0; i < matters_.size(); ++i) {
      if (!matters_[i]) findings_.emplace("INPUT_DEAD", scheme_.inputs[i].code);
    }
  }

  const Scheme& scheme_;
  const std::vector<Domain> domains_;
  const int value_;
  const std::vector<bool> cone_;
  rating::Evaluation evaluation_;
  std::vector<size_t> cell_;
  std::vector<bool> alive_;
  std::vector<bool> matters_;
  std::set<Word> reached_;
  std::set<std::pair<std::string, uint32_t>> rows_;
  std::set<std::pair<std::string, int>> banded_;
  Findings& findings_;
  size_t count_ = 0;
};

TEST(RandomSchemes, FactoredProofsAgreeWithTryingEverything) {
  std::map<std::string, int> seen;
  int good = 0;
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    const std::string text = Author(seed).Write();
    scheme::v1::Scheme message;
    google::protobuf::TextFormat::ParseInfoTree tree;
    ASSERT_TRUE(wire::ParseText(text, message, &tree).empty()) << text;
    Issues issues;
    Draft draft = Resolve(message, Place(message.GetDescriptor(), &tree), issues);
    ASSERT_TRUE(issues.empty()) << text << Told(issues.Take());
    ASSERT_TRUE(Order(draft, issues)) << text;
    std::vector<std::string> report;
    ProveWhole(draft, issues, report);
    Findings proven;
    const std::vector<Issue> told = issues.Take();
    for (const Issue& issue : told) proven.emplace(issue.code, issue.rule_id);
    Findings tried;
    Flat(draft, tried);
    ASSERT_EQ(proven, tried) << "seed " << seed << "\n" << text << "\n" << Told(told);
    for (const auto& [code, rule] : proven) ++seen[code];
    good += proven.empty();
  }
  // The schemes are worth trying only if they are of all sorts.
  EXPECT_GT(good, 10);
  for (const char* code : {"RULE_DEAD", "RESULT_UNREACHABLE", "INPUT_DEAD", "NOT_MONOTONE"}) {
    EXPECT_GT(seen[code], 50) << code;
  }
}

}  // namespace
}  // namespace starratings::verify
