// The record in one file: SQLite in WAL mode, durable at each commit.
//
// One connection writes, a few read. Several processes may use the file on one
// machine; a write waits up to five seconds for another's. The file must not be
// on a network file system: WAL needs shared memory.
//
// If COMMIT itself fails, CommitGroup() answers UNAVAILABLE and the outcome is
// unknown until the request id is sent again.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assessment-svc/store/sqlite_group.h"
#include "assessment-svc/store/sqlite_item_writer.h"
#include "assessment-svc/store/sqlite_items.h"
#include "assessment-svc/store/sqlite_pool.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

class SqliteStore : public EvidenceStore {
 public:
  // Connections that read at a time; more calls wait.
  static constexpr int kReaders = 4;

  // Opens a record that is there and has a schema this binary knows: see
  // OpenStore().
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);

  Identity GetIdentity() const override { return identity_; }
  absl::StatusOr<int64_t> Head(absl::Time deadline) const override;
  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CommitGroup(std::span<const Write> group,
                                                                   absl::Time deadline) override;

  // sqlite_log.cc
  absl::StatusOr<std::vector<LoggedRevision>> ReadLog(const LogCursor& after, int64_t upto,
                                                      int items_most,
                                                      absl::Time deadline) const override;
  absl::StatusOr<int64_t> FindRevision(int64_t time_us, absl::Time deadline) const override;
  absl::Status NoteImport(const ImportNote& note, absl::Time deadline) override;
  absl::Status ForgetImport(absl::string_view id, absl::Time deadline) override;
  absl::StatusOr<std::vector<ImportNote>> ListImports(int64_t since_us,
                                                      absl::Time deadline) const override;

  // sqlite_evidence.cc
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

  // sqlite_register.cc
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

  // sqlite_rounds.cc
  absl::StatusOr<std::optional<SchemeRow>> ReadScheme(absl::string_view name,
                                                      absl::Time deadline) const override;
  absl::StatusOr<std::vector<RoundVersion>> ReadRound(absl::string_view id, int64_t revision,
                                                      absl::Time deadline) const override;
  absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t before, int limit,
                                                   absl::Time deadline) const override;

  // sqlite_ratings.cc
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
  // A reader, and the moment it sees.
  struct Snapshot {
    SqlitePool::Lease lease;
    SqliteTransaction transaction;

    SqliteConnection* operator->() const { return &*lease; }
  };

  explicit SqliteStore(const std::string& path)
      : path_(path),
        writer_(path, SqliteConnection::Use::kWrite, 1),
        readers_(path, SqliteConnection::Use::kRead, kReaders) {}

  absl::StatusOr<Snapshot> Read(absl::Time deadline) const;

  // CommitGroup(), on the writer.
  absl::StatusOr<std::vector<absl::StatusOr<Written>>> TryGroup(SqliteConnection& writer,
                                                                std::span<const Write> group,
                                                                SqliteGroup::Isolation isolation);

  // A write that says nothing; tells whether there could be one.
  absl::Status TryToWrite(absl::Time deadline) const;

  // The organisations of a page, on `connection`.
  static absl::StatusOr<std::vector<evidence::Organisation>> PageOfOrganisations(
      SqliteConnection& connection, const OrganisationFilter& filter,
      const OrganisationCursor& after, int limit, int64_t revision);

  const std::string path_;
  Identity identity_;
  // Outside: must outlive what they lend; inside: thread-safe.
  mutable SqlitePool writer_;
  mutable SqlitePool readers_;
  mutable SourceCache sources_;
  SourceRows source_rows_;  // Of whoever holds the writer.
  // The last group could not be written: the disk is full, say.
  mutable std::atomic<bool> cannot_write_ = false;
};

}  // namespace starratings::store
