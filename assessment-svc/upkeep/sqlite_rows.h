// Rows of a record on SQLite.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/upkeep/rows.h"

namespace starratings::upkeep {

// As OpenRecordReader(), OpenRecordWriter() and RebuildProjection(), of the file
// `path`.
absl::StatusOr<std::unique_ptr<RecordReader>> OpenSqliteReader(const std::string& path);
absl::StatusOr<std::unique_ptr<RecordWriter>> OpenSqliteWriter(const std::string& path);
absl::Status RebuildSqliteProjection(const std::string& path);

// Copies one moment of the record `from` to the file `to`, which must be empty.
// Writers are not held up.
absl::Status CopySqlite(const std::string& from, const std::string& to);

// Leaves nothing of the record `path` in other files beside it.
absl::Status MakeOneFile(const std::string& path);

}  // namespace starratings::upkeep
