// The stores that the tests of the tail run on; which they are is said by
// whoever links them: here, or in tests/store where a database is needed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace starratings::watch {

// An empty record, there as long as `keeper` is held.
struct TestStore {
  std::string uri;
  std::shared_ptr<void> keeper;
};

// All of them; and those that processes can share.
std::vector<std::string> StoreNames();
std::vector<std::string> SharedStoreNames();

// `folder` is its own. NOT_FOUND: its database is not installed here.
absl::StatusOr<TestStore> MakeStore(const std::string& name, const std::filesystem::path& folder);

}  // namespace starratings::watch
