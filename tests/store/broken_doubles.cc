#include "tests/store/broken_doubles.h"

#include <atomic>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "common/status/status_macros.h"
#include "tests/store/postgres_cluster.h"

namespace starratings::store {
namespace {

int64_t ToInt(const std::string& text) {
  int64_t number = 0;
  (void)absl::SimpleAtoi(text, &number);  // NULL, which is empty, is 0.
  return number;
}

// A session for each writer, and one more for the reader.
template <typename Connection>
using Sessions = std::vector<std::unique_ptr<Connection>>;

Sessions<PostgresSession> OpenPostgres(const std::string& uri, int writers, const char* schema) {
  Sessions<PostgresSession> sessions;
  for (int i = 0; i <= writers; ++i) sessions.push_back(PostgresSession::Open(uri).value());
  if (!sessions.front()->Execute(schema).ok()) std::abort();
  return sessions;
}

Sessions<SqliteConnection> OpenSqlite(const std::string& path, int writers, const char* schema) {
  Sessions<SqliteConnection> sessions;
  for (int i = 0; i <= writers; ++i) {
    sessions.push_back(SqliteConnection::Open(path, SqliteConnection::Use::kCreate).value());
    // Nothing here has to last.
    if (!sessions.back()->Execute("PRAGMA synchronous = OFF").ok()) std::abort();
  }
  if (!sessions.front()->Execute(schema).ok()) std::abort();
  return sessions;
}

// What a real write does between its first statement and its last.
void Work(int64_t position) { absl::SleepFor(absl::Microseconds(position % 3 * 200)); }

class SequenceLog : public FollowedLog {
 public:
  SequenceLog(const std::string& uri, int writers)
      : sessions_(OpenPostgres(uri, writers,
                               "CREATE SEQUENCE positions;"
                               "CREATE TABLE events (position BIGINT PRIMARY KEY, what TEXT)")) {}

  absl::StatusOr<int64_t> Append(int writer, const std::string& what) override {
    PostgresSession& session = *sessions_[static_cast<size_t>(writer)];
    RETURN_IF_ERROR(session.Execute("BEGIN"));
    ASSIGN_OR_RETURN(const auto rows, session.Run("SELECT nextval('positions')"));
    Work(ToInt(rows[0][0]));
    RETURN_IF_ERROR(
        session.Run("INSERT INTO events VALUES ($1::bigint, $2)", {rows[0][0], what}).status());
    RETURN_IF_ERROR(session.Execute("COMMIT"));
    return ToInt(rows[0][0]);
  }

  absl::StatusOr<int64_t> Head() override {
    ASSIGN_OR_RETURN(const auto rows, sessions_.back()->Run("SELECT max(position) FROM events"));
    return ToInt(rows[0][0]);
  }

  absl::StatusOr<std::vector<Event>> Read(int64_t after, int64_t upto) override {
    ASSIGN_OR_RETURN(const auto rows,
                     sessions_.back()->Run("SELECT position, what FROM events WHERE position >"
                                           " $1::bigint AND position <= $2::bigint ORDER BY 1",
                                           {absl::StrCat(after), absl::StrCat(upto)}));
    std::vector<Event> events;
    for (const auto& row : rows) events.push_back({ToInt(row[0]), row[1]});
    return events;
  }

 private:
  Sessions<PostgresSession> sessions_;
};

// SQLite has no sequences; a number from outside of the transaction is one.
class SqliteSequenceLog : public FollowedLog {
 public:
  SqliteSequenceLog(const std::string& path, int writers)
      : sessions_(OpenSqlite(path, writers,
                             "CREATE TABLE events (position INTEGER PRIMARY KEY, what TEXT)")) {}

  absl::StatusOr<int64_t> Append(int writer, const std::string& what) override {
    SqliteConnection& session = *sessions_[static_cast<size_t>(writer)];
    const int64_t position = ++sequence_;
    Work(position);
    ASSIGN_OR_RETURN(SqliteTransaction transaction,
                     SqliteTransaction::Begin(session, SqliteConnection::Use::kWrite));
    ASSIGN_OR_RETURN(SqliteQuery insert,
                     session.Query("INSERT INTO events VALUES (?1, ?2)", position, what));
    RETURN_IF_ERROR(insert.Run());
    RETURN_IF_ERROR(transaction.Commit());
    return position;
  }

  absl::StatusOr<int64_t> Head() override {
    return sessions_.back()->QueryInt("SELECT max(position) FROM events");
  }

  absl::StatusOr<std::vector<Event>> Read(int64_t after, int64_t upto) override {
    ASSIGN_OR_RETURN(SqliteQuery query,
                     sessions_.back()->Query("SELECT position, what FROM events WHERE position > ?1"
                                             " AND position <= ?2 ORDER BY 1",
                                             after, upto));
    std::vector<Event> events;
    RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
      events.push_back({row.Int(0), row.Text(1)});
      return absl::OkStatus();
    }));
    return events;
  }

 private:
  std::atomic<int64_t> sequence_ = 0;
  Sessions<SqliteConnection> sessions_;
};

