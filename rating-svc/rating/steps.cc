#include "rating-svc/rating/steps.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/sentences.h"
#include "rating-svc/rating/writers.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::rating {
namespace {

using scheme::Condition;
using scheme::Limit;
using scheme::Scheme;

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

TestFinding TestOf(const Scheme& scheme, const Condition& condition, const Evaluation& evaluation,
                   bool held) {
  const Value& value = evaluation.values[static_cast<size_t>(condition.value)];
  TestFinding test;
  test.value = scheme.values[static_cast<size_t>(condition.value)].name;
  test.found = PrintValue(scheme, condition.value, value);
  test.condition = condition.text;
  test.held = held;
  test.absent = value.absent;
  test.margin = PrintMargin(scheme, condition, value);
  return test;
}

// `adults.serving "some", adults.prospects "poor"`.
std::string PrintReads(const Scheme& scheme, const scheme::Stage& stage,
                       const Evaluation& evaluation) {
  std::string text;
  std::vector<int> seen;
  for (const int read : scheme::ReadsOf(scheme, stage)) {
    if (std::find(seen.begin(), seen.end(), read) != seen.end()) continue;
    seen.push_back(read);
    const Value& value = evaluation.values[static_cast<size_t>(read)];
    absl::StrAppend(&text, text.empty() ? "" : ", ", scheme.values[static_cast<size_t>(read)].name,
                    " ",
                    value.absent == Absent::kNo ? Quote(PrintValue(scheme, read, value))
                                                : ToString(value.absent));
  }
  return text;
}

// Why a rule gives nothing.
std::string Lacks(const Scheme& scheme, const scheme::Stage& stage, const Evaluation& evaluation) {
  if (stage.kind == scheme::StageKind::kBand) {
    const scheme::Band& band = scheme.bands[static_cast<size_t>(stage.index)];
    const auto at = static_cast<size_t>(std::max(band.quantiles, 0));
    if (band.quantiles >= 0 && band.cuts.empty() && at < scheme.tables.size()) {
      return absl::StrCat(scheme.quantiles[at].id, " has no cuts: it needs ",
                          scheme.quantiles[at].least, " organisations with the number, and ",
                          scheme.tables[at].known, " of ", scheme.tables[at].organisations,
                          " have it");
    }
  }
  if (stage.kind != scheme::StageKind::kSum) return "a value is missing";
  const Known known = KnownOf(scheme.sums[static_cast<size_t>(stage.index)], evaluation.values);
  return absl::StrCat("it needs ", known.needed, " of the ", known.applicable,
                      " values that count, and ", known.known,
                      known.known == 1 ? " is known" : " are known");
}

// The cuts of a band that lie next to the number, the one it has reached first.
std::vector<TestFinding> CutsAround(const Scheme& scheme, const scheme::Band& band,
                                    const Evaluation& evaluation) {
  const Cuts cuts = CutsOf(band, evaluation.values);
  const Value level = BandOf(band, evaluation.values);
  std::vector<TestFinding> tests;
  if (level.absent != Absent::kNo) return tests;
  const auto count = static_cast<int>(cuts.cuts.size());
  const int reached = level.level - cuts.lowest;
  // In the order of levels; where lower is better the last cut is the first step.
  for (const int step : {reached - 1, reached}) {
    if (step < 0 || step >= count) continue;
    Condition condition;
    condition.value = band.from;
    condition.comparison =
        band.at_most ? scheme::Comparison::kAtMost : scheme::Comparison::kAtLeast;
    condition.threshold = cuts.cuts[static_cast<size_t>(band.at_most ? count - 1 - step : step)];
    condition.text = absl::StrCat(PrintCut(scheme, condition), ": ",
                                  Quote(scheme.LevelName(band.output, cuts.lowest + step + 1)));
    tests.push_back(TestOf(scheme, condition, evaluation, step < reached));
  }
  return tests;
}

}  // namespace

std::vector<TestFinding> TestsOf(const Scheme& scheme, const scheme::Stage& stage,
                                 const Evaluation& evaluation, uint64_t held) {
  const auto index = static_cast<size_t>(stage.index);
  std::vector<const Condition*> conditions;
  switch (stage.kind) {
    case scheme::StageKind::kLimit:
      for (const Condition& of : scheme.limits[index].any) conditions.push_back(&of);
      break;
    case scheme::StageKind::kCount:
      for (const Condition& of : scheme.counts[index].conditions) conditions.push_back(&of);
      break;
    case scheme::StageKind::kAdjust:
      for (const scheme::AdjustStep& of : scheme.adjusts[index].steps) {
        conditions.push_back(&of.when);
      }
      if (scheme.adjusts[index].bound) conditions.push_back(&*scheme.adjusts[index].bound);
      break;
    case scheme::StageKind::kBand:
      return CutsAround(scheme, scheme.bands[index], evaluation);
    case scheme::StageKind::kSum:
    case scheme::StageKind::kMatrix:
      break;
  }
  std::vector<TestFinding> tests;
  for (size_t i = 0; i < conditions.size(); ++i) {
    tests.push_back(TestOf(scheme, *conditions[i], evaluation, i < 64 && (held >> i & 1) != 0));
  }
  return tests;
}

// The limit in words, with the values of the most telling condition put in.
std::string SayLimit(const Scheme& scheme, const std::string& organisation, const Limit& limit,
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

std::string SayWriter(const Scheme& scheme, const std::string& organisation,
                      const scheme::Stage& stage, const std::string& say, const StepFinding& step,
                      const Evaluation& evaluation) {
  const std::string reads = PrintReads(scheme, stage, evaluation);
  if (step.after.empty()) {
    return absl::StrCat(step.rule_id, " gives nothing for ", step.target, ": ",
                        Lacks(scheme, stage, evaluation), " (", reads, ").");
  }
  if (!say.empty()) {
    return absl::StrReplaceAll(say, {{"{after}", step.after},
                                     {"{before}", step.before},
                                     {"{value}", reads},
                                     {"{target}", step.target},
                                     {"{organisation}", organisation}});
  }
  return absl::StrCat(step.rule_id, " gives ", Quote(step.after), " for ", step.target, " from ",
                      reads, ".");
}

}  // namespace starratings::rating
