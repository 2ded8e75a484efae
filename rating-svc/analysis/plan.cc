#include "rating-svc/analysis/plan.h"

#include <algorithm>

#include "rating-svc/analysis/structure.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::analysis {
namespace {

using rating::Value;

bool Same(const Value& a, const Value& b) {
  if (a.absent != b.absent) return false;
  if (a.absent != rating::Absent::kNo) return true;
  return a.level == b.level && a.numerator * b.denominator == b.numerator * a.denominator;
}

}  // namespace

Planner::Planner(const scheme::Scheme& scheme, size_t result, const std::vector<bool>& cone,
                 const std::vector<std::vector<Assessor::Cell>>& cells,
                 std::span<const Value> readings)
    : scheme_(scheme),
      result_(result),
      cone_(cone),
      cells_(cells),
      readings_(readings.begin(), readings.end()),
      evaluation_(scheme) {}

// Whether the inputs reach the result through `value` alone.
bool Planner::IsGate(int value, const std::vector<size_t>& inputs) const {
  const int result = scheme_.results[result_].value;
  if (value == result) return true;
  std::vector<bool> reached(scheme_.values.size(), false);
  for (const size_t input : inputs) reached[input] = true;
  for (const scheme::Stage& stage : scheme_.stages) {
    const int output = scheme::OutputOf(scheme_, stage);
    if (output == value || !cone_[static_cast<size_t>(output)]) continue;
    const std::vector<int> reads = scheme::ReadsOf(scheme_, stage);
    const bool any = std::any_of(reads.begin(), reads.end(),
                                 [&](int read) { return reached[static_cast<size_t>(read)]; });
    if (any) reached[static_cast<size_t>(output)] = true;
  }
  return !reached[static_cast<size_t>(result)];
}

// Tries every combination of the factors' classes; what `value` is then tells
// the classes of the new factor apart. False if there are too many.
bool Planner::Meet(int value, const std::vector<size_t>& factors, Assessor::Plan& plan) {
  size_t combinations = 1;
  for (const size_t factor : factors) {
    combinations *= factors_[factor].classes.size();
    if (combinations > Assessor::kCombinationsMost) return false;
  }
  const bool last = value == scheme_.results[result_].value;
  Assessor::Step step;
  step.factors = factors;
  step.classes.reserve(combinations);
  Factor made;
  for (const size_t factor : factors) {
    made.inputs.insert(made.inputs.end(), factors_[factor].inputs.begin(),
                       factors_[factor].inputs.end());
  }
  std::vector<Value> seen;
  std::vector<size_t> at(factors.size(), 0);
  for (size_t combination = 0; combination < combinations; ++combination) {
    size_t rest = combination;
    for (size_t i = factors.size(); i-- > 0;) {
      const Factor& factor = factors_[factors[i]];
      at[i] = rest % factor.classes.size();
      rest /= factor.classes.size();
      for (size_t j = 0; j < factor.inputs.size(); ++j) {
        readings_[factor.inputs[j]] = factor.classes[at[i]][j];
      }
    }
    Evaluate(scheme_, readings_, evaluation_);
    const Value& got = evaluation_.values[static_cast<size_t>(value)];
    const auto known = std::find_if(seen.begin(), seen.end(),
                                    [&](const Value& other) { return Same(got, other); });
    step.classes.push_back(static_cast<uint32_t>(known - seen.begin()));
    if (known != seen.end()) continue;
    seen.push_back(got);
    if (last) plan.levels.push_back(got.absent == rating::Absent::kNo ? got.level : -1);
    std::vector<Value> sample;
    for (const size_t input : made.inputs) sample.push_back(readings_[input]);
    made.classes.push_back(std::move(sample));
  }
  step.count = seen.size();
  for (const size_t factor : factors) open_[factor] = false;
  plan.steps.push_back(std::move(step));
  factors_.push_back(std::move(made));
  open_.push_back(true);
  return true;
}

Assessor::Plan Planner::Make(std::vector<size_t> varied) {
  Assessor::Plan plan;
  plan.varied = std::move(varied);
  for (const size_t input : plan.varied) {
    Factor factor;
    factor.inputs = {input};
    for (const Assessor::Cell& cell : cells_[input]) factor.classes.push_back({cell.sample});
    factors_.push_back(std::move(factor));
    open_.push_back(true);
  }
  const int result = scheme_.results[result_].value;
  for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
    const int value = scheme::OutputOf(scheme_, scheme_.stages[stage]);
    if (!cone_[static_cast<size_t>(value)] || value == result) continue;
    // Behind the last stage that writes or limits it.
    const bool more = std::any_of(
        scheme_.stages.begin() + static_cast<std::ptrdiff_t>(stage) + 1, scheme_.stages.end(),
        [&](const scheme::Stage& later) { return scheme::OutputOf(scheme_, later) == value; });
    if (more) continue;
    const std::vector<bool> cone = ConeOf(scheme_, value);
    std::vector<size_t> met;
    std::vector<size_t> inputs;
    for (size_t i = 0; i < factors_.size(); ++i) {
      if (!open_[i] || !cone[factors_[i].inputs.front()]) continue;
      met.push_back(i);
      inputs.insert(inputs.end(), factors_[i].inputs.begin(), factors_[i].inputs.end());
    }
    if (met.empty() || !IsGate(value, inputs)) continue;
    if (!Meet(value, met, plan)) {
      plan.possible = false;
      return plan;
    }
  }
  std::vector<size_t> all;
  for (size_t i = 0; i < factors_.size(); ++i) {
    if (open_[i]) all.push_back(i);
  }
  plan.possible = Meet(result, all, plan);
  return plan;
}

}  // namespace starratings::analysis
