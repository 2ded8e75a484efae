#include "assessment-svc/store/pg_schema.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/checks.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// A number that no other program is likely to lock ("Star").
constexpr char kLockMigrations[] = "SELECT pg_advisory_xact_lock(1400136050)::text";

}  // namespace

absl::StatusOr<Schema> ReadPgSchema(PgConnection& connection, absl::Time deadline) {
  ASSIGN_OR_RETURN(const PgResult there,
                   connection.Run("SELECT to_regclass('schema_info') IS NOT NULL", deadline));
  if (there.Int(0, 0) == 0) return Schema();
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection.Run("SELECT version, oldest_binary FROM schema_info", deadline));
  if (rows.rows() != 1) return SchemaError("the record does not say which schema it has");
  return Schema{rows.Int(0, 0), rows.Int(0, 1)};
}

absl::StatusOr<Identity> ReadPgIdentity(PgConnection& connection, absl::Time deadline) {
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection.Run("SELECT store, incarnation FROM log_head", deadline));
  if (rows.rows() != 1) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", "the record has no head");
  }
  return Identity{rows.Text(0, 0), rows.Int(0, 1)};
}

absl::StatusOr<int64_t> MigratePg(PgConnection& connection, absl::Time deadline) {
  ASSIGN_OR_RETURN(const Schema before, ReadPgSchema(connection, deadline));
  const int64_t known = PostgresMigrations().back().number;
  if (before.version > known) {
    // An older starctl at a newer record: nothing to do, if it may be used.
    RETURN_IF_ERROR(CheckSchema(before, known));
    return before.version;
  }
  for (const Migration& migration : PostgresMigrations()) {
    if (before.version >= migration.number) continue;
    RETURN_IF_ERROR(connection.Run("BEGIN", deadline).status());
    absl::Status done = connection.Run(kLockMigrations, deadline).status();
    // Another may have migrated it while we waited for the lock.
    absl::StatusOr<Schema> schema = Schema();
    if (done.ok()) {
      schema = ReadPgSchema(connection, deadline);
      done = schema.status();
    }
    if (done.ok() && schema->version < migration.number) {
      done = connection.RunScript(migration.sql, deadline);
      if (done.ok() && migration.number == 1) {
        done = connection
                   .Run("INSERT INTO log_head VALUES (1, 0, $1, 1)", PgParams().Add(MakeUuid()),
                        deadline)
                   .status();
      }
    }
    const absl::Status ended = connection.Run(done.ok() ? "COMMIT" : "ROLLBACK", deadline).status();
    RETURN_IF_ERROR(done);
    RETURN_IF_ERROR(ended);
  }
  return before.version;
}

}  // namespace starratings::store
