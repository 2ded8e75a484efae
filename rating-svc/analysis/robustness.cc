#include "rating-svc/analysis/robustness.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "rating-svc/analysis/coupling.h"
#include "rating-svc/analysis/plan.h"
#include "rating-svc/analysis/structure.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Value;
using scheme::Fraction;
using scheme::Scheme;

// The first numerator, at denominator n, at or after the edge (behind it with
// `after`); n + 1 if there is none up to n.
int64_t FirstAt(const Fraction& edge, bool after, int64_t n) {
  // Most constants are small, and 128 bits are slow to divide.
  constexpr int64_t kSmall = 1'000'000'000;
  if (edge.numerator <= 0) return edge.numerator < 0 || !after ? 0 : 1;
  int64_t floor = 0;
  bool exact = false;
  if (edge.numerator <= kSmall && n <= kSmall) {
    floor = edge.numerator * n / edge.denominator;
    exact = edge.numerator * n % edge.denominator == 0;
  } else {
    const Int128 product = static_cast<Int128>(edge.numerator) * n;
    const Int128 quotient = product / edge.denominator;
    if (quotient > n) return n + 1;
    floor = static_cast<int64_t>(quotient);
    exact = product % edge.denominator == 0;
  }
  return std::min(n + 1, floor + (exact && !after ? 0 : 1));
}

void AppendBytes(int64_t number, std::string& key) {
  for (int shift = 0; shift < 64; shift += 8) key.push_back(static_cast<char>(number >> shift));
}

}  // namespace

const char* ToString(Treatment treatment) {
  switch (treatment) {
    case Treatment::kVaries:
      return "VARIES";
    case Treatment::kOutside:
      return "OUTSIDE";
    case Treatment::kAbsent:
      return "ABSENT";
    case Treatment::kNoRatio:
      return "NO_RATIO";
    case Treatment::kOverride:
      return "OVERRIDE";
    case Treatment::kFolded:
      return "FOLDED";
    case Treatment::kAboveOne:
      return "ABOVE_ONE";
    case Treatment::kTooLarge:
      return "TOO_LARGE";
  }
  return "";
}

Assessor::Assessor(const Scheme& scheme, size_t result, RateModel model)
    : scheme_(scheme),
      result_(result),
      model_(model),
      cone_(ConeOf(scheme, scheme.results[result].value)),
      levels_(scheme
                  .scales[static_cast<size_t>(
                      scheme.values[static_cast<size_t>(scheme.results[result].value)].scale)]
                  .levels.size()),
      cells_(scheme.inputs.size()) {
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    // A ratio meets constants and nothing else.
    if (scheme.inputs[i].type == scheme::InputType::kRatio && cone_[i] &&
        NumbersFrom(scheme, static_cast<int>(i)).size() == 1) {
      cells_[i] = CellsOf(i);
    }
  }
}

// Walks along the line: before, at and behind each constant.
std::vector<Assessor::Cell> Assessor::CellsOf(size_t input) const {
  const std::vector<Fraction> constants = ConstantsOf(scheme_, static_cast<int>(input));
  std::vector<Cell> cells;
  std::vector<int> last;
  const auto visit = [&](const Fraction& edge, bool after, const Fraction& sample) {
    const Value value = Value::Number(sample.numerator, sample.denominator);
    std::vector<int> answers;
    AppendTests(scheme_, static_cast<int>(input), value, answers);
    if (!cells.empty() && answers == last) return;
    cells.push_back({edge, after, value});
    last = std::move(answers);
  };
  const Fraction zero{0, 1};
  if (constants.empty() || constants.front().numerator > 0) visit(zero, false, zero);
  for (size_t i = 0; i < constants.size(); ++i) {
    const Fraction& here = constants[i];
    if (here.numerator >= 0) visit(here, false, here);
    // The mediant of two fractions lies between them.
    const Fraction next = i + 1 < constants.size() ? constants[i + 1] : Fraction{1, 0};
    const Fraction behind{here.numerator + next.numerator, here.denominator + next.denominator};
    if (behind.numerator >= 0) visit(here, true, behind);
  }
  return cells;
}

Treatment Assessor::TreatmentOf(size_t input, const Value& reading) const {
  if (!cone_[input]) return Treatment::kOutside;
  if (reading.absent != Absent::kNo) return Treatment::kAbsent;
  if (reading.decided) return Treatment::kOverride;
  if (cells_[input].empty()) return Treatment::kNoRatio;
  if (scheme_.inputs[input].fold != scheme::Fold::kEmptyInstance) return Treatment::kFolded;
  if (reading.numerator > reading.denominator) return Treatment::kAboveOne;
  if (reading.denominator > kDenominatorMost) return Treatment::kTooLarge;
  return Treatment::kVaries;
}

// What the plan rests on: which inputs vary, and what the others are.
const Assessor::Plan& Assessor::PlanOf(std::span<const Value> readings) {
  key_.clear();
  for (size_t i = 0; i < readings.size(); ++i) {
    if (!cone_[i]) continue;
    const Value& reading = readings[i];
    const Treatment treatment = TreatmentOf(i, reading);
    key_.push_back(treatment == Treatment::kVaries ? '\x7f' : static_cast<char>(reading.absent));
    if (treatment == Treatment::kVaries || treatment == Treatment::kAbsent) continue;
    if (scheme_.values[i].scale >= 0) {
      key_.push_back(static_cast<char>(reading.level));
    } else {
      AppendBytes(static_cast<int64_t>(reading.numerator), key_);
      AppendBytes(reading.denominator, key_);
    }
  }
  const auto known = plans_.find(key_);
  if (known != plans_.end()) return known->second;
  if (plans_.size() >= kPlansMost) plans_.clear();
  std::vector<size_t> varied;
  for (size_t i = 0; i < readings.size(); ++i) {
    if (TreatmentOf(i, readings[i]) == Treatment::kVaries) varied.push_back(i);
  }
  Plan plan;
  if (varied.size() > kVariedMost) {
    plan.possible = false;
  } else {
    plan = Planner(scheme_, result_, cone_, cells_, readings).Make(std::move(varied));
  }
  return plans_.emplace(key_, std::move(plan)).first->second;
}

