#include "assessment-svc/store/sqlite_schema.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/checks.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

int64_t KnownVersion() { return SqliteMigrations().back().number; }

absl::Status NotARecord() { return SchemaError("the file is not a record of Star Ratings"); }

}  // namespace

absl::Status OpeningError(const absl::Status& error) {
  if (!absl::IsDataLoss(error)) return error;
  // A damaged record is another matter.
  const bool is_database = status::DetailOf(error).metadata["code"] != absl::StrCat(SQLITE_NOTADB);
  return is_database ? error : NotARecord();
}

absl::StatusOr<SqliteSchema> ReadSqliteSchema(SqliteConnection& connection) {
  const auto application = connection.QueryInt("PRAGMA application_id");
  if (!application.ok()) return OpeningError(application.status());
  ASSIGN_OR_RETURN(const int64_t tables, connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0 && *application == 0) return SqliteSchema();
  if (*application != kSqliteApplicationId) return NotARecord();
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection.Query("SELECT version, oldest_binary FROM schema_info"));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return SchemaError("the record does not say which schema it has");
  return SqliteSchema{query.Int(0), query.Int(1)};
}

absl::Status CheckSqliteSchema(const SqliteSchema& schema) {
  return CheckSchema(schema, KnownVersion());
}

absl::StatusOr<Identity> ReadSqliteIdentity(SqliteConnection& connection) {
  ASSIGN_OR_RETURN(SqliteQuery query, connection.Query("SELECT store, incarnation FROM log_head"));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", "the record has no head");
  }
  return Identity{query.Text(0), query.Int(1)};
}

absl::StatusOr<int64_t> MigrateSqlite(SqliteConnection& connection) {
  ASSIGN_OR_RETURN(const SqliteSchema before, ReadSqliteSchema(connection));
  if (before.version > KnownVersion()) {
    // An older starctl at a newer record: nothing to do, if it may be used.
    RETURN_IF_ERROR(CheckSqliteSchema(before));
    return before.version;
  }
  RETURN_IF_ERROR(connection.Execute("PRAGMA journal_mode = WAL"));
  for (const SqliteMigration& migration : SqliteMigrations()) {
    ASSIGN_OR_RETURN(SqliteTransaction transaction,
                     SqliteTransaction::Begin(connection, SqliteConnection::Use::kWrite));
    // Another may have migrated it while we waited for the lock.
    ASSIGN_OR_RETURN(const SqliteSchema schema, ReadSqliteSchema(connection));
    if (schema.version >= migration.number) continue;
    RETURN_IF_ERROR(connection.Execute(migration.sql));
    if (schema.version == 0) {
      RETURN_IF_ERROR(connection.Execute(
          absl::StrCat("PRAGMA application_id = ", kSqliteApplicationId).c_str()));
      ASSIGN_OR_RETURN(SqliteQuery head,
                       connection.Query("INSERT INTO log_head VALUES (1, 0, ?1, 1)", MakeUuid()));
      RETURN_IF_ERROR(head.Run());
    }
    RETURN_IF_ERROR(transaction.Commit());
  }
  return before.version;
}

}  // namespace starratings::store
