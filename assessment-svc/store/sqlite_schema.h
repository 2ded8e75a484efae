// The schema of the record on SQLite: its migrations, and whether a file has it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/store/schema.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// Marks a database file as ours ("Star").
inline constexpr int64_t kSqliteApplicationId = 0x53746172;

using SqliteMigration = Migration;
using SqliteSchema = Schema;

// What an error on first touching a file means: if it is no database at all,
// FAILED_PRECONDITION, reason STORE_SCHEMA.
absl::Status OpeningError(const absl::Status& error);

// Returns FAILED_PRECONDITION, reason STORE_SCHEMA, if the file is not a record.
absl::StatusOr<SqliteSchema> ReadSqliteSchema(SqliteConnection& connection);

// OK if this binary may use a record with `schema`; otherwise
// FAILED_PRECONDITION, reason STORE_SCHEMA, saying what to do.
absl::Status CheckSqliteSchema(const SqliteSchema& schema);

absl::StatusOr<Identity> ReadSqliteIdentity(SqliteConnection& connection);

// Makes the schema what this binary knows, a transaction for each migration;
// returns the version it was. For starctl, by upkeep.
absl::StatusOr<int64_t> MigrateSqlite(SqliteConnection& connection);

}  // namespace starratings::store
