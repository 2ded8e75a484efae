// The tests of the tail on PostgreSQL.
#include "assessment-svc/watch/tail_stores.h"
#include "common/status/status_macros.h"
#include "tests/store/postgres_cluster.h"

namespace starratings::watch {

std::vector<std::string> StoreNames() { return {"Postgres"}; }
std::vector<std::string> SharedStoreNames() { return StoreNames(); }

absl::StatusOr<TestStore> MakeStore(const std::string&, const std::filesystem::path&) {
  ASSIGN_OR_RETURN(const store::PostgresCluster* cluster, store::PostgresCluster::Shared());
  ASSIGN_OR_RETURN(std::shared_ptr<store::PostgresDatabase> database, cluster->NewDatabase());
  return TestStore{database->uri(), database};
}

}  // namespace starratings::watch
