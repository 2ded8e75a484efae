#include "assessment-svc/upkeep/migrate.h"

#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/sqlite_schema.h"
#include "assessment-svc/store/uri.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {

absl::StatusOr<MigrateReport> Migrate(absl::string_view uri) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  if (parsed.kind != store::StoreUri::Kind::kSqlite) {
    return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                         "a store in memory has no schema to migrate");
  }
  const auto opened =
      store::SqliteConnection::Open(parsed.path, store::SqliteConnection::Use::kCreate);
  if (!opened.ok()) return store::OpeningError(opened.status());
  store::SqliteConnection& connection = **opened;
  MigrateReport report;
  ASSIGN_OR_RETURN(report.before, store::MigrateSqlite(connection));
  ASSIGN_OR_RETURN(const store::SqliteSchema schema, store::ReadSqliteSchema(connection));
  report.after = schema.version;
  for (const store::SqliteMigration& migration : store::SqliteMigrations()) {
    if (migration.number > report.before) report.applied.emplace_back(migration.name);
  }
  ASSIGN_OR_RETURN(const store::Identity identity, store::ReadSqliteIdentity(connection));
  report.store = identity.store;
  return report;
}

}  // namespace starratings::upkeep
