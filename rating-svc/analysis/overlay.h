// What if: evidence laid over a dossier, thresholds over a scheme. Pure; what
// was there stays as it is.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/evidence/evidence.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

struct OverlaidItem {
  std::string code;
  std::string instance;
  evidence::Value value;
  std::optional<evidence::Date> observed_on;
  std::optional<evidence::Override> overriding = std::nullopt;
};

// Whether the scheme reads the code at all.
bool IsRead(const scheme::Scheme& scheme, absl::string_view code);

// The period that the scheme reads the code in: `standing`, or the dossier's.
std::string PeriodOf(const scheme::Scheme& scheme, absl::string_view code,
                     const std::string& period);

// `text` as the input that reads `code` takes it: the name of a level (of the
// scale no and yes, a flag), `30/140`, or a decimal. None if it cannot be read
// so.
std::optional<evidence::Value> ValueOf(const scheme::Scheme& scheme, absl::string_view code,
                                       const std::string& text);

// `dossier` with the items in the place of what it says under the same keys, or
// beside it. Their source is named `What if`; they have no digest.
evidence::Dossier Overlay(const scheme::Scheme& scheme, const evidence::Dossier& dossier,
                          const std::vector<OverlaidItem>& items);

// Another constant for a condition of a rule, or for a cut of a band.
struct Threshold {
  std::string rule_id;
  // From 0, in the scheme's order; an adjustment's bound comes last, the lists of a
  // band follow on each other.
  int condition = 0;
  std::variant<scheme::Fraction, std::string> to;  // A number, or a level's name.
};

enum class ThresholdFault {
  kNone,
  kRuleUnknown,       // No rule with conditions or cuts has this id.
  kConditionUnknown,  // It has not so many conditions.
  kType,              // A level where a number is compared, or the reverse; no level of the scale.
  kOrder,             // The cuts of a band would not ascend.
};

// Sets it in `scheme`, or says why not. The scheme is then not proven any more:
// it can be evaluated, and nothing else is known of it.
ThresholdFault SetThreshold(scheme::Scheme& scheme, const Threshold& threshold);

}  // namespace starratings::analysis
