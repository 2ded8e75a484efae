// The record: a log of revisions, and what it says at each of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/store/writes.h"
#include "common/evidence/evidence.h"
#include "common/evidence/register.h"

namespace starratings::store {

// Which store this is. Tokens name it, so that a token of another store, or of
// a future that a restore has undone, is noticed.
struct Identity {
  std::string store;  // A UUID.
  int64_t incarnation = 1;
};

// A write as the log remembers it.
struct Commit {
  int64_t revision = 0;
  std::string actor;
  std::string on_behalf_of;
  std::string reason;
  int64_t time_us = 0;  // Microseconds since 1970, UTC; never decreasing.
};

// A place in the order (bucket, organisation id). The default is the start.
struct OrganisationCursor {
  int bucket = -1;
  std::string organisation;
};

// Chooses organisations. Empty filters match everything.
struct OrganisationFilter {
  std::vector<std::string> kinds;
  std::vector<std::string> regions;
  std::vector<std::string> organisations;
  // Only those that existed on this day: `from` counts, `to` does not. Nothing:
  // any.
  std::optional<evidence::Date> on_day;
  // Only those that the freeze of this round has chosen; empty: any. They are
  // known from the freeze on, and for reads at every revision: a freeze binds
  // a revision before its own.
  std::string chosen_by_round;
  // Buckets from `first_bucket` up to, not including, `end_bucket`.
  int first_bucket = 0;
  int end_bucket = 65'536;
};

// Chooses items. Empty filters match everything.
struct ItemFilter {
  std::vector<std::string> organisations;
  std::string period;
  std::vector<std::string> codes;
};

// A place in the order (bucket, organisation, period, code, instance).
struct ItemCursor {
  int bucket = -1;
  evidence::ItemKey key;
};

struct RegisteredCode {
  evidence::Code code;
  int64_t revision = 0;
};

struct SchemeRow {
  std::string id;
  std::string version;
  std::string digest;
  std::string text;
  Commit commit;
  std::optional<Commit> approval = std::nullopt;  // Nothing: nobody has approved it.
};

// A version of a round.
struct RoundVersion {
  std::string content;
  Commit commit;  // commit.revision tells versions apart.
};

// A rating that rating-svc has sent.
struct StagedRating {
  std::string organisation;
  std::string content;  // The store does not know what it says.
};

// A place in the log: after the first `items` items of `revision`.
struct LogCursor {
  // All of them: the next thing is the next revision.
  static constexpr int64_t kWhole = -1;

  int64_t revision = 0;
  int64_t items = kWhole;
};

// A revision as the log holds it, or a part of one.
struct LoggedRevision {
  Commit commit;
  WriteKind kind = WriteKind::kEvidence;
  std::string request_id;
  std::vector<evidence::RecordedItem> items;  // In the order of the write.
  int64_t first = 0;                          // How many items came before these.
  bool more = false;                          // Items of this revision follow.
  // The rounds that the revision has changed, by id; unless `more`.
  std::vector<std::string> rounds;
};

// An import that is, or was lately, under way. Not part of the log.
struct ImportNote {
  std::string id;  // A UUID.
  std::string actor;
  std::string title;        // What is imported, in its sender's words.
  int64_t items = 0;        // Recorded so far.
  int64_t items_total = 0;  // Expected; 0: nobody knows.
  int64_t seen_us = 0;      // When it was last heard of, by the caller's clock.
};

// What a process knows of the head without asking the database.
struct KnownHead {
  int64_t revision = 0;                     // Acknowledged; there may be newer ones.
  absl::Time as_of = absl::InfinitePast();  // There was none newer then.
};

// Keeps the record.
//
// Every implementation passes tests/store/conformance_test.cc; a caller cannot
// tell them apart. What differs, and why, is said in the header of each.
//
// Thread-safe. Calls block and honour `deadline`, returning DEADLINE_EXCEEDED.
// Any call may return UNAVAILABLE (reason STORE_UNAVAILABLE) when the database
// cannot be reached, and DATA_LOSS when what it holds breaks an invariant;
// neither is repeated below. A failed call has changed nothing.
//
// Reads take a revision R, 0 to the head, and answer as of R: the answer never
// changes. The caller has checked R against Head().
class EvidenceStore {
 public:
  virtual ~EvidenceStore() = default;

  virtual Identity GetIdentity() const = 0;

  // The newest acknowledged revision; 0: the record is empty. Never less than
  // any that was acknowledged, by any process, before the call; where that
  // cannot be known, UNAVAILABLE.
  virtual absl::StatusOr<int64_t> Head(absl::Time deadline) const = 0;

