// The stores that the conformance suite is run on. Memory and SQLite always;
// PostgreSQL where it is installed, reported as skipped where it is not, and
// demanded where CI is set.
#include "absl/status/status.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/status/status_macros.h"
#include "tests/store/conformance.h"
#include "tests/store/postgres_cluster.h"

namespace starratings::store {
namespace {

absl::StatusOr<TestRecord> MakeMemory(const std::filesystem::path&) {
  return TestRecord{"memory:", nullptr};
}

absl::StatusOr<TestRecord> MakeSqlite(const std::filesystem::path& folder) {
  const std::string uri = absl::StrCat("sqlite:", (folder / "record.db").string());
  RETURN_IF_ERROR(upkeep::Migrate(uri).status());
  return TestRecord{uri, nullptr};
}

absl::StatusOr<TestRecord> MakePostgres(const std::filesystem::path&) {
  ASSIGN_OR_RETURN(const PostgresCluster* cluster, PostgresCluster::Shared());
  ASSIGN_OR_RETURN(std::shared_ptr<PostgresDatabase> database, cluster->NewDatabase());
  return TestRecord{database->uri(), database};
}

INSTANTIATE_TEST_SUITE_P(Backends, ConformanceTest,
                         testing::Values(Backend{"Memory", MakeMemory},
                                         Backend{"Sqlite", MakeSqlite},
                                         Backend{"Postgres", MakePostgres}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace starratings::store
