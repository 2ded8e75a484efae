#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "rating-svc/rating/assemble.h"
#include "rating-svc/rating/grounds.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/sentences.h"

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

std::vector<TestFinding> TestsOf(const Scheme& scheme, const Limit& limit,
                                 const Evaluation& evaluation, uint64_t held) {
  std::vector<TestFinding> tests;
  for (size_t i = 0; i < limit.any.size(); ++i) {
    const scheme::Condition& condition = limit.any[i];
    const Value& value = evaluation.values[static_cast<size_t>(condition.value)];
    TestFinding test;
    test.value = scheme.values[static_cast<size_t>(condition.value)].name;
    test.found = PrintValue(scheme, condition.value, value);
    test.condition = condition.text;
    test.held = i < 64 && (held >> i & 1) != 0;
    test.absent = value.absent;
    test.margin = PrintMargin(scheme, condition, value);
    tests.push_back(std::move(test));
  }
  return tests;
}

const char* KindName(const Limit& limit) {
  return limit.veto ? "Veto " : limit.floor ? "Floor " : "Cap ";
}

// The test that tells most: where one is enough the first that held, where all
// are needed the first that did not; else the first.
const TestFinding& Telling(const Limit& limit, const std::vector<TestFinding>& tests) {
  const auto found = std::find_if(tests.begin(), tests.end(),
                                  [&](const TestFinding& test) { return test.held != limit.all; });
  return found == tests.end() ? tests.front() : *found;
}

// The limit in words, with the values of the most telling condition put in.
std::string Say(const Scheme& scheme, const std::string& organisation, const Limit& limit,
                const StepFinding& step) {
  const TestFinding& test = Telling(limit, step.tests);
  const std::string level = scheme.LevelName(limit.target, limit.level);
  if (!step.fired || limit.say.empty()) {
    return absl::StrCat(
        KindName(limit), limit.id, step.fired ? " applies" : " does not apply", ": ", test.value,
        " is ", test.found.empty() ? ToString(test.absent) : Quote(test.found), ", the test is ",
        test.condition, limit.all ? " (all must hold)" : "", "; it limits ", step.target,
        limit.floor ? " from below to " : " to ", Quote(level), ".");
  }
  return absl::StrReplaceAll(limit.say, {{"{value}", test.found},
                                         {"{threshold}", test.condition},
                                         {"{margin}", test.margin},
                                         {"{before}", step.before},
                                         {"{after}", step.after},
                                         {"{limit}", level},
                                         {"{target}", step.target},
                                         {"{organisation}", organisation}});
}

std::string SayWriter(const std::string& say, const std::string& organisation,
                      const StepFinding& step, const std::string& reads) {
  if (!say.empty()) {
    return absl::StrReplaceAll(say, {{"{after}", step.after},
                                     {"{value}", reads},
                                     {"{target}", step.target},
                                     {"{organisation}", organisation}});
  }
  if (step.after.empty()) {
    return absl::StrCat(step.rule_id, " gives nothing for ", step.target, ": a value is missing (",
                        reads, ").");
  }
  return absl::StrCat(step.rule_id, " gives ", Quote(step.after), " for ", step.target, " from ",
                      reads, ".");
}

// `adults.serving "some", adults.prospects "poor"`.
std::string PrintReads(const Scheme& scheme, const std::vector<int>& reads,
                       const Evaluation& evaluation) {
  std::string text;
  for (const int read : reads) {
    const Value& value = evaluation.values[static_cast<size_t>(read)];
    absl::StrAppend(&text, text.empty() ? "" : ", ", scheme.values[static_cast<size_t>(read)].name,
                    " ",
                    value.absent == Absent::kNo ? Quote(PrintValue(scheme, read, value))
                                                : ToString(value.absent));
  }
  return text;
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
                                       value.absent, value.assumed, readings_.items[i]});
    }
    for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
      explanation_.steps.push_back(StepOf(stage));
    }
    explanation_.sentences = Summarise(scheme_, explanation_);
    return std::move(explanation_);
  }

 private:
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
      case StageKind::kSum: {
        std::vector<int> reads;
        for (const scheme::Term& term : scheme_.sums[index].terms) reads.push_back(term.value);
        FillWriter(scheme_.sums[index], reads, trace, step);
        break;
      }
      case StageKind::kBand:
        FillWriter(scheme_.bands[index], {scheme_.bands[index].from}, trace, step);
        break;
      case StageKind::kMatrix:
        FillMatrix(scheme_.matrices[index], trace, step);
        break;
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
    step.tests = TestsOf(scheme_, limit, evaluation_, trace.held);
    step.binding = IsBinding(scheme_, readings_, evaluation_, index, scratch_);
    step.basis = limit.basis;
    step.citations = limit.citations;
    step.sentence = Say(scheme_, dossier_.organisation.name, limit, step);
  }

  template <typename Stage>
  void FillWriter(const Stage& rule, const std::vector<int>& reads, const StageTrace& trace,
                  StepFinding& step) {
    step.basis = rule.basis;
    step.citations = rule.citations;
    FillOutput(rule.id, rule.say, rule.output, reads, trace, step);
  }

  void FillMatrix(const scheme::Matrix& matrix, const StageTrace& trace, StepFinding& step) {
    if (trace.cell >= 0) {
      const scheme::Row& row = matrix.rows[matrix.row_of[static_cast<size_t>(trace.cell)]];
      step.basis = row.basis;
      step.citations = row.citations;
    }
    FillOutput(matrix.id, matrix.say, matrix.output, matrix.from, trace, step);
  }

  // Without the rule that writes a value there is no value, unless a limit puts it
  // where it ended all the same.
  void FillOutput(const std::string& id, const std::string& say, int output,
                  const std::vector<int>& reads, const StageTrace& trace, StepFinding& step) {
    step.rule_id = id;
    step.target = scheme_.values[static_cast<size_t>(output)].name;
    step.after = PrintValue(scheme_, output, trace.after);
    step.binding = step.decided && !SuppliedByLimit(output);
    step.sentence =
        SayWriter(say, dossier_.organisation.name, step, PrintReads(scheme_, reads, evaluation_));
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
