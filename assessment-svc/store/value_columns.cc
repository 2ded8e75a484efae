#include "assessment-svc/store/value_columns.h"

#include <variant>

namespace starratings::store {

ValueColumns ColumnsOf(const evidence::Value& value) {
  struct Splitter {
    ValueColumns& columns;
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
  ValueColumns columns;
  std::visit(Splitter{columns}, value);
  return columns;
}

}  // namespace starratings::store
