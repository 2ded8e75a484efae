// Items <-> rows, for the SQLite store.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/store/item_columns.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/store.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// What the tables of items have in common, in the order ItemReader reads; a
// macro, so that texts of SQL can be literals around it. Before it stand key
// and revision: see kLogColumns and kStateColumns.
#define STARRATINGS_VALUE_COLUMNS                                          \
  "ordinal, decimal, numerator, denominator, level, flag, text, missing, " \
  "observed_on, source, digest, authority, expires_on"

// Columns of evidence_log and of evidence_current and _past, for ItemReader.
#define STARRATINGS_LOG_COLUMNS \
  "organisation, period, code, instance, revision, " STARRATINGS_VALUE_COLUMNS
#define STARRATINGS_STATE_COLUMNS \
  "organisation, period, code, instance, rev_from, " STARRATINGS_VALUE_COLUMNS

// Texts for `IN (SELECT value FROM json_each(?))`.
std::string JsonArray(const std::vector<std::string>& texts);

// Sources by their row, one object for each. Rows of the log never change, so
// that nothing here grows stale. Thread-safe.
class SourceCache {
 public:
  std::shared_ptr<const evidence::Source> Find(int64_t id) const;
  void Insert(int64_t id, std::shared_ptr<const evidence::Source> source);

 private:
  // More are forgotten, all at once: a cache, not a copy of the record.
  static constexpr size_t kMost = 100'000;

  mutable std::mutex mutex_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const evidence::Source>> sources_;  // By mutex_.
};

// The value in the columns of `row`, of an item that begins at column `first`.
absl::StatusOr<evidence::Value> ReadValue(const SqliteQuery& row, int first);

// Reads items in one transaction, and what belongs to them in other tables.
class ItemReader {
 public:
  // Of STARRATINGS_LOG_COLUMNS, and of STARRATINGS_STATE_COLUMNS.
  static constexpr int kColumns = 18;

  // Valid until the row is left.
  struct KeyView {
    absl::string_view organisation, period, code, instance;
  };
  static KeyView KeyOf(const SqliteQuery& row, int first);
  static int64_t RevisionOf(const SqliteQuery& row, int first);

  // Both must outlive the reader.
  ItemReader(SqliteConnection& connection, SourceCache& sources)
      : connection_(connection), sources_(sources) {}

  // Fills an item that is empty from the columns of `row` from `first`.
  absl::Status Read(const SqliteQuery& row, int first, evidence::RecordedItem& recorded);

 private:
  struct Said {
    std::string actor;
    int64_t time_us = 0;
    std::string reason;
  };

  absl::StatusOr<const Said*> SaidAt(int64_t revision);
  absl::StatusOr<std::shared_ptr<const evidence::Source>> SourceOf(int64_t id);

  SqliteConnection& connection_;
  SourceCache& sources_;
  absl::flat_hash_map<int64_t, std::unique_ptr<Said>> said_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const evidence::Source>> seen_;
};

}  // namespace starratings::store
