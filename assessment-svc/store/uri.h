// The names of stores.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::store {

struct StoreUri {
  enum class Kind { kMemory, kSqlite };
  Kind kind = Kind::kMemory;
  std::string path;  // Of kSqlite; never empty.
};

// Parses `memory:` or `sqlite:PATH`. Returns INVALID_ARGUMENT, reason
// STORE_URI, on anything else.
absl::StatusOr<StoreUri> ParseStoreUri(absl::string_view uri);

}  // namespace starratings::store
