#include "assessment-svc/store/item_columns.h"

#include <variant>

namespace starratings::store {

ItemColumns ColumnsOf(const evidence::Item& item) {
  struct Splitter {
    ItemColumns& columns;
    void operator()(const evidence::Decimal& decimal) const { columns.decimal = decimal.micros(); }
    void operator()(const evidence::Ratio& ratio) const {
      columns.numerator = ratio.numerator;
      columns.denominator = ratio.denominator;
    }
    void operator()(const evidence::Level& level) const { columns.level = level.name; }
    void operator()(bool flag) const { columns.flag = flag ? 1 : 0; }
    void operator()(const evidence::Text& text) const { columns.text = text.text; }
    void operator()(evidence::MissingReason missing) const {
      columns.missing = static_cast<int64_t>(missing);
    }
  };
  ItemColumns columns;
  std::visit(Splitter{columns}, item.value);
  if (item.observed_on) columns.observed_on = item.observed_on->days();
  if (item.overriding) {
    columns.authority = item.overriding->authority;
    columns.expires_on = item.overriding->expires_on.days();
  }
  return columns;
}

std::optional<evidence::Override> OverrideOf(absl::string_view authority,
                                             std::optional<int64_t> expires_on) {
  if (!expires_on) return std::nullopt;
  return evidence::Override{std::string(authority),
                            evidence::Date::FromDays(static_cast<int32_t>(*expires_on))};
}

}  // namespace starratings::store
