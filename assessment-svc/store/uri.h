// The names of stores.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::store {

struct StoreUri {
  enum class Kind { kMemory, kSqlite, kPostgres };
  Kind kind = Kind::kMemory;
  std::string path;      // Of kSqlite; never empty.
  std::string conninfo;  // Of kPostgres: the URI as libpq takes it; holds no password.
};

// Parses `memory:`, `sqlite:PATH` or `postgresql://...` (also `postgres://`).
// A password in it is refused: it belongs in a file. Returns INVALID_ARGUMENT, reason
// STORE_URI, on anything else.
absl::StatusOr<StoreUri> ParseStoreUri(absl::string_view uri);

}  // namespace starratings::store