  // The newest revision that Head() or CommitGroup() of this object have told.
  KnownHead GetKnownHead() const;

  // Writes a group in one transaction, durable on return. Each write is
  // decided alone, in order, seeing those before it; the k that are accepted
  // become revisions head + 1 to head + k, and the answers stand in the order
  // of the group. A write is refused with
  // - INVALID_ARGUMENT, REQUEST_ID_REUSED: its request id was used for
  //   something else;
  // - ABORTED, ETAG_MISMATCH: an expectation does not hold; the metadata names
  //   `field` (items[i].etag) and the current `etag`;
  // - INVALID_ARGUMENT, INVALID_FIELDS: no store can hold it (a key twice, a
  //   ratio of nothing, no actor), which the door has said better; or, naming
  //   `reason`, it corrects an item and gives no reason;
  // - what writes.h says on each kind.
  // A repeated request id with the same payload gives the first answer.
  // An error of the whole call means that nothing was written, except
  // UNAVAILABLE with reason OUTCOME_UNKNOWN: the connection was lost, or the
  // disk failed to sync, at COMMIT. The same group may then be sent again, as it
  // is: what was written is replayed.
  virtual absl::StatusOr<std::vector<absl::StatusOr<Written>>> CommitGroup(
      std::span<const Write> group, absl::Time deadline) = 0;

  // The log. ------------------------------------------------------------------

  // What follows `after`, up to revision `upto`, in order: as many revisions as
  // make `items_most` items (a revision without items counts as one), at least
  // one if there is one; only the last may be in part. Empty: there is no more.
  // Revisions are dense; DATA_LOSS if one is missing.
  virtual absl::StatusOr<std::vector<LoggedRevision>> ReadLog(const LogCursor& after, int64_t upto,
                                                              int items_most,
                                                              absl::Time deadline) const = 0;

  // The newest revision that was written at `time_us` or before; 0: none was.
  virtual absl::StatusOr<int64_t> FindRevision(int64_t time_us, absl::Time deadline) const = 0;

  // Keeps `note` under its id. Replaces an earlier one; takes no revision.
  virtual absl::Status NoteImport(const ImportNote& note, absl::Time deadline) = 0;

  // Forgets an import that has ended; OK if there is none.
  virtual absl::Status ForgetImport(absl::string_view id, absl::Time deadline) = 0;

  // Imports that were heard of at `since_us` or later, by id.
  virtual absl::StatusOr<std::vector<ImportNote>> ListImports(int64_t since_us,
                                                              absl::Time deadline) const = 0;

  // Evidence. --------------------------------------------------------------

  // The item under `key`; nothing if nobody ever said anything.
  virtual absl::StatusOr<std::optional<evidence::RecordedItem>> ReadItem(
      const evidence::ItemKey& key, int64_t revision, absl::Time deadline) const = 0;

  // Everything said under `key` before revision `before`, newest first.
  virtual absl::StatusOr<std::vector<evidence::RecordedItem>> ReadHistory(
      const evidence::ItemKey& key, int64_t before, int limit, absl::Time deadline) const = 0;

  // Up to `limit` items after `after`, in the order of ItemCursor.
  virtual absl::StatusOr<std::vector<evidence::RecordedItem>> ListItems(
      const ItemFilter& filter, const ItemCursor& after, int limit, int64_t revision,
      absl::Time deadline) const = 0;

  // The dossiers of up to `limit` organisations after `after`, in order; with
  // only `codes`, unless that is empty. Organisations without items have an
  // empty dossier. Fewer than `limit`: there are no more.
  virtual absl::StatusOr<std::vector<evidence::Dossier>> ReadDossiers(
      const OrganisationFilter& filter, absl::string_view period,
      const std::vector<std::string>& codes, const OrganisationCursor& after, int limit,
      int64_t revision, absl::Time deadline) const = 0;

  // The newest item with this code for the organisation, in any period and
  // instance, by revision; of one revision, the last by (period, instance).
  virtual absl::StatusOr<std::optional<evidence::RecordedItem>> ReadLastSupplied(
      absl::string_view organisation, absl::string_view code, int64_t revision,
      absl::Time deadline) const = 0;

  // The register. ------------------------------------------------------------

