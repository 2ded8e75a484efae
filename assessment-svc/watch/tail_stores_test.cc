#include "assessment-svc/watch/tail_stores.h"

#include "absl/strings/str_cat.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/status/status_macros.h"

namespace starratings::watch {

std::vector<std::string> StoreNames() { return {"Memory", "Sqlite"}; }
std::vector<std::string> SharedStoreNames() { return {"Sqlite"}; }

absl::StatusOr<TestStore> MakeStore(const std::string& name, const std::filesystem::path& folder) {
  if (name == "Memory") return TestStore{"memory:", nullptr};
  const std::string uri = absl::StrCat("sqlite:", (folder / "record.db").string());
  RETURN_IF_ERROR(upkeep::Migrate(uri).status());
  return TestStore{uri, nullptr};
}

}  // namespace starratings::watch
