#include "rating-svc/analysis/overlay.h"

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/evidence/text.h"
#include "rating-svc/scheme/constants.h"

namespace starratings::analysis {
namespace {

using scheme::Fraction;
using scheme::Scheme;

const scheme::Input* InputOf(const Scheme& scheme, absl::string_view code) {
  const auto found =
      std::find_if(scheme.inputs.begin(), scheme.inputs.end(), [&](const scheme::Input& input) {
        return input.from == scheme::InputFrom::kEvidence && input.code == code;
      });
  return found == scheme.inputs.end() ? nullptr : &*found;
}

// The level that `name` is on the scale of `value`; -1 if there is none.
int LevelNamed(const Scheme& scheme, int value, const std::string& name) {
  const int scale = scheme.values[static_cast<size_t>(value)].scale;
  if (scale < 0) return -1;
  const auto& levels = scheme.scales[static_cast<size_t>(scale)].levels;
  const auto found = std::find(levels.begin(), levels.end(), name);
  return found == levels.end() ? -1 : static_cast<int>(found - levels.begin());
}

ThresholdFault Set(const Scheme& scheme, const Threshold& threshold, scheme::Condition& condition) {
  const bool on_level = condition.comparison == scheme::Comparison::kLevelAtMost ||
                        condition.comparison == scheme::Comparison::kLevelAtLeast;
  if (const auto* name = std::get_if<std::string>(&threshold.to)) {
    const int level = on_level ? LevelNamed(scheme, condition.value, *name) : -1;
    if (level < 0) return ThresholdFault::kType;
    condition.level = level;
  } else {
    if (on_level) return ThresholdFault::kType;
    condition.threshold = std::get<Fraction>(threshold.to);
  }
  return ThresholdFault::kNone;
}

ThresholdFault Set(const Fraction& number, size_t cut, std::vector<Fraction>& cuts) {
  std::vector<Fraction> changed = cuts;
  changed[cut] = number;
  for (size_t i = 1; i < changed.size(); ++i) {
    if (!scheme::Less(changed[i - 1], changed[i])) return ThresholdFault::kOrder;
  }
  cuts = std::move(changed);
  return ThresholdFault::kNone;
}

// Where several lists are selected from, the cuts of the next follow on those of
// the one before.
ThresholdFault Set(const Threshold& threshold, scheme::Band& band) {
  const auto* number = std::get_if<Fraction>(&threshold.to);
  auto cut = static_cast<size_t>(threshold.condition);
  const auto set = [&](std::vector<Fraction>& cuts) {
    return number == nullptr ? ThresholdFault::kType : Set(*number, cut, cuts);
  };
  if (cut < band.cuts.size()) return set(band.cuts);
  cut -= band.cuts.size();
  for (scheme::CutList& list : band.lists) {
    if (cut < list.cuts.size()) return set(list.cuts);
    cut -= list.cuts.size();
  }
  return ThresholdFault::kConditionUnknown;
}

// The conditions of the rule with this id, in the scheme's order; none if it has
// no conditions.
std::vector<scheme::Condition*> ConditionsOf(Scheme& scheme, const std::string& rule_id) {
  std::vector<scheme::Condition*> conditions;
  for (scheme::Limit& limit : scheme.limits) {
    if (limit.id != rule_id) continue;
    for (scheme::Condition& condition : limit.any) conditions.push_back(&condition);
  }
  for (scheme::Count& count : scheme.counts) {
    if (count.id != rule_id) continue;
    for (scheme::Condition& condition : count.conditions) conditions.push_back(&condition);
  }
  for (scheme::Adjust& adjust : scheme.adjusts) {
    if (adjust.id != rule_id) continue;
    for (scheme::AdjustStep& step : adjust.steps) conditions.push_back(&step.when);
    if (adjust.bound) conditions.push_back(&*adjust.bound);
  }
  return conditions;
}

}  // namespace

bool IsRead(const Scheme& scheme, absl::string_view code) {
  return InputOf(scheme, code) != nullptr;
}

std::string PeriodOf(const Scheme& scheme, absl::string_view code, const std::string& period) {
  const scheme::Input* const input = InputOf(scheme, code);
  return input != nullptr && input->standing ? std::string(evidence::kStanding) : period;
}

std::optional<evidence::Value> ValueOf(const Scheme& scheme, absl::string_view code,
                                       const std::string& text) {
  const scheme::Input* const input = InputOf(scheme, code);
  if (input == nullptr) return std::nullopt;
  const auto value = static_cast<size_t>(input - scheme.inputs.data());
  switch (input->type) {
    case scheme::InputType::kLevel: {
      const auto& levels = scheme.scales[static_cast<size_t>(scheme.values[value].scale)].levels;
      if (levels == std::vector<std::string>{"no", "yes"}) {
        if (text == "yes") return true;
        if (text == "no") return false;
        return std::nullopt;
      }
      if (LevelNamed(scheme, static_cast<int>(value), text) < 0) return std::nullopt;
      return evidence::Level{text};
    }
    case scheme::InputType::kRatio: {
      const std::vector<std::string> parts = absl::StrSplit(text, '/');
      evidence::Ratio ratio;
      if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &ratio.numerator) ||
          !absl::SimpleAtoi(parts[1], &ratio.denominator)) {
        return std::nullopt;
      }
      return ratio;
    }
    case scheme::InputType::kDecimal: {
      const absl::StatusOr<evidence::Decimal> decimal = evidence::Decimal::Parse(text);
      if (!decimal.ok()) return std::nullopt;
      return *decimal;
    }
  }
  return std::nullopt;
}

evidence::Dossier Overlay(const Scheme& scheme, const evidence::Dossier& dossier,
                          const std::vector<OverlaidItem>& items) {
  static const auto kSource = std::make_shared<const evidence::Source>(
      evidence::Source{"What if", "", "", /*reconstructed=*/true});
  evidence::Dossier overlaid = dossier;
  for (const OverlaidItem& item : items) {
    evidence::RecordedItem said;
    said.item.key = {dossier.organisation.id, PeriodOf(scheme, item.code, dossier.period),
                     item.code, item.instance};
    said.item.value = item.value;
    said.item.observed_on = item.observed_on;
    said.item.overriding = item.overriding;
    said.item.source = kSource;
    const auto there = std::find_if(
        overlaid.items.begin(), overlaid.items.end(),
        [&](const evidence::RecordedItem& other) { return other.item.key == said.item.key; });
    if (there == overlaid.items.end()) {
      overlaid.items.push_back(std::move(said));
    } else {
      *there = std::move(said);
    }
  }
  overlaid.SortItems();
  return overlaid;
}

ThresholdFault SetThreshold(Scheme& scheme, const Threshold& threshold) {
  if (threshold.condition < 0) return ThresholdFault::kConditionUnknown;
  for (scheme::Band& band : scheme.bands) {
    if (band.id == threshold.rule_id) return Set(threshold, band);
  }
  const std::vector<scheme::Condition*> conditions = ConditionsOf(scheme, threshold.rule_id);
  if (conditions.empty()) return ThresholdFault::kRuleUnknown;
  const auto index = static_cast<size_t>(threshold.condition);
  if (index >= conditions.size()) return ThresholdFault::kConditionUnknown;
  return Set(scheme, threshold, *conditions[index]);
}

}  // namespace starratings::analysis
