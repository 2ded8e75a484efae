// Copies a record to a file, while services use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/upkeep/fsck.h"
#include "common/digest/sha256.h"

namespace starratings::upkeep {

struct BackupOptions {
  ItemDigester digest_of = nullptr;  // Required if `verify`.
  store::StoreOptions store;
  bool verify = true;  // Check the copy before it gets its name.
};

struct BackupReport {
  RecordHead head;  // Of the copy: it is the record as of this revision.
  int64_t bytes = 0;
  digest::Digest digest{};         // Of the file.
  std::optional<FsckReport> fsck;  // If it was verified.
};

// Copies one moment of the record named by `uri` to `file`: a record on SQLite,
// whatever the record is kept in. It holds everything that was acknowledged
// before the call. The file appears whole, on the disk and, unless told
// otherwise, verified; if the copy has faults, the report lists them and there is
// no file.
//
// Returns as OpenRecordReader() and NewFile::Create().
absl::StatusOr<BackupReport> Backup(absl::string_view uri, const std::string& file,
                                    const BackupOptions& options);

}  // namespace starratings::upkeep
