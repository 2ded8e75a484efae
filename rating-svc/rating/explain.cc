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

// Whether a result would be different without the rule of this stage.
bool IsBinding(const Scheme& scheme, const Readings& readings, const Evaluation& evaluation,
               size_t stage, Evaluation& scratch) {
  Evaluate(scheme, readings.values, scratch, static_cast<int>(stage));
  for (size_t i = 0; i < scheme.results.size(); ++i) {
    if (!Same(evaluation.ResultOf(scheme, i), scratch.ResultOf(scheme, i))) return true;
  }
  return false;
}

class Explainer {
 public:
  Explainer(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
            Words words)
      : scheme_(scheme),
        dossier_(dossier),
        words_(words == Words::kAll),
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
      explanation_.readings.push_back(
          {scheme_.inputs[i].code, PrintValue(scheme_, static_cast<int>(i), value), value.absent,
           value.assumed, readings_.gaps[i], readings_.items[i], FromOf(i)});
    }
    for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
      explanation_.steps.push_back(StepOf(stage));
    }
    if (words_) explanation_.sentences = Summarise(scheme_, explanation_);
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

  void Cite(const std::vector<scheme::Citation>& citations, StepFinding& step) const {
    if (words_) step.citations.insert(step.citations.end(), citations.begin(), citations.end());
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
        FillLimit(scheme_.limits[index], stage, trace, step);
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

  void FillLimit(const Limit& limit, size_t stage, const StageTrace& trace, StepFinding& step) {
    step.rule_id = limit.id;
    step.veto = limit.veto;
    step.floor = limit.floor;
    step.target = scheme_.values[static_cast<size_t>(limit.target)].name;
    step.before = PrintValue(scheme_, limit.target, trace.before);
    step.after = PrintValue(scheme_, limit.target, trace.after);
    step.tests = TestsOf(scheme_, scheme_.stages[stage], evaluation_, trace.held);
    step.binding = IsBinding(scheme_, readings_, evaluation_, stage, scratch_);
    step.basis = limit.basis;
    Cite(limit.citations, step);
    if (words_) step.sentence = SayLimit(scheme_, dossier_.organisation.name, limit, step);
  }

  template <typename Rule>
  void FillWriter(const Rule& rule, size_t stage, StepFinding& step) {
    step.basis = rule.basis;
    Cite(rule.citations, step);
    FillOutput(rule.id, rule.say, rule.output, stage, step);
  }

  // The cuts that were selected stand on a ground of their own.
  void FillList(const scheme::Band& band, StepFinding& step) {
    if (band.quantiles >= 0) {
      const scheme::Quantiles& of = scheme_.quantiles[static_cast<size_t>(band.quantiles)];
      step.basis = std::max(step.basis, of.basis);
      Cite(of.citations, step);
    }
    if (band.by < 0) return;
    const Value& by = evaluation_.values[static_cast<size_t>(band.by)];
    if (by.absent != Absent::kNo) return;
    const scheme::CutList& list =
        band.lists[static_cast<size_t>(band.list_of[static_cast<size_t>(by.level)])];
    step.basis = std::max(step.basis, list.basis);
    Cite(list.citations, step);
  }

  void FillMatrix(const scheme::Matrix& matrix, size_t stage, StepFinding& step) {
    const int32_t cell = evaluation_.stages[stage].cell;
    if (cell >= 0) {
      const scheme::Row& row = matrix.rows[matrix.row_of[static_cast<size_t>(cell)]];
      step.basis = row.basis;
      Cite(row.citations, step);
      if (row.basis == scheme::Basis::kAssumed && !matrix.allowed.empty()) {
        const auto [lowest, highest] = matrix.allowed[static_cast<size_t>(cell)];
        for (int level = lowest; level <= highest; ++level) {
          step.allowed.push_back(scheme_.LevelName(matrix.output, level));
        }
      }
    }
    FillOutput(matrix.id, matrix.say, matrix.output, stage, step);
  }

  void FillOutput(const std::string& id, const std::string& say, int output, size_t stage,
                  StepFinding& step) {
    const StageTrace& trace = evaluation_.stages[stage];
    step.rule_id = id;
    step.target = scheme_.values[static_cast<size_t>(output)].name;
    step.after = PrintValue(scheme_, output, trace.after);
    step.tests = TestsOf(scheme_, scheme_.stages[stage], evaluation_, trace.held);
    step.binding = step.decided && IsBinding(scheme_, readings_, evaluation_, stage, scratch_);
    if (!words_) return;
    step.sentence = SayWriter(scheme_, dossier_.organisation.name, scheme_.stages[stage], say, step,
                              evaluation_);
  }

  const Scheme& scheme_;
  const evidence::Dossier& dossier_;
  const bool words_;
  const Readings readings_;
  Evaluation evaluation_;
  Evaluation scratch_;
  std::optional<Grounds> grounds_;
  Explanation explanation_;
};

}  // namespace

Explanation Explain(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
                    Words words) {
  return Explainer(scheme, dossier, date, words).Explain();
}

}  // namespace starratings::rating
