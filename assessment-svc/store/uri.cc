#include "assessment-svc/store/uri.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "assessment-svc/store/pg_connection.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {

absl::StatusOr<StoreUri> ParseStoreUri(absl::string_view uri) {
  if (uri == "memory:") return StoreUri{StoreUri::Kind::kMemory, "", ""};
  if (absl::ConsumePrefix(&uri, "sqlite:") && !uri.empty() &&
      uri.find('\0') == absl::string_view::npos) {
    return StoreUri{StoreUri::Kind::kSqlite, std::string(uri), ""};
  }
  if (absl::StartsWith(uri, "postgresql://") || absl::StartsWith(uri, "postgres://")) {
    // Says what is wrong with it.
    RETURN_IF_ERROR(ParsePgTarget(std::string(uri), "").status());
    return StoreUri{StoreUri::Kind::kPostgres, "", std::string(uri)};
  }
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store is named `sqlite:PATH`, for example "
                       "`sqlite:/var/lib/assessment/record.db`, "
                       "`postgresql://USER@HOST/DATABASE`, or `memory:`");
}

}  // namespace starratings::store
