#include "assessment-svc/store/memory_store.h"
#include "assessment-svc/store/sqlite_store.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/store/uri.h"
#include "common/status/status_macros.h"

namespace starratings::store {

absl::StatusOr<std::unique_ptr<EvidenceStore>> OpenStore(absl::string_view uri,
                                                         const StoreOptions&) {
  ASSIGN_OR_RETURN(const StoreUri parsed, ParseStoreUri(uri));
  if (parsed.kind == StoreUri::Kind::kMemory) return NewMemoryStore();
  return SqliteStore::Open(parsed.path);
}

}  // namespace starratings::store
