#include <algorithm>

#include "absl/strings/str_cat.h"
#include "rating-svc/rating/assemble.h"
#include "rating-svc/rating/grounds.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/sentences.h"
#include "rating-svc/rating/steps.h"

namespace starratings::rating {
namespace {

using scheme::Limit;
using scheme::Scheme;
using scheme::StageKind;

bool Same(const Value& a, const Value& b) {
  if (a.absent != b.absent) return false;
  if (a.absent != Absent::kNo) return true;
  return a.level == b.level && a.numerator * b.denominator == b.numerator * a.denominator;
}

// Whether a result would be different without this limit.
bool IsBinding(const Scheme& scheme, const Readings& readings, const Evaluation& evaluation,
               int limit, Evaluation& scratch) {
  Evaluate(scheme, readings.values, scratch, limit);
  for (size_t i = 0; i < scheme.results.size(); ++i) {
    if (!Same(evaluation.ResultOf(scheme, i), scratch.ResultOf(scheme, i))) return true;
  }
  return false;
}

class Explainer {
 public:
  Explainer(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date)
      : scheme_(scheme),
        dossier_(dossier),
        readings_(Read(scheme, dossier, date)),
        evaluation_(scheme),
        scratch_(scheme) {
    EvaluateTraced(scheme, readings_.values, evaluation_);
    grounds_.emplace(scheme, readings_.values, evaluation_);
    explanation_.rating = Assemble(scheme, dossier, date, readings_, evaluation_, *grounds_);
  }

  Explanation Explain() {
    for (size_t i = 0; i < scheme_.inputs.size(); ++i) {
      const Value& value = readings_.values[i];
      explanation_.readings.push_back({scheme_.inputs[i].code,
                                       PrintValue(scheme_, static_cast<int>(i), value),
                                       value.absent, value.assumed, readings_.items[i], FromOf(i)});
    }
    for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
      explanation_.steps.push_back(StepOf(stage));
    }
    explanation_.sentences = Summarise(scheme_, explanation_);
    return std::move(explanation_);
  }

 private:
  // Where an input that is no item was read.
  std::string FromOf(size_t input) const {
    const scheme::Input& of = scheme_.inputs[input];
    if (of.from == scheme::InputFrom::kAttribute) {
      return of.attribute == scheme::Attribute::kKind ? "kind" : "region";
    }
    const evidence::PublishedResult* const published = readings_.published[input];
    if (published == nullptr) return "";
    return absl::StrCat(published->scheme, "@", published->version, " ", published->digest);
  }

  StepFinding StepOf(size_t stage) {
    const StageTrace& trace = evaluation_.stages[stage];
    const auto index = static_cast<size_t>(scheme_.stages[stage].index);
    StepFinding step;
    step.kind = scheme_.stages[stage].kind;
    step.fired = trace.fired;
    step.decided = grounds_->Decided(stage);
    switch (step.kind) {
      case StageKind::kLimit:
        FillLimit(scheme_.limits[index], static_cast<int>(index), trace, step);
        break;
      case StageKind::kSum:
        FillWriter(scheme_.sums[index], stage, step);
        break;
      case StageKind::kBand:
        FillWriter(scheme_.bands[index], stage, step);
        FillList(scheme_.bands[index], step);
        break;
      case StageKind::kMatrix:
        FillMatrix(scheme_.matrices[index], stage, step);
        break;
      case StageKind::kCount:
        FillWriter(scheme_.counts[index], stage, step);
        break;
      case StageKind::kAdjust: {
        const scheme::Adjust& adjust = scheme_.adjusts[index];
        step.before =
            PrintValue(scheme_, adjust.from, evaluation_.values[static_cast<size_t>(adjust.from)]);
        FillWriter(adjust, stage, step);
        break;
      }
    }
    return step;
  }

