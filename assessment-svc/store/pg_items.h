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
    "text, " t "missing, " t "observed_on, " t "source, " t "digest"

// Columns of evidence_log and of evidence_current and _past, for PgItemReader.
#define STARRATINGS_PG_LOG_COLUMNS(t) \
  STARRATINGS_PG_KEY_COLUMNS(t) ", " t "revision, " STARRATINGS_PG_VALUE_COLUMNS(t)
#define STARRATINGS_PG_STATE_COLUMNS(t) \
  STARRATINGS_PG_KEY_COLUMNS(t) ", " t "rev_from AS revision, " STARRATINGS_PG_VALUE_COLUMNS(t)

// Behind items `e` in FROM: who said them; and its columns, which follow the
// item's. OFFSET 0 keeps the planner from reading all of commits for it: there
// is one look-up by key for each revision.
#define STARRATINGS_PG_JOIN_SAID                                   \
  " LEFT JOIN LATERAL (SELECT actor, time_us, reason FROM commits" \
  "   WHERE commits.revision = e.revision OFFSET 0) AS said ON true"
#define STARRATINGS_PG_SAID_COLUMNS "said.actor, said.time_us, said.reason"

// Sources by their row, one object for each. Rows of the log never change, so
// that nothing here grows stale. Thread-safe.
class PgSourceCache {
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
// Returns DATA_LOSS, reason STORE_CORRUPT, if there is none.
absl::StatusOr<evidence::Value> ReadValue(const PgResult& rows, int row, int first);

// Reads items of answers. Sources that no read has met before are asked for,
// all at once for each answer.
class PgItemReader {
 public:
  // Runs calls; PgStore::ReadAt() at any revision.
  using Ask = std::function<absl::StatusOr<std::vector<PgResult>>(std::span<const PgCall>)>;

  // `sources` must outlive the reader.
  PgItemReader(PgSourceCache& sources, Ask ask) : sources_(sources), ask_(std::move(ask)) {}

  // Gets the sources of `rows`, of items that begin at column `first`; call
  // before Read().
  absl::Status FetchSources(const PgResult& rows, int first = 0);

  // The item in the columns of `row` from `first`, without who said it.
  absl::StatusOr<evidence::RecordedItem> Read(const PgResult& rows, int row, int first = 0) const;

  // The same, with it: STARRATINGS_PG_SAID_COLUMNS follow the item's.
  absl::StatusOr<evidence::RecordedItem> ReadSaid(const PgResult& rows, int row,
                                                  int first = 0) const;

  // FetchSources(), and ReadSaid() of all rows.
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadAllSaid(const PgResult& rows);

 private:
  PgSourceCache& sources_;
  const Ask ask_;
  absl::flat_hash_map<int64_t, std::shared_ptr<const evidence::Source>> seen_;
};

}  // namespace starratings::store
