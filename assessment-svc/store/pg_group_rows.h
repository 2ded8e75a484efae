// What a group adds to the tables, gathered in columns and inserted with one
// statement a table; many items by COPY, which costs the database half as much.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/writes.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// Rows of `sources` by what they hold. Of whoever holds the writer.
class PgSourceRows {
 public:
  // Finds or makes the rows of `wanted`, in the open transaction.
  absl::Status Fetch(PgConnection& connection, const std::vector<const evidence::Source*>& wanted,
                     absl::Time deadline);
  // The row of a source that was fetched.
  int64_t RowOf(const evidence::Source& source) const;

  void Commit();
  void Rollback() { made_.clear(); }
  // Another database may answer from now on.
  void Forget() { known_.clear(); }

 private:
  // More are forgotten, all at once.
  static constexpr size_t kMost = 10'000;

  std::map<evidence::Source, int64_t> known_;
  std::map<evidence::Source, int64_t> made_;  // In the open transaction.
};

// A statement that a group has accepted.
struct PgStatement {
  const evidence::Item* item = nullptr;
  int64_t revision = 0;
  int64_t ord = 0;
  int64_t ordinal = 0;
  int64_t source = 0;
  int bucket = 0;
  int64_t rev_to = 0;  // The revision of this group that ends it; 0: none does.
};

class PgGroupRows {
 public:
  void AddCommit(const Commit& commit, const Write& write);
  // Statements of one key must come in their order.
  void AddStatement(const PgStatement& statement);

  bool empty() const { return revisions_.empty(); }

  // Inserts by COPY, in the open transaction, those items of which there are
  // many; returns the statements that insert the rest, and forgets everything.
  // What the items were taken from must be there until they have run.
  absl::StatusOr<std::vector<PgCall>> Take(PgConnection& connection, absl::Time deadline);

 private:
  absl::Status TakeItems(PgConnection& connection, absl::Time deadline, std::vector<PgCall>& calls);

  std::vector<int64_t> revisions_, times_, items_;
  std::vector<std::string> actors_, on_behalf_of_, request_ids_, reasons_, kinds_;
  std::deque<std::string> bytes_;  // What the views are of.
  std::vector<absl::string_view> request_hashes_, leaf_hashes_, nonces_;
  std::vector<PgStatement> statements_;
};

}  // namespace starratings::store
