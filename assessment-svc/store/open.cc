#include "assessment-svc/store/memory_store.h"
#include "assessment-svc/store/pg_store.h"
#include "assessment-svc/store/sqlite_store.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/store/uri.h"
#include "common/status/status_macros.h"

namespace starratings::store {

absl::StatusOr<std::unique_ptr<EvidenceStore>> OpenStore(absl::string_view uri,
                                                         const StoreOptions& options) {
  ASSIGN_OR_RETURN(const StoreUri parsed, ParseStoreUri(uri));
  switch (parsed.kind) {
    case StoreUri::Kind::kMemory:
      return NewMemoryStore();
    case StoreUri::Kind::kSqlite:
      return SqliteStore::Open(parsed.path);
    case StoreUri::Kind::kPostgres:
      break;
  }
  return PgStore::Open(parsed.conninfo, options);
}

}  // namespace starratings::store
