// The schema of a record: its migrations, and who may use it. Each backend has
// files of its own with the same numbers.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starratings::store {

// One file of migrations/. Numbers are dense from 1.
struct Migration {
  int64_t number;
  const char* name;  // For example `0001_record`.
  const char* sql;
};

// All this binary knows, in order. The number of the last is this binary's.
std::span<const Migration> SqliteMigrations();
std::span<const Migration> PostgresMigrations();

struct Schema {
  int64_t version = 0;        // 0: nothing is there.
  int64_t oldest_binary = 0;  // The oldest binary that may use it.
};

// OK if a binary that knows schemas up to `known` may use a record with
// `schema`; otherwise FAILED_PRECONDITION, reason STORE_SCHEMA, saying what to do.
absl::Status CheckSchema(const Schema& schema, int64_t known);

// FAILED_PRECONDITION, reason STORE_SCHEMA.
absl::Status SchemaError(absl::string_view message);

}  // namespace starratings::store
