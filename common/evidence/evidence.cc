#include "common/evidence/evidence.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace starratings::evidence {

const char* ToString(MissingReason reason) {
  switch (reason) {
    case MissingReason::kNotReported:
      return "NOT_REPORTED";
    case MissingReason::kUnreliable:
      return "UNRELIABLE";
    case MissingReason::kSuppressed:
      return "SUPPRESSED";
    case MissingReason::kWithdrawn:
      return "WITHDRAWN";
    case MissingReason::kNotApplicable:
      return "NOT_APPLICABLE";
  }
  return "";
}

std::optional<MissingReason> MissingReasonFromString(absl::string_view name) {
  for (const MissingReason reason :
       {MissingReason::kNotReported, MissingReason::kUnreliable, MissingReason::kSuppressed,
        MissingReason::kWithdrawn, MissingReason::kNotApplicable}) {
    if (name == ToString(reason)) return reason;
  }
  return std::nullopt;
}

std::string ToString(const Value& value) {
  struct Printer {
    std::string operator()(const Decimal& decimal) const { return decimal.ToString(); }
    std::string operator()(const Ratio& ratio) const {
      return absl::StrCat(ratio.numerator, "/", ratio.denominator);
    }
    std::string operator()(const Level& level) const { return level.name; }
    std::string operator()(bool flag) const { return flag ? "yes" : "no"; }
    std::string operator()(const Text& text) const { return text.text; }
    std::string operator()(MissingReason reason) const { return ToString(reason); }
  };
  return std::visit(Printer(), value);
}

std::string RecordedItem::Etag() const { return absl::StrCat(ordinal, ".", revision); }

bool IsCorrection(const Value& current, const Value& next) {
  return !std::holds_alternative<MissingReason>(current) && current != next;
}

void Dossier::SortItems() {
  const auto before = [](const RecordedItem& a, const RecordedItem& b) {
    return std::tie(a.item.key.code, a.item.key.period, a.item.key.instance) <
           std::tie(b.item.key.code, b.item.key.period, b.item.key.instance);
  };
  // A store finds them so, unless periods mingle.
  if (!std::is_sorted(items.begin(), items.end(), before)) {
    std::sort(items.begin(), items.end(), before);
  }
}

}  // namespace starratings::evidence
