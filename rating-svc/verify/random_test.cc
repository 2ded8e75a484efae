// Random small schemes: what is proven stage by stage must be what trying every
// combination of inputs on the production evaluator shows.
#include <map>
#include <set>
#include <tuple>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/random_schemes.h"
#include "rating-svc/verify/resolve.h"
#include "rating-svc/verify/space.h"
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

// What can be wrong, as (code, rule).
using Findings = std::set<std::pair<std::string, std::string>>;

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

  // Without the limit `skip`; -1: with all.
  rating::Value Evaluate(int skip, int value) {
    for (size_t i = 0; skip >= 0 && i < scheme_.stages.size(); ++i) {
      const scheme::Stage& stage = scheme_.stages[i];
      if (stage.kind != scheme::StageKind::kLimit || stage.index != skip) continue;
      skip = static_cast<int>(i);
      break;
    }
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
      const rating::Value* const by =
          band.by < 0 ? nullptr : &evaluation_.values[static_cast<size_t>(band.by)];
      if (by != nullptr && by->absent != rating::Absent::kNo) continue;
      const Number number{from.numerator, from.denominator};
      const size_t list =
          by == nullptr ? 0 : static_cast<size_t>(band.list_of[static_cast<size_t>(by->level)]);
      banded_.insert({band.id, list, BandLevel(band, number, list)});
    }
    for (size_t i = 0; i < scheme_.limits.size(); ++i) {
      const int target = scheme_.limits[i].target;
      const Word with = WordOf(Evaluate(-1, target));
      const Word without = WordOf(Evaluate(static_cast<int>(i), target));
      if (with >= 0 && with != without) alive_[i] = true;
    }
    Steps();
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

  // Which steps of adjustments make a difference; the bound stands behind them.
  void Steps() {
    for (size_t i = 0; i < scheme_.adjusts.size(); ++i) {
      const scheme::Adjust& adjust = scheme_.adjusts[i];
      const Word with = WordOf(Evaluate(-1, adjust.output));
      if (with < 0) continue;
      const size_t steps = adjust.steps.size() + (adjust.bound ? 1 : 0);
      for (size_t step = 0; step < steps; ++step) {
        if (stepping_.count({adjust.id, step}) > 0) continue;
        scheme::Scheme without = scheme_;
        scheme::Adjust& changed = without.adjusts[i];
        if (step == adjust.steps.size()) {
          changed.bound.reset();
        } else {
          changed.steps.erase(changed.steps.begin() + static_cast<std::ptrdiff_t>(step));
        }
        std::vector<rating::Value> readings;
        for (size_t j = 0; j < cell_.size(); ++j) readings.push_back(Reading(j, cell_[j]));
        rating::Evaluation evaluation(without);
        rating::Evaluate(without, readings, evaluation);
        if (WordOf(evaluation.values[static_cast<size_t>(adjust.output)]) != with) {
          stepping_.insert({adjust.id, step});
        }
      }
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
    for (const scheme::Count& count : scheme_.counts) {
      if (!used(count.output)) findings_.emplace("RULE_DEAD", count.id);
    }
    for (const scheme::Adjust& adjust : scheme_.adjusts) {
      const size_t steps = adjust.steps.size() + (adjust.bound ? 1 : 0);
      for (size_t step = 0; step < steps; ++step) {
        if (stepping_.count({adjust.id, step}) > 0 && used(adjust.output)) continue;
        findings_.emplace("RULE_DEAD", adjust.id);
      }
    }
    for (const scheme::Band& band : scheme_.bands) {
      for (size_t list = 0; list < std::max<size_t>(band.lists.size(), 1); ++list) {
        const size_t lowest = band.lists.empty() ? 0 : static_cast<size_t>(band.lists[list].lowest);
        const size_t cuts = band.lists.empty() ? band.cuts.size() : band.lists[list].cuts.size();
        for (size_t level = lowest; level <= lowest + cuts; ++level) {
          const bool given = banded_.count({band.id, list, static_cast<int>(level)}) > 0;
          if (!given || !used(band.output)) findings_.emplace("RULE_DEAD", band.id);
        }
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
  std::set<std::tuple<std::string, size_t, int>> banded_;
  std::set<std::pair<std::string, size_t>> stepping_;
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
