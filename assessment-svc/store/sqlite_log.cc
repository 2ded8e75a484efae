// The log itself, in its order; and notes of imports, which are no part of it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/sqlite_store.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

absl::Status NotDense(int64_t expected, int64_t found) {
  return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                       absl::StrCat("the log lacks revision ", expected),
                       {{"revision", absl::StrCat(expected)}, {"found", absl::StrCat(found)}});
}

// Adds the items of `logged` from `logged.first`; true: there are more.
absl::StatusOr<bool> AddItems(SqliteConnection& connection, ItemReader& reader, int64_t items_most,
                              LoggedRevision& logged) {
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection.Query("SELECT " STARRATINGS_LOG_COLUMNS
                                    " FROM evidence_log WHERE revision = ?1 AND ord >= ?2"
                                    " ORDER BY ord LIMIT ?3",
                                    logged.commit.revision, logged.first, items_most + 1));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return false;
    if (std::ssize(logged.items) == items_most) return true;
    RETURN_IF_ERROR(reader.Read(query, 0, logged.items.emplace_back()));
  }
}

absl::Status AddRounds(SqliteConnection& connection, LoggedRevision& logged) {
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection.Query("SELECT id FROM rounds WHERE revision = ?1 ORDER BY id",
                                    logged.commit.revision));
  return query.ForEach([&](const SqliteQuery& row) {
    logged.rounds.push_back(row.Text(0));
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<std::vector<LoggedRevision>> SqliteStore::ReadLog(const LogCursor& after,
                                                                 int64_t upto, int items_most,
                                                                 absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  const bool is_begun = after.items != LogCursor::kWhole;
  int64_t expected = after.revision + (is_begun ? 0 : 1);
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT revision, actor, on_behalf_of, reason, time_us, kind,"
                                   " request_id, items FROM commits"
                                   " WHERE revision BETWEEN ?1 AND ?2 ORDER BY revision LIMIT ?3",
                                   expected, upto, items_most));
  ItemReader reader(*snapshot.lease, sources_);
  std::vector<LoggedRevision> log;
  int64_t room = items_most;
  while (room > 0) {
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) break;
    LoggedRevision logged;
    logged.commit = {query.Int(0), query.Text(1), query.Text(2), query.Text(3), query.Int(4)};
    if (logged.commit.revision != expected) return NotDense(expected, logged.commit.revision);
    const auto kind = KindOfName(query.View(5));
    if (!kind) return NotDense(expected, logged.commit.revision);
    logged.kind = *kind;
    logged.request_id = query.Text(6);
    logged.first = is_begun && log.empty() ? after.items : 0;
    if (query.Int(7) > logged.first) {
      ASSIGN_OR_RETURN(logged.more, AddItems(*snapshot.lease, reader, room, logged));
    }
    if (logged.kind == WriteKind::kRound && !logged.more) {
      RETURN_IF_ERROR(AddRounds(*snapshot.lease, logged));
    }
    room -= std::max<int64_t>(1, std::ssize(logged.items));
    ++expected;
    log.push_back(std::move(logged));
  }
  return log;
}

absl::StatusOr<int64_t> SqliteStore::FindRevision(int64_t time_us, absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  return snapshot->QueryInt(
      "SELECT revision FROM commits WHERE time_us <= ?1 ORDER BY time_us DESC, revision DESC"
      " LIMIT 1",
      time_us);
}

absl::Status SqliteStore::NoteImport(const ImportNote& note, absl::Time deadline) {
  ASSIGN_OR_RETURN(const SqlitePool::Lease writer, writer_.Acquire(deadline));
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      writer->Query("INSERT OR REPLACE INTO imports"
                    " (id, actor, title, items, items_total, seen_us)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    note.id, note.actor, note.title, note.items, note.items_total, note.seen_us));
  return query.Run();
}

absl::Status SqliteStore::ForgetImport(absl::string_view id, absl::Time deadline) {
  ASSIGN_OR_RETURN(const SqlitePool::Lease writer, writer_.Acquire(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query, writer->Query("DELETE FROM imports WHERE id = ?1", id));
  return query.Run();
}

absl::StatusOr<std::vector<ImportNote>> SqliteStore::ListImports(int64_t since_us,
                                                                 absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT id, actor, title, items, items_total, seen_us"
                                   " FROM imports WHERE seen_us >= ?1 ORDER BY id",
                                   since_us));
  std::vector<ImportNote> imports;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    imports.push_back({row.Text(0), row.Text(1), row.Text(2), row.Int(3), row.Int(4), row.Int(5)});
    return absl::OkStatus();
  }));
  return imports;
}

}  // namespace starratings::store
