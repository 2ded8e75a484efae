#include "assessment-svc/store/uri.h"

#include "absl/strings/strip.h"
#include "common/status/errors.h"

namespace starratings::store {

absl::StatusOr<StoreUri> ParseStoreUri(absl::string_view uri) {
  if (uri == "memory:") return StoreUri{StoreUri::Kind::kMemory, "", ""};
  if (absl::ConsumePrefix(&uri, "sqlite:") && !uri.empty() &&
      uri.find('\0') == absl::string_view::npos) {
    return StoreUri{StoreUri::Kind::kSqlite, std::string(uri), ""};
  }
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store is named `sqlite:PATH`, for example "
                       "`sqlite:/var/lib/assessment/record.db`, or `memory:`");
}

}  // namespace starratings::store
