// Writes the items of a revision: to the log, and to what is kept from it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/writes.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// Rows of `sources` by what they hold: a supplier sends the same few again and
// again. Of the writer.
class SourceRows {
 public:
  // Finds the row, or makes it.
  absl::StatusOr<int64_t> RowOf(SqliteConnection& connection, const evidence::Source& source);

  // The transaction that has made rows is committed, or it is not.
  void Commit();
  void Rollback() { made_.clear(); }

 private:
  // More are forgotten, all at once.
  static constexpr size_t kMost = 10'000;

  std::map<evidence::Source, int64_t> known_;
  std::map<evidence::Source, int64_t> made_;  // In the open transaction.
};

// Writes `drafts` as the items of `revision`; `ordinals` are theirs. What stood
// under their keys becomes the past.
absl::Status WriteItems(SqliteConnection& connection, SourceRows& sources,
                        const std::vector<EvidenceDraft>& drafts,
                        const std::vector<int64_t>& ordinals, int64_t revision);

}  // namespace starratings::store
