// Creates and upgrades the schema of a record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/store/store.h"

namespace starratings::upkeep {

struct MigrateReport {
  int64_t before = 0;                // The schema there was; 0: none, the record is new.
  int64_t after = 0;                 // The schema there is now.
  std::vector<std::string> applied;  // For example `0001_record`.
  std::string store;                 // The record's id.
};

// Creates the record named by `uri` if it is not there, and brings its schema
// to what this binary knows; each migration is a transaction. Harmless when
// there is nothing to do, and while services use the record.
//
// Returns INVALID_ARGUMENT (STORE_URI) if `uri` is malformed or `memory:`,
// FAILED_PRECONDITION (STORE_SCHEMA) if the file is not a record, or is one that
// only newer binaries may use, and UNAVAILABLE if it cannot be reached.
absl::StatusOr<MigrateReport> Migrate(absl::string_view uri,
                                      const store::StoreOptions& options = {});

}  // namespace starratings::upkeep
