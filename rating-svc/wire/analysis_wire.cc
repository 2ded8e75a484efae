#include "rating-svc/wire/analysis_wire.h"

#include "common/wire/evidence_wire.h"

namespace starratings::wire {
namespace {

static_assert(static_cast<int>(analysis::RateModel::kJeffreys) == rating::v1::RATE_MODEL_JEFFREYS);
static_assert(static_cast<int>(analysis::RateModel::kObserved) == rating::v1::RATE_MODEL_OBSERVED);

// As evidence says it.
evidence::Value EvidenceOf(const scheme::Scheme& scheme, size_t input, const rating::Value& value) {
  switch (scheme.inputs[input].type) {
    case scheme::InputType::kLevel:
      return evidence::Level{scheme.LevelName(static_cast<int>(input), value.level)};
    case scheme::InputType::kRatio:
      return evidence::Ratio{static_cast<int64_t>(value.numerator), value.denominator};
    case scheme::InputType::kDecimal:
      // A decimal's denominator is that of its millionths.
      return evidence::Decimal::FromMicros(static_cast<int64_t>(value.numerator));
  }
  return evidence::MissingReason::kNotReported;
}

void Write(const analysis::Change& change, const scheme::Scheme& scheme,
           rating::v1::Change& message) {
  const scheme::ValueInfo& info = scheme.values[change.input];
  message.set_code(scheme.inputs[change.input].code);
  message.set_title(info.title);
  message.set_unit(info.unit);
  wire::Write(EvidenceOf(scheme, change.input, change.from), *message.mutable_from());
  wire::Write(EvidenceOf(scheme, change.input, change.to), *message.mutable_to());
  message.set_steps(change.steps);
  if (scheme.inputs[change.input].type == scheme::InputType::kRatio) {
    message.set_cases(static_cast<int64_t>(change.to.numerator - change.from.numerator));
  }
  message.set_from_assumed(change.from.assumed);
}

void Write(const analysis::Search& search, const scheme::Scheme& scheme, int value,
           rating::v1::ChangeSets& message) {
  for (const analysis::Path& path : search.paths) {
    rating::v1::ChangeSet& set = *message.add_sets();
    for (const analysis::Change& change : path.changes) Write(change, scheme, *set.add_changes());
    set.set_steps(path.steps);
    set.set_level(scheme.LevelName(value, path.level));
  }
  message.set_complete(search.complete);
  message.set_complete_steps(search.complete_steps);
}

}  // namespace

void Write(const analysis::Improvements& improvements, const scheme::Scheme& scheme, size_t result,
           const rating::Readings& readings, rating::v1::ResultImprovements& message) {
  const int value = scheme.results[result].value;
  message.set_result(scheme.values[static_cast<size_t>(value)].name);
  for (const size_t input : improvements.held) {
    rating::v1::HeldInput& held = *message.add_held();
    held.set_code(scheme.inputs[input].code);
    const rating::Value& read = readings.values[input];
    held.set_reason(read.decided ? "OVERRIDE" : rating::ToString(read.absent));
    held.set_organisations(1);
  }
  if (!improvements.rated) return;
  message.set_level(scheme.LevelName(value, improvements.level));
  if (!improvements.at_top) message.set_next_level(scheme.LevelName(value, improvements.level + 1));
  Write(improvements.gains, scheme, value, *message.mutable_gains());
  Write(improvements.losses, scheme, value, *message.mutable_losses());
}

void Write(const analysis::Odds& odds, const analysis::Bounds* bounds, const scheme::Scheme& scheme,
           size_t result, rating::v1::Robustness& message) {
  const auto add = [&](const std::string& level, double probability,
                       const analysis::Bounds::Range* range) {
    rating::v1::OutcomeChance& chance = *message.add_outcomes();
    chance.set_level(level);
    chance.set_probability(probability);
    if (range == nullptr) return;
    chance.set_least(range->least);
    chance.set_most(range->most);
  };
  for (size_t level = 0; level < odds.levels.size(); ++level) {
    add(scheme.LevelName(scheme.results[result].value, static_cast<int>(level)), odds.levels[level],
        bounds == nullptr ? nullptr : &bounds->levels[level]);
  }
  const bool possible = odds.not_rated > 0 || (bounds != nullptr && bounds->not_rated.most > 0);
  if (possible) {
    add("", odds.not_rated, bounds == nullptr ? nullptr : &bounds->not_rated);
  }
}

}  // namespace starratings::wire
