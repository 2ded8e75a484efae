// The register's part of evidence_wire.h.
#include <set>

#include "absl/strings/str_cat.h"
#include "common/evidence/text.h"
#include "common/wire/evidence_wire.h"

namespace starratings::wire {
namespace {

using evidence::Date;
using evidence::Decimal;
using status::FieldErrors;

constexpr size_t kTitleMost = 500;
constexpr int kLevelsMost = 64;

std::optional<Date> OptionalDate(const std::string& text, const std::string& field,
                                 FieldErrors& errors) {
  if (text.empty()) return std::nullopt;
  const auto day = Date::Parse(text);
  errors.AddIfError(field, day.status());
  if (!day.ok()) return std::nullopt;
  return *day;
}

std::optional<Decimal> OptionalDecimal(const std::string& text, const std::string& field,
                                       FieldErrors& errors) {
  if (text.empty()) return std::nullopt;
  const auto decimal = Decimal::Parse(text);
  errors.AddIfError(field, decimal.status());
  if (!decimal.ok()) return std::nullopt;
  return *decimal;
}

void CheckLevels(const evidence::v1::Code& message, const std::string& at, FieldErrors& errors) {
  if (message.value_type() != evidence::v1::VALUE_TYPE_LEVEL) {
    if (message.levels_size() > 0) {
      errors.Add(at + "levels", "must be empty unless value_type is LEVEL");
    }
    return;
  }
  if (message.levels_size() < 2 || message.levels_size() > kLevelsMost) {
    errors.Add(at + "levels", "must have 2 to 64 levels, worst first");
  }
  std::set<std::string> seen;
  for (int i = 0; i < message.levels_size(); ++i) {
    const std::string field = absl::StrCat(at, "levels[", i, "]");
    errors.AddIfError(field, evidence::CheckLevel(message.levels(i)));
    if (!seen.insert(message.levels(i)).second) errors.Add(field, "must not occur twice");
  }
}

void CheckRange(const evidence::Code& code, const std::string& at, FieldErrors& errors) {
  const bool number = code.value_type == evidence::ValueType::kDecimal ||
                      code.value_type == evidence::ValueType::kRatio;
  if ((code.minimum || code.maximum) && !number) {
    errors.Add(at + "minimum", "must be empty unless value_type is DECIMAL or RATIO");
  }
  if (code.minimum && code.maximum && *code.minimum > *code.maximum) {
    errors.Add(at + "maximum", "must not be less than minimum");
  }
}

}  // namespace

evidence::Organisation OrganisationFromProto(const evidence::v1::Organisation& message,
                                             absl::string_view path, FieldErrors& errors) {
  const std::string at(path);
  errors.AddIfError(at + "id", evidence::CheckOrganisationId(message.id()));
  errors.AddIfError(at + "name", evidence::CheckText(message.name(), 1, kTitleMost));
  errors.AddIfError(at + "kind", evidence::CheckCode(message.kind()));
  errors.AddIfError(at + "region", evidence::CheckText(message.region(), 0, 128));
  evidence::Organisation organisation{message.id(),
                                      message.name(),
                                      message.kind(),
                                      message.region(),
                                      OptionalDate(message.from(), at + "from", errors),
                                      OptionalDate(message.to(), at + "to", errors)};
  if (organisation.from && organisation.to && *organisation.from >= *organisation.to) {
    errors.Add(at + "to", "must be after from");
  }
  return organisation;
}

evidence::v1::Organisation ToProto(const evidence::Organisation& organisation) {
  evidence::v1::Organisation message;
  message.set_id(organisation.id);
  message.set_name(organisation.name);
  message.set_kind(organisation.kind);
  message.set_region(organisation.region);
  if (organisation.from) message.set_from(organisation.from->ToString());
  if (organisation.to) message.set_to(organisation.to->ToString());
  return message;
}

evidence::Period PeriodFromProto(const evidence::v1::Period& message, absl::string_view path,
                                 FieldErrors& errors) {
  const std::string at(path);
  errors.AddIfError(at + "id", evidence::CheckSlug(message.id()));
  if (message.id() == evidence::kStanding) {
    errors.Add(at + "id", "must not be `standing`, which is always there");
  }
  errors.AddIfError(at + "title", evidence::CheckText(message.title(), 0, kTitleMost));
  const auto from = Date::Parse(message.from());
  errors.AddIfError(at + "from", from.status());
  const auto to = Date::Parse(message.to());
  errors.AddIfError(at + "to", to.status());
  if (from.ok() && to.ok() && *from >= *to) errors.Add(at + "to", "must be after from");
  return {message.id(), from.ok() ? *from : Date(), to.ok() ? *to : Date(), message.title()};
}

evidence::v1::Period ToProto(const evidence::Period& period) {
  evidence::v1::Period message;
  message.set_id(period.id);
  message.set_from(period.from.ToString());
  message.set_to(period.to.ToString());
  message.set_title(period.title);
  return message;
}

evidence::Code CodeFromProto(const evidence::v1::Code& message, absl::string_view path,
                             FieldErrors& errors) {
  const std::string at(path);
  errors.AddIfError(at + "id", evidence::CheckCode(message.id()));
  errors.AddIfError(at + "title", evidence::CheckText(message.title(), 1, kTitleMost));
  errors.AddIfError(at + "unit", evidence::CheckText(message.unit(), 0, 64));
  if (!evidence::v1::Kind_IsValid(message.kind()) ||
      message.kind() == evidence::v1::KIND_UNSPECIFIED) {
    errors.Add(at + "kind",
               "must be INDICATOR, JUDGEMENT, INSPECTION, MONITORING, STATUS or OVERRIDE");
  }
  if (!evidence::v1::ValueType_IsValid(message.value_type()) ||
      message.value_type() == evidence::v1::VALUE_TYPE_UNSPECIFIED) {
    errors.Add(at + "value_type", "must be DECIMAL, RATIO, LEVEL, FLAG or TEXT");
  }
  CheckLevels(message, at, errors);
  evidence::Code code;
  code.id = message.id();
  code.title = message.title();
  code.kind = static_cast<evidence::Kind>(message.kind());
  code.value_type = static_cast<evidence::ValueType>(message.value_type());
  code.unit = message.unit();
  code.minimum = OptionalDecimal(message.minimum(), at + "minimum", errors);
  code.maximum = OptionalDecimal(message.maximum(), at + "maximum", errors);
  code.levels.assign(message.levels().begin(), message.levels().end());
  CheckRange(code, at, errors);
  return code;
}

evidence::v1::Code ToProto(const evidence::Code& code) {
  evidence::v1::Code message;
  message.set_id(code.id);
  message.set_title(code.title);
  message.set_kind(static_cast<evidence::v1::Kind>(code.kind));
  message.set_value_type(static_cast<evidence::v1::ValueType>(code.value_type));
  message.set_unit(code.unit);
  if (code.minimum) message.set_minimum(code.minimum->ToString());
  if (code.maximum) message.set_maximum(code.maximum->ToString());
  for (const std::string& level : code.levels) message.add_levels(level);
  return message;
}

}  // namespace starratings::wire
