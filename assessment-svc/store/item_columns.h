// What an item says as the columns of a table.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// Of the first seven one is set, of a ratio two.
struct ItemColumns {
  std::optional<int64_t> decimal;
  std::optional<int64_t> numerator;
  std::optional<int64_t> denominator;
  std::optional<absl::string_view> level;
  std::optional<int64_t> flag;
  std::optional<absl::string_view> text;
  std::optional<int64_t> missing;
  std::optional<int64_t> observed_on;
  std::optional<absl::string_view> authority;  // Both, or neither.
  std::optional<int64_t> expires_on;
};

// `item` must outlive the columns.
ItemColumns ColumnsOf(const evidence::Item& item);

// The item's ground as an override, of its two columns; nothing: it is none.
std::optional<evidence::Override> OverrideOf(absl::string_view authority,
                                             std::optional<int64_t> expires_on);

}  // namespace starratings::store
