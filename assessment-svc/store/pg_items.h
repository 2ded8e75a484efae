// Items <- rows, for the PostgreSQL store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/store.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// What the tables of items have in common, in the order PgItemReader reads; a
// macro, so that texts of SQL can be literals around it. `t` is an alias with
// its dot, or empty; before the value stand key and revision.
#define STARRATINGS_PG_KEY_COLUMNS(t) t "organisation, " t "period, " t "code, " t "instance"
#define STARRATINGS_PG_VALUE_COLUMNS(t)                                                  \
  t "ordinal, " t "decimal, " t "numerator, " t "denominator, " t "level, " t "flag, " t \
    "text, " t "missing, " t "observed_on, " t "source, " t "digest, " t "authority, " t \
    "expires_on"

// Columns of evidence_log and of evidence_current and _past, for PgItemReader.
#define STARRATINGS_PG_LOG_COLUMNS(t) \
  STARRATINGS_PG_KEY_COLUMNS(t) ", " t "revision, " STARRATINGS_PG_VALUE_COLUMNS(t)
#define STARRATINGS_PG_STATE_COLUMNS(t) \
  STARRATINGS_PG_KEY_COLUMNS(t) ", " t "rev_from AS revision, " STARRATINGS_PG_VALUE_COLUMNS(t)

// What a commit says of all its items.
struct PgSaid {
  std::string actor;
  int64_t time_us = 0;
  std::string reason;
};

// Rows by their number. Thread-safe.
template <typename Row>
class PgRowCache {
 public:
  std::shared_ptr<const Row> Find(int64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = rows_.find(number);
    return found == rows_.end() ? nullptr : found->second;
  }

  void Insert(int64_t number, std::shared_ptr<const Row> row) {
    const std::lock_guard lock(mutex_);
    if (rows_.size() >= kMost) rows_.clear();
    rows_.emplace(number, std::move(row));
  }

  void Clear() {
    const std::lock_guard lock(mutex_);
    rows_.clear();
  }

 private:
  // More are forgotten, all at once: a cache, not a copy of the record.
  static constexpr size_t kMost = 20'000;

  mutable std::mutex mutex_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const Row>> rows_;  // By mutex_.
};

// What many items share. Rows of the log never change, so that nothing here
// grows stale, as long as it is the same database that answers.
struct PgShared {
  PgRowCache<evidence::Source> sources;
  PgRowCache<PgSaid> commits;

  void Clear() {
    sources.Clear();
    commits.Clear();
  }
};

// The value in the columns of `row`, of an item that begins at column `first`.
// Returns DATA_LOSS, reason STORE_CORRUPT, if there is none.
absl::StatusOr<evidence::Value> ReadValue(const PgResult& rows, int row, int first);

// Reads items of answers. What they share, and no read has met before, is asked
// for, all at once for each answer.
class PgItemReader {
 public:
  // Runs calls; PgStore::ReadAt() at any revision.
  using Ask = std::function<absl::StatusOr<std::vector<PgResult>>(std::span<const PgCall>)>;

  // `shared` must outlive the reader.
  PgItemReader(PgShared& shared, Ask ask) : shared_(shared), ask_(std::move(ask)) {}

  // Gets the sources, and with `said` the commits, of `rows`, of items that begin
  // at column `first`; call before Read() and ReadSaid().
  absl::Status Fetch(const PgResult& rows, bool said, int first = 0);

  // The item in the columns of `row` from `first`, without who said it.
  absl::StatusOr<evidence::RecordedItem> Read(const PgResult& rows, int row, int first = 0) const;

  // The same, with it.
  absl::StatusOr<evidence::RecordedItem> ReadSaid(const PgResult& rows, int row,
                                                  int first = 0) const;

  // Fetch(), and ReadSaid() of all rows.
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadAllSaid(const PgResult& rows);

  // Of the columns of `row` from `first`.
  static evidence::ItemKey KeyOf(const PgResult& rows, int row, int first = 0);
  static int64_t RevisionOf(const PgResult& rows, int row, int first = 0);

 private:
  PgShared& shared_;
  const Ask ask_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const evidence::Source>> sources_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const PgSaid>> commits_;
};

}  // namespace starratings::store
