// Rows of a record on PostgreSQL.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/upkeep/rows.h"

namespace starratings::upkeep {

// Takes apart what COPY ... TO STDOUT (FORMAT binary) sends.
class CopyDecoder {
 public:
  // Takes the next bytes, and calls `visit` for each row that is whole.
  absl::Status Take(absl::string_view bytes, const VisitRow& visit);

  // UNAVAILABLE if the end has not been seen.
  absl::Status Finish() const;

 private:
  std::string rest_;  // Of a row that is not whole.
  bool header_seen_ = false;
  bool end_seen_ = false;
};

// A row as COPY ... FROM STDIN takes it in its text format, which knows no sizes
// of numbers.
void AppendCopyLine(const Table& table, const Row& row, std::string& out);

// As OpenRecordReader(), OpenRecordWriter() and RebuildProjection().
absl::StatusOr<std::unique_ptr<RecordReader>> OpenPgReader(const store::PgTarget& target);
absl::StatusOr<std::unique_ptr<RecordWriter>> OpenPgWriter(const store::PgTarget& target);
absl::Status RebuildPgProjection(const store::PgTarget& target);

}  // namespace starratings::upkeep
