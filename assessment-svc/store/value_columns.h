// A value as the columns of a table.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// A value as columns; one of them is set, of a ratio two.
struct ValueColumns {
  std::optional<int64_t> decimal;
  std::optional<int64_t> numerator;
  std::optional<int64_t> denominator;
  std::optional<absl::string_view> level;
  std::optional<int64_t> flag;
  std::optional<absl::string_view> text;
  std::optional<int64_t> missing;
};

// `value` must outlive the columns.
ValueColumns ColumnsOf(const evidence::Value& value);

}  // namespace starratings::store