  virtual absl::StatusOr<std::vector<evidence::Organisation>> ListOrganisations(
      const OrganisationFilter& filter, const OrganisationCursor& after, int limit,
      int64_t revision, absl::Time deadline) const = 0;
  virtual absl::StatusOr<int64_t> CountOrganisations(const OrganisationFilter& filter,
                                                     int64_t revision,
                                                     absl::Time deadline) const = 0;
  // Which of `ids` are registered: each once, by bytes.
  virtual absl::StatusOr<std::vector<std::string>> FindOrganisations(
      const std::vector<std::string>& ids, int64_t revision, absl::Time deadline) const = 0;
  // All of them, by id. There are few.
  virtual absl::StatusOr<std::vector<evidence::Period>> ReadPeriods(int64_t revision,
                                                                    absl::Time deadline) const = 0;
  virtual absl::StatusOr<std::vector<RegisteredCode>> ReadCodes(int64_t revision,
                                                                absl::Time deadline) const = 0;

  // The scheme with this digest, or this `id@version`.
  virtual absl::StatusOr<std::optional<SchemeRow>> ReadScheme(absl::string_view name,
                                                              absl::Time deadline) const = 0;

  // Rounds. -----------------------------------------------------------------

  // All versions of a round up to `revision`, oldest first; empty if there is
  // no such round.
  virtual absl::StatusOr<std::vector<RoundVersion>> ReadRound(absl::string_view id,
                                                              int64_t revision,
                                                              absl::Time deadline) const = 0;

  // The ids of rounds, by the revision that created them, newest first; those
  // created before revision `before`.
  struct RoundRef {
    std::string id;
    int64_t created = 0;
  };
  virtual absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t before, int limit,
                                                           absl::Time deadline) const = 0;

  // Keeps a chunk of ratings of an attempt, replacing the same chunk; durable
  // on return; takes no revision. Returns INVALID_ARGUMENT (RATING_REPEATED) if
  // this or another chunk of the attempt rates an organisation already.
  virtual absl::Status StageRatings(absl::string_view round, absl::string_view attempt,
                                    int64_t chunk, const std::vector<StagedRating>& ratings,
                                    absl::Time deadline) = 0;

  // Up to `limit` staged ratings of an attempt after `after`, in the order
  // (bucket, organisation).
  virtual absl::StatusOr<std::vector<StagedRating>> ReadRatings(absl::string_view round,
                                                                absl::string_view attempt,
                                                                const OrganisationCursor& after,
                                                                int limit,
                                                                absl::Time deadline) const = 0;

  // The staged rating of one organisation.
  virtual absl::StatusOr<std::optional<StagedRating>> ReadRating(absl::string_view round,
                                                                 absl::string_view attempt,
                                                                 absl::string_view organisation,
                                                                 absl::Time deadline) const = 0;

  // OK once the schema is right and the database answers; for readiness.
  virtual absl::Status CheckReady(absl::Time deadline) const = 0;

 protected:
  // Notes for GetKnownHead() that `revision` was acknowledged, and was the head
  // at `as_of` or after it. Kept by a clock that nobody sets.
  void Saw(int64_t revision, absl::Time as_of) const;
  // The same, `as_of` by SteadyNow().
  void Saw(int64_t revision, absl::Duration as_of) const;

 private:
  mutable std::atomic<int64_t> known_revision_ = 0;
  // By SteadyNow().
  mutable std::atomic<int64_t> known_as_of_us_ = std::numeric_limits<int64_t>::min();
};

// What a store tells about itself; for metrics. Called on any thread.
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  // A transaction is tried again after this SQLSTATE.
  virtual void OnRetry(absl::string_view sqlstate) = 0;
  // A connection to the database was made anew.
  virtual void OnReconnect() = 0;
};

struct StoreOptions {
  // Holds the database's password and nothing else, but for one newline; read
  // at each connection. Empty: none is sent.
  std::string password_file;
  // May be null; must outlive the store.
  StoreObserver* observer = nullptr;
};

// Opens the store named by `uri`: `sqlite:/var/lib/assessment/record.db`,
// `postgresql://user@host1:5432,host2:5432/record?sslmode=verify-full`, or
// `memory:`, which forgets everything and is meant for tests. There is no
// default, and no fall-back from one to another.
//
// Returns INVALID_ARGUMENT (STORE_URI) on a malformed `uri`,
// FAILED_PRECONDITION (STORE_SCHEMA) if the database is not there or its schema
// is not one this binary knows (run `starctl store migrate`), and UNAVAILABLE
// if it cannot be opened.
absl::StatusOr<std::unique_ptr<EvidenceStore>> OpenStore(absl::string_view uri,
                                                         const StoreOptions& options = {});

}  // namespace starratings::store