  void FillLimit(const Limit& limit, int index, const StageTrace& trace, StepFinding& step) {
    step.rule_id = limit.id;
    step.veto = limit.veto;
    step.floor = limit.floor;
    step.target = scheme_.values[static_cast<size_t>(limit.target)].name;
    step.before = PrintValue(scheme_, limit.target, trace.before);
    step.after = PrintValue(scheme_, limit.target, trace.after);
    step.tests = TestsOf(scheme_, {StageKind::kLimit, index}, evaluation_, trace.held);
    step.binding = IsBinding(scheme_, readings_, evaluation_, index, scratch_);
    step.basis = limit.basis;
    step.citations = limit.citations;
    step.sentence = SayLimit(scheme_, dossier_.organisation.name, limit, step);
  }

  template <typename Rule>
  void FillWriter(const Rule& rule, size_t stage, StepFinding& step) {
    step.basis = rule.basis;
    step.citations = rule.citations;
    FillOutput(rule.id, rule.say, rule.output, stage, step);
  }

  // The cuts that were selected stand on a ground of their own.
  void FillList(const scheme::Band& band, StepFinding& step) {
    if (band.quantiles >= 0) {
      const scheme::Quantiles& of = scheme_.quantiles[static_cast<size_t>(band.quantiles)];
      step.basis = std::max(step.basis, of.basis);
      step.citations.insert(step.citations.end(), of.citations.begin(), of.citations.end());
    }
    if (band.by < 0) return;
    const Value& by = evaluation_.values[static_cast<size_t>(band.by)];
    if (by.absent != Absent::kNo) return;
    const scheme::CutList& list =
        band.lists[static_cast<size_t>(band.list_of[static_cast<size_t>(by.level)])];
    step.basis = std::max(step.basis, list.basis);
    step.citations.insert(step.citations.end(), list.citations.begin(), list.citations.end());
  }

  void FillMatrix(const scheme::Matrix& matrix, size_t stage, StepFinding& step) {
    const int32_t cell = evaluation_.stages[stage].cell;
    if (cell >= 0) {
      const scheme::Row& row = matrix.rows[matrix.row_of[static_cast<size_t>(cell)]];
      step.basis = row.basis;
      step.citations = row.citations;
      if (row.basis == scheme::Basis::kAssumed && !matrix.allowed.empty()) {
        const auto [lowest, highest] = matrix.allowed[static_cast<size_t>(cell)];
        for (int level = lowest; level <= highest; ++level) {
          step.allowed.push_back(scheme_.LevelName(matrix.output, level));
        }
      }
    }
    FillOutput(matrix.id, matrix.say, matrix.output, stage, step);
  }

  // Without the rule that writes a value there is no value, unless a limit puts it
  // where it ended all the same.
  void FillOutput(const std::string& id, const std::string& say, int output, size_t stage,
                  StepFinding& step) {
    const StageTrace& trace = evaluation_.stages[stage];
    step.rule_id = id;
    step.target = scheme_.values[static_cast<size_t>(output)].name;
    step.after = PrintValue(scheme_, output, trace.after);
    step.tests = TestsOf(scheme_, scheme_.stages[stage], evaluation_, trace.held);
    step.binding = step.decided && !SuppliedByLimit(output);
    step.sentence = SayWriter(scheme_, dossier_.organisation.name, scheme_.stages[stage], say, step,
                              evaluation_);
  }

  // Whether a limit that fired gives the value its final level by itself.
  bool SuppliedByLimit(int value) const {
    for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
      if (scheme_.stages[stage].kind != StageKind::kLimit) continue;
      const Limit& limit = scheme_.limits[static_cast<size_t>(scheme_.stages[stage].index)];
      const Value& final = evaluation_.values[static_cast<size_t>(value)];
      if (limit.target == value && limit.limits_absent && evaluation_.stages[stage].fired &&
          limit.level == final.level) {
        return true;
      }
    }
    return false;
  }

  const Scheme& scheme_;
  const evidence::Dossier& dossier_;
  const Readings readings_;
  Evaluation evaluation_;
  Evaluation scratch_;
  std::optional<Grounds> grounds_;
  Explanation explanation_;
};

}  // namespace

Explanation Explain(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date) {
  return Explainer(scheme, dossier, date).Explain();
}

}  // namespace starratings::rating