constexpr char kItemSchema[] =
    "CREATE TABLE head (id INTEGER PRIMARY KEY, revision BIGINT NOT NULL);"
    "CREATE TABLE said (ordinal BIGINT NOT NULL);"  // Without the key that would save it.
    "INSERT INTO head VALUES (1, 0)";
constexpr char kLook[] = "SELECT max(ordinal) FROM said";

absl::Status Mismatch() { return absl::AbortedError("something else is there"); }

class LockedItem : public GuardedItem {
 public:
  LockedItem(const std::string& uri, int writers, Look look)
      : sessions_(OpenPostgres(uri, writers, kItemSchema)), look_(look) {}

  absl::StatusOr<std::string> Replace(int writer, const std::string& expected) override {
    PostgresSession& session = *sessions_[static_cast<size_t>(writer)];
    RETURN_IF_ERROR(session.Execute("BEGIN"));
    ASSIGN_OR_RETURN(const auto found, LockAndLook(session));
    const std::string next = absl::StrCat(ToInt(found[0][0]) + 1);
    if (absl::StrCat(ToInt(found[0][0])) != expected) {
      RETURN_IF_ERROR(session.Execute("ROLLBACK"));
      return Mismatch();
    }
    RETURN_IF_ERROR(session.Run("INSERT INTO said VALUES ($1::bigint)", {next}).status());
    RETURN_IF_ERROR(session.Execute("UPDATE head SET revision = revision + 1; COMMIT"));
    return next;
  }

  absl::StatusOr<std::string> Etag() override {
    ASSIGN_OR_RETURN(const auto found, sessions_.back()->Run(kLook));
    return absl::StrCat(ToInt(found[0][0]));
  }

 private:
  absl::StatusOr<std::vector<PostgresSession::Row>> LockAndLook(PostgresSession& session) const {
    if (look_ == Look::kWhileLocking) {
      return session.Run(
          "WITH locked AS MATERIALIZED (SELECT revision FROM head WHERE id = 1 FOR UPDATE)"
          " SELECT (SELECT max(ordinal) FROM said) FROM locked");
    }
    RETURN_IF_ERROR(session.Execute("SELECT revision FROM head WHERE id = 1 FOR UPDATE"));
    return session.Run(kLook);
  }

  Sessions<PostgresSession> sessions_;
  const Look look_;
};

class SqliteLockedItem : public GuardedItem {
 public:
  SqliteLockedItem(const std::string& path, int writers, Look look)
      : sessions_(OpenSqlite(path, writers, kItemSchema)), look_(look) {}

  absl::StatusOr<std::string> Replace(int writer, const std::string& expected) override {
    SqliteConnection& session = *sessions_[static_cast<size_t>(writer)];
    ASSIGN_OR_RETURN(int64_t there, session.QueryInt(kLook));
    Work(there + writer);
    ASSIGN_OR_RETURN(SqliteTransaction transaction,
                     SqliteTransaction::Begin(session, SqliteConnection::Use::kWrite));
    if (look_ == Look::kAfterLocking) {
      ASSIGN_OR_RETURN(there, session.QueryInt(kLook));
    }
    if (absl::StrCat(there) != expected) return Mismatch();
    ASSIGN_OR_RETURN(SqliteQuery insert, session.Query("INSERT INTO said VALUES (?1)", there + 1));
    RETURN_IF_ERROR(insert.Run());
    RETURN_IF_ERROR(transaction.Commit());
    return absl::StrCat(there + 1);
  }

  absl::StatusOr<std::string> Etag() override {
    ASSIGN_OR_RETURN(const int64_t there, sessions_.back()->QueryInt(kLook));
    return absl::StrCat(there);
  }

 private:
  Sessions<SqliteConnection> sessions_;
  const Look look_;
};

}  // namespace

std::unique_ptr<FollowedLog> NewSequenceLog(const std::string& postgres_uri, int writers) {
  return std::make_unique<SequenceLog>(postgres_uri, writers);
}

std::unique_ptr<FollowedLog> NewSqliteSequenceLog(const std::string& path, int writers) {
  return std::make_unique<SqliteSequenceLog>(path, writers);
}

std::unique_ptr<GuardedItem> NewLockedItem(const std::string& postgres_uri, int writers,
                                           Look look) {
  return std::make_unique<LockedItem>(postgres_uri, writers, look);
}

std::unique_ptr<GuardedItem> NewSqliteLockedItem(const std::string& path, int writers, Look look) {
  return std::make_unique<SqliteLockedItem>(path, writers, look);
}

}  // namespace starratings::store
