#include "assessment-svc/store/sqlite_connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

// How long another process may hold the writer's lock.
constexpr absl::Duration kBusyMost = absl::Seconds(5);

// SQLite's instructions between two looks at the clock: well under a millisecond.
constexpr int kProgressSteps = 4'000;

// In every connection. Temporary files would need a writable folder, which a
// container does not have; a REPLACE must not get past the triggers.
constexpr char kPragmas[] =
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA recursive_triggers = ON;"
    "PRAGMA synchronous = FULL;"
    // The default of 1,000 pages makes the writer wait for a checkpoint after
    // every other batch.
    "PRAGMA wal_autocheckpoint = 16000;"
    "PRAGMA cache_size = -16000;"
    "PRAGMA trusted_schema = OFF;";

// bucket_of(id), so that a query can go from ids to keys.
void BucketOfFunction(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  if (text == nullptr) return sqlite3_result_null(context);
  const auto size = static_cast<size_t>(sqlite3_value_bytes(values[0]));
  sqlite3_result_int(context, digest::BucketOf(absl::string_view(text, size)));
}

}  // namespace

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

absl::StatusOr<bool> SqliteQuery::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return connection_->ToStatus(result);
}

bool SqliteQuery::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t SqliteQuery::Int(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view SqliteQuery::View(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return "";
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return absl::string_view(static_cast<const char*>(bytes), size);
}

std::optional<int64_t> SqliteQuery::OptionalInt(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Int(column));
}

// What a bind can fail on (no memory, more than a gigabyte) shows as NULL and
// is refused by the column.
void SqliteQuery::BindAt(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }

void SqliteQuery::BindAt(int index, absl::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* bytes = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_, index, bytes, text.size(),
                      borrows_ ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8);
}

void SqliteQuery::BindAt(int index, SqliteBlob blob) {
  const char* bytes = blob.bytes.empty() ? "" : blob.bytes.data();
  sqlite3_bind_blob64(statement_, index, bytes, blob.bytes.size(),
                      borrows_ ? SQLITE_STATIC : SQLITE_TRANSIENT);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         Use use) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection());
  // The pool gives a connection to one thread at a time: no lock of SQLite's own.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (use == Use::kCreate) flags |= SQLITE_OPEN_CREATE;
  const int result = sqlite3_open_v2(path.c_str(), &connection->database_, flags, nullptr);
  if (result != SQLITE_OK) return connection->ToStatus(result);
  RETURN_IF_ERROR(connection->Configure(use));
  return connection;
}

absl::Status SqliteConnection::Configure(Use use) {
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_handler(database_, &OnBusy, this);
  sqlite3_progress_handler(database_, kProgressSteps, &OnProgress, this);
  const int result = sqlite3_create_function_v2(
      database_, "bucket_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
      &BucketOfFunction, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return ToStatus(result);
  RETURN_IF_ERROR(Execute(kPragmas));
  return use == Use::kRead ? Execute("PRAGMA query_only = ON;") : absl::OkStatus();
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(database_);
}

int SqliteConnection::OnProgress(void* connection) {
  const auto* self = static_cast<SqliteConnection*>(connection);
  return self->deadline_ != absl::InfiniteFuture() && absl::Now() >= self->deadline_ ? 1 : 0;
}

int SqliteConnection::OnBusy(void* connection, int calls) {
  auto* self = static_cast<SqliteConnection*>(connection);
  const absl::Time now = absl::Now();
  if (calls == 0) self->busy_since_ = now;
  const absl::Time until = std::min(self->deadline_, self->busy_since_ + kBusyMost);
  if (now >= until) return 0;
  absl::SleepFor(std::min(until - now, absl::Milliseconds(std::min(calls + 1, 20))));
  return 1;
}

absl::Status SqliteConnection::Execute(const char* sql) {
  const int result = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? absl::OkStatus() : ToStatus(result);
}

absl::StatusOr<sqlite3_stmt*> SqliteConnection::Prepare(absl::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    assert(sqlite3_stmt_busy(found->second) == 0);
    return found->second;
  }
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return ToStatus(result);
  statements_.emplace(std::string(sql), statement);
  return statement;
}

absl::Status SqliteConnection::ToStatus(int result) {
  using absl::StatusCode;
  const std::map<std::string, std::string> code = {{"code", absl::StrCat(result)}};
  const absl::Status late = status::Error(StatusCode::kDeadlineExceeded, "DEADLINE",
                                          "the deadline passed before the record answered");
  switch (result & 0xff) {
    case SQLITE_INTERRUPT:
      return late;
    case SQLITE_BUSY:
      if (absl::Now() >= deadline_) return late;
      return status::Error(StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                           "another process holds the record: try again", code);
    case SQLITE_CONSTRAINT:
      if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY ||
          result == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return status::Error(StatusCode::kDataLoss, "STORE_CORRUPT",
                             "the record contradicts itself", code);
      }
      return status::Error(StatusCode::kInternal, "STORE_REFUSED",
                           "the database refuses what it was given", code);
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
      return status::Error(StatusCode::kInternal, "STORE_REFUSED",
                           "the database does not understand this binary", code);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      broken_ = true;
      return status::Error(StatusCode::kDataLoss, "STORE_CORRUPT",
                           "the record is damaged: restore it from a backup", code);
    case SQLITE_FULL:
      return status::Error(StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                           "the record's disk is full", code);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      broken_ = true;
      [[fallthrough]];
    default:
      return status::Error(StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                           "the record cannot be reached", code);
  }
}

absl::StatusOr<SqliteTransaction> SqliteTransaction::Begin(SqliteConnection& connection,
                                                           SqliteConnection::Use use) {
  const bool reads = use == SqliteConnection::Use::kRead;
  RETURN_IF_ERROR(connection.Execute(reads ? "BEGIN" : "BEGIN IMMEDIATE"));
  return SqliteTransaction(&connection);
}

SqliteTransaction::~SqliteTransaction() {
  if (connection_ == nullptr) return;
  connection_->SetDeadline(absl::InfiniteFuture());
  // Fails if an error has rolled it back already.
  connection_->Execute("ROLLBACK").IgnoreError();
}

absl::Status SqliteTransaction::Commit() {
  connection_->SetDeadline(absl::InfiniteFuture());
  const absl::Status error = connection_->Execute("COMMIT");
  if (error.ok()) {
    connection_ = nullptr;
  } else if (status::DetailOf(error).metadata["code"] == absl::StrCat(SQLITE_IOERR_FSYNC)) {
    return OutcomeUnknown();
  }
  return error;
}

}  // namespace starratings::store
