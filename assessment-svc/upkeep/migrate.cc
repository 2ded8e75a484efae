#include "assessment-svc/upkeep/migrate.h"

#include <algorithm>
#include <span>

#include "absl/time/clock.h"
#include "assessment-svc/store/pg_schema.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/sqlite_schema.h"
#include "assessment-svc/store/uri.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

// A migration of a large record may take long; a lock it waits for may not.
constexpr absl::Duration kMigrateMost = absl::Minutes(30);

absl::StatusOr<MigrateReport> Report(int64_t before, const store::Identity& identity,
                                     std::span<const store::Migration> migrations) {
  MigrateReport report;
  report.before = before;
  report.after = std::max(before, migrations.back().number);
  for (const store::Migration& migration : migrations) {
    if (migration.number > before) report.applied.emplace_back(migration.name);
  }
  report.store = identity.store;
  return report;
}

absl::StatusOr<MigrateReport> MigrateSqlite(const std::string& path) {
  const auto opened = store::SqliteConnection::Open(path, store::SqliteConnection::Use::kCreate);
  if (!opened.ok()) return store::OpeningError(opened.status());
  store::SqliteConnection& connection = **opened;
  ASSIGN_OR_RETURN(const int64_t before, store::MigrateSqlite(connection));
  ASSIGN_OR_RETURN(const store::Identity identity, store::ReadSqliteIdentity(connection));
  return Report(before, identity, store::SqliteMigrations());
}

absl::StatusOr<MigrateReport> MigratePostgres(const std::string& conninfo,
                                              const store::StoreOptions& options) {
  ASSIGN_OR_RETURN(const store::PgTarget target,
                   store::ParsePgTarget(conninfo, options.password_file));
  const absl::Time deadline = absl::Now() + kMigrateMost;
  ASSIGN_OR_RETURN(const auto connection, store::PgConnection::Open(target, deadline));
  ASSIGN_OR_RETURN(const int64_t before, store::MigratePg(*connection, deadline));
  ASSIGN_OR_RETURN(const store::Identity identity, store::ReadPgIdentity(*connection, deadline));
  return Report(before, identity, store::PostgresMigrations());
}

}  // namespace

absl::StatusOr<MigrateReport> Migrate(absl::string_view uri, const store::StoreOptions& options) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  switch (parsed.kind) {
    case store::StoreUri::Kind::kSqlite:
      return MigrateSqlite(parsed.path);
    case store::StoreUri::Kind::kPostgres:
      return MigratePostgres(parsed.conninfo, options);
    case store::StoreUri::Kind::kMemory:
      break;
  }
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store in memory has no schema to migrate");
}

}  // namespace starratings::upkeep
