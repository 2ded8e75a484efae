#include "assessment-svc/intake/check_batch.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/evidence/text.h"

namespace starratings::intake {
namespace {

using evidence::Code;
using evidence::Decimal;
using evidence::ItemKey;
using evidence::Level;
using evidence::MissingReason;
using evidence::Ratio;
using evidence::Text;
using evidence::Value;
using evidence::ValueType;
using status::FieldErrors;

// Holds 10^18 times 10^12, the largest product below.
__extension__ using Wide = __int128;

// The sign of numerator/denominator - bound, exactly.
int Compare(const Ratio& ratio, Decimal bound) {
  const Wide left = static_cast<Wide>(ratio.numerator) * Decimal::kMicros;
  const Wide right = static_cast<Wide>(bound.micros()) * ratio.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

int Compare(Decimal value, Decimal bound) { return value < bound ? -1 : value > bound ? 1 : 0; }

template <typename Number>
void CheckRange(const Number& value, const Code& code, const std::string& field,
                FieldErrors& errors) {
  if (code.minimum && Compare(value, *code.minimum) < 0) {
    errors.Add(field, absl::StrCat("must not be less than ", code.minimum->ToString(),
                                   ", the minimum of ", code.id));
  }
  if (code.maximum && Compare(value, *code.maximum) > 0) {
    errors.Add(field, absl::StrCat("must not be more than ", code.maximum->ToString(),
                                   ", the maximum of ", code.id));
  }
}

void CheckLevel(const Level& level, const Code& code, const std::string& field,
                FieldErrors& errors) {
  if (std::find(code.levels.begin(), code.levels.end(), level.name) == code.levels.end()) {
    errors.Add(field, absl::StrCat("must be one of the levels of ", code.id, ": ",
                                   absl::StrJoin(code.levels, ", ")));
  }
}

ValueType TypeOf(const Value& value) {
  struct Typer {
    ValueType operator()(const Decimal&) const { return ValueType::kDecimal; }
    ValueType operator()(const Ratio&) const { return ValueType::kRatio; }
    ValueType operator()(const Level&) const { return ValueType::kLevel; }
    ValueType operator()(bool) const { return ValueType::kFlag; }
    ValueType operator()(const Text&) const { return ValueType::kText; }
    ValueType operator()(MissingReason) const { return ValueType::kText; }
  };
  return std::visit(Typer(), value);
}

bool IsMissing(const Value& value) { return std::holds_alternative<MissingReason>(value); }

// Notes an override that lacks what makes it one, and what claims to be one.
void CheckOverride(const evidence::Item& item, const Code& code, const std::string& at,
                   FieldErrors& errors) {
  const bool is_override = code.kind == evidence::Kind::kOverride && !IsMissing(item.value);
  if (is_override == item.overriding.has_value()) return;
  if (is_override) {
    errors.Add(at + "override", absl::StrCat("must say authority and expires_on, as ", code.id,
                                             " is registered with the kind OVERRIDE"));
  } else {
    errors.Add(at + "override",
               "must be left out unless the item has a value and its code the "
               "kind OVERRIDE");
  }
}

// Notes the parts of the key that are not registered; returns the code, or
// null. A part that is not even well-formed has been noted before.
const Code* CheckKey(const ItemKey& key, const Register& registered,
                     const absl::flat_hash_set<std::string>& strangers, const std::string& at,
                     FieldErrors& errors) {
  if (strangers.contains(key.organisation) &&
      evidence::CheckOrganisationId(key.organisation).ok()) {
    errors.Add(at + "organisation",
               absl::StrCat("must be registered, and `", key.organisation, "` is not"));
  }
  if (key.period != evidence::kStanding && !registered.periods.contains(key.period) &&
      evidence::CheckSlug(key.period).ok()) {
    errors.Add(at + "period", absl::StrCat("must be registered, and `", key.period, "` is not"));
  }
  const auto code = registered.codes.find(key.code);
  if (code != registered.codes.end()) return &code->second;
  if (!evidence::CheckCode(key.code).ok()) return nullptr;
  errors.Add(at + "code", absl::StrCat("must be registered, and `", key.code, "` is not"));
  return nullptr;
}

}  // namespace

void CheckValue(const Value& value, const Code& code, absl::string_view field,
                FieldErrors& errors) {
  if (IsMissing(value)) return;
  if (TypeOf(value) != code.value_type) {
    errors.Add(field, absl::StrCat("must be a ", evidence::ToString(code.value_type), ", as ",
                                   code.id, " is registered, or missing"));
    return;
  }
  if (const auto* decimal = std::get_if<Decimal>(&value)) {
    CheckRange(*decimal, code, absl::StrCat(field, ".decimal"), errors);
  } else if (const auto* ratio = std::get_if<Ratio>(&value)) {
    CheckRange(*ratio, code, absl::StrCat(field, ".ratio"), errors);
  } else if (const auto* level = std::get_if<Level>(&value)) {
    CheckLevel(*level, code, absl::StrCat(field, ".level"), errors);
  }
}

void CheckBatch(const std::vector<SubmittedItem>& items, const Register& registered,
                const absl::flat_hash_set<std::string>& strangers, FieldErrors& errors) {
  absl::flat_hash_map<std::string, size_t> first_with;
  for (size_t i = 0; i < items.size(); ++i) {
    const evidence::Item& item = items[i].item;
    const std::string at = absl::StrCat("items[", i, "].item.");
    const Code* code = CheckKey(item.key, registered, strangers, at, errors);
    if (!items[i].well_formed) continue;
    if (code != nullptr) {
      CheckValue(item.value, *code, at + "value", errors);
      CheckOverride(item, *code, at, errors);
    }
    // No part of a key holds a line break.
    const auto [entry, fresh] =
        first_with.try_emplace(absl::StrCat(item.key.organisation, "\n", item.key.period, "\n",
                                            item.key.code, "\n", item.key.instance),
                               i);
    if (!fresh) {
      errors.Add(
          absl::StrCat("items[", i, "].item"),
          absl::StrCat("must have a key of its own, and has that of items[", entry->second, "]"));
    }
  }
}

}  // namespace starratings::intake
