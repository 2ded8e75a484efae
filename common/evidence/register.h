// The register: what evidence may be about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/evidence/date.h"
#include "common/evidence/decimal.h"

namespace starratings::evidence {

// The numbers are those of the wire and of the record.
enum class Kind {
  kIndicator = 1,
  kJudgement = 2,
  kInspection = 3,
  kMonitoring = 4,
  kStatus = 5,
  kOverride = 6,
};

enum class ValueType {
  kDecimal = 1,
  kRatio = 2,
  kLevel = 3,
  kFlag = 4,
  kText = 5,
};

// "INDICATOR" and so on; "DECIMAL" and so on.
const char* ToString(Kind kind);
const char* ToString(ValueType type);
std::optional<Kind> KindFromString(absl::string_view name);
std::optional<ValueType> ValueTypeFromString(absl::string_view name);

struct Organisation {
  std::string id;
  std::string name;
  std::string kind;
  std::string region;
  std::optional<Date> from;  // Unset: always.
  std::optional<Date> to;    // The day after its last; unset: it still exists.

  friend bool operator==(const Organisation&, const Organisation&) = default;
};

struct Period {
  std::string id;
  Date from;
  Date to;  // The day after its last.
  std::string title;

  friend bool operator==(const Period&, const Period&) = default;
};

struct Code {
  std::string id;
  std::string title;
  Kind kind = Kind::kIndicator;
  ValueType value_type = ValueType::kDecimal;
  std::string unit;
  std::optional<Decimal> minimum;  // Of a ratio: of its quotient.
  std::optional<Decimal> maximum;
  std::vector<std::string> levels;  // Worst first.

  friend bool operator==(const Code&, const Code&) = default;
};

}  // namespace starratings::evidence