// The chances of the cells of each input that varies.
void Assessor::Draw(const Plan& plan, std::span<const Value> readings) {
  factors_.resize(plan.varied.size() + plan.steps.size());
  for (size_t i = 0; i < plan.varied.size(); ++i) {
    const Value& reading = readings[plan.varied[i]];
    const std::vector<Cell>& cells = cells_[plan.varied[i]];
    firsts_.clear();
    for (size_t c = 1; c < cells.size(); ++c) {
      firsts_.push_back(FirstAt(cells[c].edge, cells[c].after, reading.denominator));
    }
    Chances(model_, static_cast<int64_t>(reading.numerator), reading.denominator, firsts_,
            factors_[i]);
  }
}

Odds Assessor::Assess(std::span<const Value> readings) {
  assert(readings.size() == scheme_.inputs.size());
  Odds odds;
  odds.levels.assign(levels_, 0.0);
  // What refuses is absent, and stays so.
  if (std::any_of(readings.begin(), readings.end(), [](const Value& v) { return v.refused; })) {
    odds.not_rated = 1;
    return odds;
  }
  const Plan& plan = PlanOf(readings);
  if (!plan.possible) return Odds{false, {}, 0};
  Draw(plan, readings);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    std::vector<double>& made = factors_[plan.varied.size() + s];
    made.assign(step.count, 0.0);
    // The combinations' probabilities, one factor after the other.
    products_.assign(1, 1.0);
    for (const size_t factor : step.factors) {
      const std::vector<double>& chances = factors_[factor];
      wider_.resize(products_.size() * chances.size());
      size_t at = 0;
      for (const double product : products_) {
        for (const double chance : chances) wider_[at++] = product * chance;
      }
      products_.swap(wider_);
    }
    for (size_t i = 0; i < products_.size(); ++i) made[step.classes[i]] += products_[i];
  }
  const std::vector<double>& last = factors_.back();
  for (size_t i = 0; i < plan.levels.size(); ++i) {
    (plan.levels[i] < 0 ? odds.not_rated : odds.levels[static_cast<size_t>(plan.levels[i])]) +=
        last[i];
  }
  return odds;
}

std::optional<Bounds> Assessor::BoundsOf(std::span<const Value> readings) {
  const Odds odds = Assess(readings);
  if (!odds.possible) return std::nullopt;
  Bounds bounds;
  if (odds.not_rated == 1 &&
      std::any_of(readings.begin(), readings.end(), [](const Value& v) { return v.refused; })) {
    bounds.levels.resize(levels_);
    bounds.not_rated = {1, 1};
    return bounds;
  }
  const Plan& plan = PlanOf(readings);
  size_t combinations = 1;
  for (const size_t input : plan.varied) {
    combinations *= cells_[input].size();
    if (combinations > kBoundedMost) return std::nullopt;
  }
  Draw(plan, readings);
  const std::vector<std::vector<double>> marginals(
      factors_.begin(), factors_.begin() + static_cast<std::ptrdiff_t>(plan.varied.size()));
  // The result of each combination of cells, the last input fastest.
  std::vector<Value> drawn(readings.begin(), readings.end());
  rating::Evaluation evaluation(scheme_);
  std::vector<int> levels;
  for (size_t combination = 0; combination < combinations; ++combination) {
    size_t rest = combination;
    for (size_t i = plan.varied.size(); i-- > 0;) {
      const std::vector<Cell>& cells = cells_[plan.varied[i]];
      drawn[plan.varied[i]] = cells[rest % cells.size()].sample;
      rest /= cells.size();
    }
    Evaluate(scheme_, drawn, evaluation);
    const Value got = evaluation.ResultOf(scheme_, result_);
    levels.push_back(got.absent == Absent::kNo ? got.level : -1);
  }
  const auto range = [&](int level) {
    std::vector<bool> event;
    for (const int one : levels) event.push_back(one == level);
    return Bounds::Range{1 - GreatestChance(marginals,
                                            [&] {
                                              std::vector<bool> other = event;
                                              other.flip();
                                              return other;
                                            }()),
                         GreatestChance(marginals, event)};
  };
  for (size_t level = 0; level < levels_; ++level) {
    bounds.levels.push_back(range(static_cast<int>(level)));
  }
  bounds.not_rated = range(-1);
  return bounds;
}

std::vector<double> CountDistribution(const std::vector<double>& probabilities) {
  std::vector<double> counts = {1.0};
  counts.reserve(probabilities.size() + 1);
  for (const double p : probabilities) {
    counts.push_back(0.0);
    for (size_t k = counts.size() - 1; k > 0; --k) {
      counts[k] = counts[k] * (1 - p) + counts[k - 1] * p;
    }
    counts[0] *= 1 - p;
  }
  return counts;
}

}  // namespace starratings::analysis
