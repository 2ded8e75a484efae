// Makes a record from another: from a backup, or from the record itself, to keep it
// elsewhere.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/upkeep/fsck.h"

namespace starratings::upkeep {

struct RestoreReport {
  RecordHead backup;         // What the file holds.
  store::Identity restored;  // The record's identity now, ...
  int64_t schema = 0;        // ... and its schema.
  FsckReport fsck;           // Of the backup; if it has faults, nothing was restored.
};

// Fills the record named by `uri`, which must not be there yet or be empty, with
// what the backup `file` holds, in one transaction. No service may use it
// meanwhile.
//
// The record is the same store, but of a new incarnation, later than any it had:
// a token or cursor that was given out before, perhaps for a revision that is
// lost, is refused from now on (STORE_RESTORED) instead of meaning something
// else.
//
// Returns as Migrate(), NOT_FOUND (FILE_MISSING) if there is no such file, and
// FAILED_PRECONDITION with STORE_SCHEMA if it is no record, or with
// STORE_NOT_EMPTY if there is a record under `uri`.
absl::StatusOr<RestoreReport> Restore(const std::string& file, absl::string_view uri,
                                      ItemDigester digest_of,
                                      const store::StoreOptions& options = {});

struct CopyReport {
  RecordHead head;     // Of both.
  int64_t schema = 0;  // Of the copy.
  FsckReport fsck;     // Of the copy.
};

// Fills the record named by `to`, which must not be there yet or be empty, with all
// that the one named by `from` holds. It is the same store in the same incarnation: every
// revision, digest, token and cursor means what it meant. So no service may use
// either meanwhile, and none the old one afterwards.
//
// Returns as Migrate(); FAILED_PRECONDITION with STORE_SCHEMA or STORE_NOT_EMPTY as
// Restore(), and with STORE_IN_USE if something was written to `from` meanwhile: then
// nothing was copied.
absl::StatusOr<CopyReport> Copy(absl::string_view from, const store::StoreOptions& from_options,
                                absl::string_view to, const store::StoreOptions& to_options,
                                ItemDigester digest_of);

}  // namespace starratings::upkeep
