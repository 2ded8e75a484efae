#include "common/evidence/register.h"

namespace starratings::evidence {

const char* ToString(Kind kind) {
  switch (kind) {
    case Kind::kIndicator:
      return "INDICATOR";
    case Kind::kJudgement:
      return "JUDGEMENT";
    case Kind::kInspection:
      return "INSPECTION";
    case Kind::kMonitoring:
      return "MONITORING";
    case Kind::kStatus:
      return "STATUS";
    case Kind::kOverride:
      return "OVERRIDE";
  }
  return "";
}

const char* ToString(ValueType type) {
  switch (type) {
    case ValueType::kDecimal:
      return "DECIMAL";
    case ValueType::kRatio:
      return "RATIO";
    case ValueType::kLevel:
      return "LEVEL";
    case ValueType::kFlag:
      return "FLAG";
    case ValueType::kText:
      return "TEXT";
  }
  return "";
}

std::optional<Kind> KindFromString(absl::string_view name) {
  for (const Kind kind : {Kind::kIndicator, Kind::kJudgement, Kind::kInspection, Kind::kMonitoring,
                          Kind::kStatus, Kind::kOverride}) {
    if (name == ToString(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<ValueType> ValueTypeFromString(absl::string_view name) {
  for (const ValueType type : {ValueType::kDecimal, ValueType::kRatio, ValueType::kLevel,
                               ValueType::kFlag, ValueType::kText}) {
    if (name == ToString(type)) return type;
  }
  return std::nullopt;
}

}  // namespace starratings::evidence
