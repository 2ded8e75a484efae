// The record on PostgreSQL, or on any database that speaks its language.
//
// Several processes share a database; each has one connection that writes, one
// that asks for the head, and a few that read. A process that is frozen while it
// holds the head is cut off by the others when they have waited for it for
// seconds: its session is ended, which needs the same role as theirs. Failovers
// are followed: hosts are tried one after the other until one accepts writes.
//
// If the connection is lost at COMMIT, the group is looked up by its request ids
// and written if it is not there; only if that cannot be done before the
// deadline CommitGroup() answers UNAVAILABLE, reason OUTCOME_UNKNOWN.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/pg_group.h"
#include "assessment-svc/store/pg_head.h"
#include "assessment-svc/store/pg_items.h"
#include "assessment-svc/store/pg_pool.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

class PgStore : public EvidenceStore {
 public:
  // Connections that read at a time; more calls wait.
  static constexpr int kReaders = 8;

  // Opens a record that is there and has a schema this binary knows: see
  // OpenStore().
  static absl::StatusOr<std::unique_ptr<PgStore>> Open(const std::string& conninfo,
                                                       const StoreOptions& options);

  Identity GetIdentity() const override { return identity_; }
  absl::StatusOr<int64_t> Head(absl::Time deadline) const override;
  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CommitGroup(std::span<const Write> group,
                                                                   absl::Time deadline) override;

  // pg_log.cc
  absl::StatusOr<std::vector<LoggedRevision>> ReadLog(const LogCursor& after, int64_t upto,
                                                      int items_most,
                                                      absl::Time deadline) const override;
  absl::StatusOr<int64_t> FindRevision(int64_t time_us, absl::Time deadline) const override;
  absl::Status NoteImport(const ImportNote& note, absl::Time deadline) override;
  absl::Status ForgetImport(absl::string_view id, absl::Time deadline) override;
  absl::StatusOr<std::vector<ImportNote>> ListImports(int64_t since_us,
                                                      absl::Time deadline) const override;

  // pg_evidence.cc
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadItem(
      const evidence::ItemKey& key, int64_t revision, absl::Time deadline) const override;
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadHistory(
      const evidence::ItemKey& key, int64_t before, int limit, absl::Time deadline) const override;
  absl::StatusOr<std::vector<evidence::RecordedItem>> ListItems(const ItemFilter& filter,
                                                                const ItemCursor& after, int limit,
                                                                int64_t revision,
                                                                absl::Time deadline) const override;
  absl::StatusOr<std::vector<evidence::Dossier>> ReadDossiers(const OrganisationFilter& filter,
                                                              absl::string_view period,
                                                              const std::vector<std::string>& codes,
                                                              const OrganisationCursor& after,
                                                              int limit, int64_t revision,
                                                              absl::Time deadline) const override;
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadLastSupplied(
      absl::string_view organisation, absl::string_view code, int64_t revision,
      absl::Time deadline) const override;

  // pg_register.cc
  absl::StatusOr<std::vector<evidence::Organisation>> ListOrganisations(
      const OrganisationFilter& filter, const OrganisationCursor& after, int limit,
      int64_t revision, absl::Time deadline) const override;
  absl::StatusOr<int64_t> CountOrganisations(const OrganisationFilter& filter, int64_t revision,
                                             absl::Time deadline) const override;
  absl::StatusOr<std::vector<std::string>> FindOrganisations(const std::vector<std::string>& ids,
                                                             int64_t revision,
                                                             absl::Time deadline) const override;
  absl::StatusOr<std::vector<evidence::Period>> ReadPeriods(int64_t revision,
                                                            absl::Time deadline) const override;
  absl::StatusOr<std::vector<RegisteredCode>> ReadCodes(int64_t revision,
                                                        absl::Time deadline) const override;

  // pg_rounds.cc
  absl::StatusOr<std::optional<SchemeRow>> ReadScheme(absl::string_view name,
                                                      absl::Time deadline) const override;
  absl::StatusOr<std::vector<RoundVersion>> ReadRound(absl::string_view id, int64_t revision,
                                                      absl::Time deadline) const override;
  absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t before, int limit,
                                                   absl::Time deadline) const override;

  // pg_ratings.cc
  absl::Status StageRatings(absl::string_view round, absl::string_view attempt, int64_t chunk,
                            const std::vector<StagedRating>& ratings, absl::Time deadline) override;
  absl::StatusOr<std::vector<StagedRating>> ReadRatings(absl::string_view round,
                                                        absl::string_view attempt,
                                                        const OrganisationCursor& after, int limit,
                                                        absl::Time deadline) const override;
  absl::StatusOr<std::optional<StagedRating>> ReadRating(absl::string_view round,
                                                         absl::string_view attempt,
                                                         absl::string_view organisation,
                                                         absl::Time deadline) const override;

  absl::Status CheckReady(absl::Time deadline) const override;

 private:
  PgStore(const PgTarget& target, const StoreOptions& options);

  // The newest revision up to `revision`; asks for the head if nobody here knows
  // that there is as much. For reads that name no revision they were promised.
  absl::StatusOr<int64_t> HeadUpTo(int64_t revision, absl::Time deadline) const;

  // When a host must have answered the next step: soon, so that another is tried
  // if it is frozen; but at `deadline` if the step before was late only because
  // it takes long.
  absl::Time StepEnd(bool was_late, absl::Time deadline) const;

  // Runs `calls` in one round trip, on a host that has `revision` and whatever
  // else this process has seen acknowledged; again on another connection where
  // one was lost.
  absl::StatusOr<std::vector<PgResult>> ReadAt(int64_t revision, std::span<const PgCall> calls,
                                               absl::Time deadline) const;

  // Runs small writes beside the log in one transaction; they must be such that
  // they may be run twice.
  absl::StatusOr<std::vector<PgResult>> Write(std::span<const PgCall> calls, absl::Time deadline);

  void EndFrozen(PgConnection& connection);
  void AfterFailure(PgConnection& connection, const absl::Status& error);

  // pg_evidence.cc
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadItems(const PgCall& call,
                                                                int64_t revision,
                                                                absl::Time deadline) const;

  Identity identity_;
  StoreObserver* const observer_;
  // Inside: thread-safe.
  mutable PgPool writer_;
  mutable PgPool readers_;
  mutable PgHead head_;
  mutable PgShared shared_;
  PgSourceRows source_rows_;  // Of whoever holds the writer.
};

}  // namespace starratings::store
