#include "assessment-svc/store/schema.h"

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace starratings::store {

absl::Status SchemaError(absl::string_view message) {
  return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_SCHEMA", message);
}

absl::Status CheckSchema(const Schema& schema, int64_t known) {
  if (schema.version == 0) {
    return SchemaError("there is no record here yet: run `starctl store migrate`");
  }
  if (schema.version < known) {
    return SchemaError(absl::StrCat("the record has schema ", schema.version,
                                    ", this binary needs ", known,
                                    ": run `starctl store migrate`"));
  }
  if (schema.oldest_binary > known) {
    return SchemaError(absl::StrCat("the record has schema ", schema.version,
                                    ", which this binary (", known,
                                    ") may not use: run a newer one"));
  }
  return absl::OkStatus();
}

}  // namespace starratings::store
