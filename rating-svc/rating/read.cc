// From a dossier to what the inputs of a scheme read.
#include <algorithm>

#include "common/evidence/text.h"
#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {
namespace {

using evidence::Dossier;
using evidence::RecordedItem;
using scheme::Fold;
using scheme::Input;
using scheme::InputType;
using scheme::Scheme;

int LevelIndex(const scheme::Scale& scale, const std::string& name) {
  const auto found = std::find(scale.levels.begin(), scale.levels.end(), name);
  return found == scale.levels.end() ? -1 : static_cast<int>(found - scale.levels.begin());
}

// The item's value as the input takes it. A value of another type, or a level
// that the scheme does not know, says nothing that the scheme could use: it
// reads as UNRELIABLE, which the scheme answers like any other gap.
Value Convert(const Scheme& scheme, const Input& input, int value_index,
              const evidence::Value& value, int origin) {
  if (const auto* missing = std::get_if<evidence::MissingReason>(&value)) {
    return Value::Missing(static_cast<Absent>(*missing), origin);
  }
  if (input.type == InputType::kRatio) {
    if (const auto* ratio = std::get_if<evidence::Ratio>(&value)) {
      if (input.exempt_below && ratio->denominator < *input.exempt_below) {
        return Value::Missing(Absent::kExempt, origin);
      }
      return Value::Number(ratio->numerator, ratio->denominator);
    }
  } else if (input.type == InputType::kDecimal) {
    if (const auto* decimal = std::get_if<evidence::Decimal>(&value)) {
      return Value::Number(decimal->micros(), evidence::Decimal::kMicros);
    }
  } else {
    const scheme::Scale& scale =
        scheme.scales[static_cast<size_t>(scheme.values[static_cast<size_t>(value_index)].scale)];
    int level = -1;
    if (const auto* name = std::get_if<evidence::Level>(&value)) {
      level = LevelIndex(scale, name->name);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      level = LevelIndex(scale, *flag ? "yes" : "no");
    }
    if (level >= 0) return Value::Level(level);
  }
  return Value::Missing(Absent::kUnreliable, origin);
}

bool IsStale(const Input& input, const RecordedItem& item, evidence::Date date) {
  return input.stale_after_days && item.item.observed_on &&
         date.days() - item.item.observed_on->days() > *input.stale_after_days;
}

bool IsExpired(const RecordedItem& item, evidence::Date date) {
  return item.item.overriding && item.item.overriding->expires_on <= date;
}

// Whether `a` is a worse value than `b`; both present.
bool IsWorse(const scheme::ValueInfo& info, const Value& a, const Value& b) {
  if (info.scale >= 0) return a.level < b.level;
  const Int128 left = a.numerator * b.denominator;
  const Int128 right = b.numerator * a.denominator;
  return info.lower_is_better ? left > right : left < right;
}

// What one input reads: the value, and the item it comes from.
struct Found {
  Value value;
  const RecordedItem* item = nullptr;
};

// Of several instances, the one that counts.
void Take(const scheme::ValueInfo& info, Fold fold, const Value& value, const RecordedItem& item,
          Found& found) {
  const bool first = found.item == nullptr;
  const bool present = value.absent == Absent::kNo;
  const bool had = !first && found.value.absent == Absent::kNo;
  bool better = first || (present && !had);
  if (present && had) {
    better = fold == Fold::kWorst ? IsWorse(info, value, found.value)
                                  : IsWorse(info, found.value, value);
  }
  if (better) found = {value, &item};
}

// A level by its name, of what is no evidence: missing if it is empty, unreliable
// if the scale does not have it.
Value LevelNamed(const Scheme& scheme, size_t i, const std::string& name) {
  const auto origin = static_cast<int>(i);
  if (name.empty()) return Value::Missing(Absent::kNotReported, origin);
  const int level = LevelIndex(scheme.scales[static_cast<size_t>(scheme.values[i].scale)], name);
  return level < 0 ? Value::Missing(Absent::kUnreliable, origin) : Value::Level(level);
}

Value LookUp(const Scheme& scheme, size_t i, const Dossier& dossier, Readings& readings) {
  const Input& input = scheme.inputs[i];
  if (input.from == scheme::InputFrom::kAttribute) {
    const bool kind = input.attribute == scheme::Attribute::kKind;
    const std::string& name = kind ? dossier.organisation.kind : dossier.organisation.region;
    readings.attributes.insert({kind ? "kind" : "region", name});
    return LevelNamed(scheme, i, name);
  }
  for (const evidence::PublishedResult& published : dossier.published) {
    if (published.scheme != input.published_scheme || published.result != input.published_result) {
      continue;
    }
    readings.published[i] = &published;
    return LevelNamed(scheme, i, published.level);
  }
  return Value::Missing(Absent::kNotReported, static_cast<int>(i));
}

Found Look(const Scheme& scheme, size_t i, const Dossier& dossier, evidence::Date date,
           Overrides overrides, std::vector<const RecordedItem*>& read) {
  const Input& input = scheme.inputs[i];
  const scheme::ValueInfo& info = scheme.values[i];
  const absl::string_view period =
      input.standing ? absl::string_view(evidence::kStanding) : dossier.period;
  Found found{Value::Missing(Absent::kNotReported, static_cast<int>(i)), nullptr};
  for (const RecordedItem& item : dossier.items) {
    if (item.item.key.code != input.code || item.item.key.period != period) continue;
    if (input.fold == Fold::kEmptyInstance && !item.item.key.instance.empty()) continue;
    if (overrides == Overrides::kPassedOver && item.item.overriding) continue;
    read.push_back(&item);
    Value value = Convert(scheme, input, static_cast<int>(i), item.item.value, static_cast<int>(i));
    if (value.absent == Absent::kNo && IsStale(input, item, date)) {
      value = Value::Missing(Absent::kStale, static_cast<int>(i));
    }
    if (value.absent == Absent::kNo && IsExpired(item, date)) {
      value = Value::Missing(Absent::kExpired, static_cast<int>(i));
    }
    Take(info, input.fold, value, item, found);
  }
  return found;
}

// What the scheme makes of a gap.
Value Answer(const Input& input, Value value) {
  if (value.absent == Absent::kNo) return value;
  switch (input.on_missing) {
    case scheme::OnMissing::kRefuse:
      value.refused = true;
      return value;
    case scheme::OnMissing::kAbsent:
      return value;
    case scheme::OnMissing::kAssume: {
      Value assumed = Value::Level(input.assume);
      assumed.assumed = true;
      return assumed;
    }
  }
  return value;
}

}  // namespace

Readings Read(const Scheme& scheme, const Dossier& dossier, evidence::Date date,
              Overrides overrides) {
  Readings readings;
  readings.values.reserve(scheme.inputs.size());
  readings.items.reserve(scheme.inputs.size());
  readings.published.resize(scheme.inputs.size(), nullptr);
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    if (scheme.inputs[i].from != scheme::InputFrom::kEvidence) {
      const Value value = LookUp(scheme, i, dossier, readings);
      readings.gaps.push_back(value.absent);
      readings.values.push_back(Answer(scheme.inputs[i], value));
      readings.items.push_back(nullptr);
      continue;
    }
    const Found found = Look(scheme, i, dossier, date, overrides, readings.read);
    readings.gaps.push_back(found.value.absent);
    Value value = Answer(scheme.inputs[i], found.value);
    value.decided = found.item != nullptr && found.item->item.overriding.has_value() &&
                    found.value.absent == Absent::kNo;
    readings.overridden = readings.overridden || value.decided;
    readings.values.push_back(value);
    readings.items.push_back(found.item);
  }
  return readings;
}

}  // namespace starratings::rating
