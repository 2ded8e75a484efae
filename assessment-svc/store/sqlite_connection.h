// SQLite behind RAII and statuses: a connection, its cached statements, its
// deadline, its transactions. Nothing here knows the record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status_macros.h"

struct sqlite3;
struct sqlite3_stmt;

namespace starratings::store {

class SqliteConnection;

// Bytes that are not text.
struct SqliteBlob {
  absl::string_view bytes;
};

// A statement with its parameters bound, and the row it stands on. Not
// thread-safe. Must not outlive its connection.
class SqliteQuery {
 public:
  SqliteQuery(SqliteConnection* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  ~SqliteQuery();
  SqliteQuery(SqliteQuery&& other) noexcept
      : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteQuery& operator=(SqliteQuery&&) = delete;

  // Goes to the next row; false: there are no more.
  absl::StatusOr<bool> Step();

  // Runs a statement that gives no rows.
  absl::Status Run() { return Step().status(); }

  // Calls `visit(row)` for every row until it returns an error.
  template <typename Visit>
  absl::Status ForEach(const Visit& visit) {
    while (true) {
      ASSIGN_OR_RETURN(const bool row, Step());
      if (!row) return absl::OkStatus();
      RETURN_IF_ERROR(visit(*this));
    }
  }

  // Columns of the row. A view is valid until the next Step().
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  absl::string_view View(int column) const;  // Of a text or blob.
  std::string Text(int column) const { return std::string(View(column)); }
  std::optional<int64_t> OptionalInt(int column) const;

  // Texts and blobs are copied, unless they are borrowed: then they must
  // outlive the query.
  void Borrow() { borrows_ = true; }
  void BindAt(int index, int64_t value);
  void BindAt(int index, int value) { BindAt(index, static_cast<int64_t>(value)); }
  void BindAt(int index, absl::string_view text);
  void BindAt(int index, SqliteBlob blob);
  void BindAt(int index, const std::string& text) { BindAt(index, absl::string_view(text)); }
  template <typename T>
  void BindAt(int index, const std::optional<T>& value) {
    if (value) BindAt(index, *value);  // Unbound is NULL.
  }

 private:
  SqliteConnection* connection_;
  sqlite3_stmt* statement_;
  bool borrows_ = false;
};

// One connection to a database. Used by one thread at a time.
class SqliteConnection {
 public:
  enum class Use {
    kRead,  // May not write.
    kWrite,
    kCreate,  // As kWrite; makes the file if it is not there.
  };

  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Use use);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // What runs at `deadline` is interrupted, and returns DEADLINE_EXCEEDED.
  void SetDeadline(absl::Time deadline) { deadline_ = deadline; }

  // Runs statements without parameters and results.
  absl::Status Execute(const char* sql);

  // Prepares `sql`, or finds it prepared, and binds ?1, ?2, ... to `values`.
  // Not while an earlier query of the same text is alive.
  template <typename... Values>
  absl::StatusOr<SqliteQuery> Query(absl::string_view sql, const Values&... values) {
    ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
    SqliteQuery query(this, statement);
    int index = 0;
    (query.BindAt(++index, values), ...);
    return query;
  }

  // Runs a statement that gives no rows.
  template <typename... Values>
  absl::Status Run(absl::string_view sql, const Values&... values) {
    ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
    SqliteQuery query(this, statement);
    query.Borrow();
    int index = 0;
    (query.BindAt(++index, values), ...);
    return query.Run();
  }

  // The one number in the only row of `sql`.
  template <typename... Values>
  absl::StatusOr<int64_t> QueryInt(absl::string_view sql, const Values&... values) {
    ASSIGN_OR_RETURN(SqliteQuery query, Query(sql, values...));
    ASSIGN_OR_RETURN(const bool row, query.Step());
    return row ? query.Int(0) : 0;
  }

  // The file cannot be relied upon through this connection: open another.
  bool broken() const { return broken_; }

  // SQLite's result as a status, without SQL, path or host:
  // - INTERRUPT, or BUSY at the deadline: DEADLINE_EXCEEDED;
  // - CORRUPT, NOTADB and broken keys: DATA_LOSS, STORE_CORRUPT;
  // - other constraints, bad SQL: INTERNAL, STORE_REFUSED;
  // - everything else: UNAVAILABLE, STORE_UNAVAILABLE.
  absl::Status ToStatus(int result);

 private:
  SqliteConnection() = default;

  static int OnProgress(void* connection);
  static int OnBusy(void* connection, int calls);

  absl::Status Configure(Use use);
  absl::StatusOr<sqlite3_stmt*> Prepare(absl::string_view sql);

  sqlite3* database_ = nullptr;
  absl::Time deadline_ = absl::InfiniteFuture();
  absl::Time busy_since_ = absl::InfinitePast();
  bool broken_ = false;
  absl::flat_hash_map<std::string, sqlite3_stmt*> statements_;
};

// Rolls back unless committed. Must not outlive its connection.
class SqliteTransaction {
 public:
  // `kRead` pins what the connection sees; `kWrite` takes the writer's lock.
  static absl::StatusOr<SqliteTransaction> Begin(SqliteConnection& connection,
                                                 SqliteConnection::Use use);
  ~SqliteTransaction();
  SqliteTransaction(SqliteTransaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;

  // Durable on return. Not interrupted by the deadline: half-way through there
  // is no answer to give. UNAVAILABLE, OUTCOME_UNKNOWN if it was written and
  // could not be synced: whoever opens the file next may find it whole.
  absl::Status Commit();

 private:
  explicit SqliteTransaction(SqliteConnection* connection) : connection_(connection) {}

  SqliteConnection* connection_;
};

}  // namespace starratings::store
