#include "assessment-svc/store/sqlite_store.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/failpoints.h"
#include "assessment-svc/store/sqlite_group.h"
#include "assessment-svc/store/sqlite_schema.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

// What must be free on a disk that was full before it is written to again: a
// large batch and its index pages.
constexpr std::uintmax_t kRoomLeast = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_SCHEMA",
                         "there is no record here yet: run `starctl store migrate`");
  }
  std::unique_ptr<SqliteStore> store(new SqliteStore(path));
  const auto lease = store->writer_.Acquire(absl::InfiniteFuture());
  if (!lease.ok()) return OpeningError(lease.status());
  const SqlitePool::Lease& writer = *lease;
  ASSIGN_OR_RETURN(const SqliteSchema schema, ReadSqliteSchema(*writer));
  RETURN_IF_ERROR(CheckSqliteSchema(schema));
  ASSIGN_OR_RETURN(store->identity_, ReadSqliteIdentity(*writer));
  // Migrating has set it, for good; a copy made by other means may lack it.
  ASSIGN_OR_RETURN(SqliteQuery mode, writer->Query("PRAGMA journal_mode = WAL"));
  ASSIGN_OR_RETURN(const bool row, mode.Step());
  if (!row || mode.View(0) != "wal") {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the record's file system does not support write-ahead logging");
  }
  // A disk that is full or read-only is no reason not to answer reads.
  store->cannot_write_ = true;
  return store;
}

absl::StatusOr<SqliteStore::Snapshot> SqliteStore::Read(absl::Time deadline) const {
  ASSIGN_OR_RETURN(SqlitePool::Lease lease, readers_.Acquire(deadline));
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(*lease, SqliteConnection::Use::kRead));
  return Snapshot{std::move(lease), std::move(transaction)};
}

absl::StatusOr<int64_t> SqliteStore::Head(absl::Time deadline) const {
  ASSIGN_OR_RETURN(const SqlitePool::Lease reader, readers_.Acquire(deadline));
  const absl::Time asked = absl::Now();
  ASSIGN_OR_RETURN(const int64_t head, reader->QueryInt("SELECT revision FROM log_head"));
  Saw(head, asked);
  return head;
}

absl::StatusOr<std::vector<absl::StatusOr<Written>>> SqliteStore::CommitGroup(
    std::span<const Write> group, absl::Time deadline) {
  ASSIGN_OR_RETURN(const SqlitePool::Lease writer, writer_.Acquire(deadline));
  auto answers = TryGroup(*writer, group, SqliteGroup::Isolation::kNone);
  source_rows_.Rollback();
  if (answers.status().code() == absl::StatusCode::kInternal) {
    answers = TryGroup(*writer, group, SqliteGroup::Isolation::kEach);
    source_rows_.Rollback();
  }
  cannot_write_ = absl::IsUnavailable(answers.status());
  return answers;
}

absl::Status SqliteStore::TryToWrite(absl::Time deadline) const {
  std::error_code error;
  const auto space = std::filesystem::space(path_, error);
  if (!error && space.available < kRoomLeast) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the record's disk is full");
  }
  ASSIGN_OR_RETURN(const SqlitePool::Lease writer, writer_.Acquire(deadline));
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(*writer, SqliteConnection::Use::kWrite));
  // A number of SQLite's that means nothing to us; it must be another one, or
  // nothing is written.
  ASSIGN_OR_RETURN(const int64_t number, writer->QueryInt("PRAGMA user_version"));
  RETURN_IF_ERROR(
      writer->Execute(absl::StrCat("PRAGMA user_version = ", (number + 1) % 1'000).c_str()));
  return transaction.Commit();
}

absl::StatusOr<std::vector<absl::StatusOr<Written>>> SqliteStore::TryGroup(
    SqliteConnection& writer, std::span<const Write> group, SqliteGroup::Isolation isolation) {
  Reached(Failpoint::kBeforeBegin);
  // Takes the lock, and then sees everything that was committed before.
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(writer, SqliteConnection::Use::kWrite));
  Reached(Failpoint::kAfterBegin);
  const absl::Time begun = absl::Now();
  ASSIGN_OR_RETURN(SqliteGroup writes, SqliteGroup::Start(writer, source_rows_, isolation));
  std::vector<absl::StatusOr<Written>> answers;
  answers.reserve(group.size());
  for (const Write& write : group) {
    answers.push_back(writes.Add(write));
    const absl::Status& error = answers.back().status();
    if (!error.ok() && !writes.IsRefusal(error)) return error;
  }
  Reached(Failpoint::kBeforeHead);
  ASSIGN_OR_RETURN(const bool accepted, writes.Finish());
  Reached(Failpoint::kAfterHead);
  if (accepted) {
    Reached(Failpoint::kBeforeCommit);
    RETURN_IF_ERROR(transaction.Commit());
    source_rows_.Commit();
    Reached(Failpoint::kAfterCommit);
  }
  Saw(writes.head(), begun);
  return answers;
}

absl::Status SqliteStore::CheckReady(absl::Time deadline) const {
  Identity identity;
  {
    ASSIGN_OR_RETURN(const SqlitePool::Lease reader, readers_.Acquire(deadline));
    ASSIGN_OR_RETURN(const SqliteSchema schema, ReadSqliteSchema(*reader));
    RETURN_IF_ERROR(CheckSqliteSchema(schema));
    ASSIGN_OR_RETURN(identity, ReadSqliteIdentity(*reader));
  }
  if (identity.store != identity_.store || identity.incarnation != identity_.incarnation) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the record was replaced by another: restart this service");
  }
  if (!cannot_write_) return absl::OkStatus();
  // Nobody who is not ready gets a write to find out that it can be done again.
  readers_.CloseIdle();
  writer_.CloseIdle();
  RETURN_IF_ERROR(TryToWrite(deadline));
  cannot_write_ = false;
  return absl::OkStatus();
}

}  // namespace starratings::store
