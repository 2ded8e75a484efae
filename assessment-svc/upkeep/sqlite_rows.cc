#include "assessment-svc/upkeep/sqlite_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/sqlite_schema.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

using store::SqliteConnection;
using store::SqliteQuery;
using store::SqliteTransaction;

class SqliteRow : public Row {
 public:
  explicit SqliteRow(const SqliteQuery& query) : query_(query) {}
  bool IsNull(int column) const override { return query_.IsNull(column); }
  int64_t Int(int column) const override { return query_.Int(column); }
  absl::string_view View(int column) const override { return query_.View(column); }

 private:
  const SqliteQuery& query_;
};

absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path,
                                                       SqliteConnection::Use use) {
  auto connection = SqliteConnection::Open(path, use);
  if (!connection.ok()) return store::OpeningError(connection.status());
  ASSIGN_OR_RETURN(const store::SqliteSchema schema, store::ReadSqliteSchema(**connection));
  const int64_t known = store::SqliteMigrations().back().number;
  if (schema.version == 0) {
    return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_SCHEMA",
                         "the file is empty, and no record");
  }
  // An older schema will do: a backup is made before the upgrade.
  if (schema.version > known) RETURN_IF_ERROR(store::CheckSqliteSchema(schema));
  return std::move(*connection);
}

class SqliteReader : public RecordReader {
 public:
  SqliteReader(std::unique_ptr<SqliteConnection> connection, SqliteTransaction snapshot)
      : connection_(std::move(connection)), snapshot_(std::move(snapshot)) {}

  absl::StatusOr<RecordHead> Head() override {
    RecordHead head;
    ASSIGN_OR_RETURN(const store::SqliteSchema schema, store::ReadSqliteSchema(*connection_));
    head.schema = schema.version;
    ASSIGN_OR_RETURN(head.identity, store::ReadSqliteIdentity(*connection_));
    ASSIGN_OR_RETURN(head.revision, connection_->QueryInt("SELECT revision FROM log_head"));
    return head;
  }

  absl::Status ForEach(const std::string& sql, const VisitRow& visit) override {
    ASSIGN_OR_RETURN(SqliteQuery query, connection_->Query(sql));
    return query.ForEach([&](const SqliteQuery& row) { return visit(SqliteRow(row)); });
  }

  absl::Status CheckDatabase(const VisitFault& visit) override {
    RETURN_IF_ERROR(ForEach("PRAGMA integrity_check(100)", [&](const Row& row) {
      if (row.View(0) != "ok") visit("DATABASE", row.View(0));
      return absl::OkStatus();
    }));
    return ForEach("PRAGMA foreign_key_check", [&](const Row& row) {
      visit("REFERENCE",
            absl::StrCat("a row of ", row.View(0), " refers to what is not in ", row.View(2)));
      return absl::OkStatus();
    });
  }

  std::string BucketOf(absl::string_view id) const override {
    return absl::StrCat("bucket_of(", id, ")");
  }

 private:
  std::unique_ptr<SqliteConnection> connection_;  // Outlives the transaction.
  SqliteTransaction snapshot_;
};

class SqliteWriter : public RecordWriter {
 public:
  SqliteWriter(std::unique_ptr<SqliteConnection> connection, SqliteTransaction transaction)
      : connection_(std::move(connection)), transaction_(std::move(transaction)) {}

  absl::Status Insert(const Table& table, const Row& row) override {
    if (table.name != table_) Prepare(table);
    ASSIGN_OR_RETURN(SqliteQuery query, connection_->Query(sql_));
    for (int i = 0; i < std::ssize(table.columns); ++i) {
      if (row.IsNull(i)) continue;  // Unbound is NULL.
      switch (table.columns[static_cast<size_t>(i)].type) {
        case Column::Type::kInt:
          query.BindAt(i + 1, row.Int(i));
          break;
        case Column::Type::kText:
          query.BindAt(i + 1, row.View(i));
          break;
        case Column::Type::kBytes:
          query.BindAt(i + 1, store::SqliteBlob{row.View(i)});
          break;
      }
    }
    return query.Run();
  }

  absl::Status Finish(const store::Identity& identity, int64_t revision) override {
    {
      ASSIGN_OR_RETURN(
          SqliteQuery query,
          connection_->Query("UPDATE log_head SET revision = ?1, store = ?2, incarnation = ?3",
                             revision, identity.store, identity.incarnation));
      RETURN_IF_ERROR(query.Run());
    }
    RETURN_IF_ERROR(transaction_.Commit());
    return connection_->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  void Prepare(const Table& table) {
    table_ = table.name;
    std::string values;
    for (size_t i = 1; i <= table.columns.size(); ++i) {
      absl::StrAppend(&values, i == 1 ? "?" : ", ?", i);
    }
    sql_ = absl::StrCat("INSERT INTO ", table.name, " (", table.ColumnNames(), ") VALUES (", values,
                        ")");
  }

  std::unique_ptr<SqliteConnection> connection_;  // Outlives the transaction.
  SqliteTransaction transaction_;
  const char* table_ = nullptr;  // Of the last row, ...
  std::string sql_;              // ... and how its rows are inserted.
};

absl::Status NotEmpty() {
  return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_NOT_EMPTY",
                       "there is a record already, and it is not overwritten: name a new one, or"
                       " move that one away");
}

// OK if nobody has written anything.
absl::Status CheckEmpty(SqliteConnection& connection) {
  for (const Table& table : Tables()) {
    ASSIGN_OR_RETURN(const int64_t rows, connection.QueryInt(absl::StrCat(
                                             "SELECT EXISTS (SELECT 1 FROM ", table.name, ")")));
    if (rows != 0) return NotEmpty();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> OpenSqliteReader(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection, Open(path, SqliteConnection::Use::kRead));
  // The whole log is read, some of it through an index: pages come again.
  RETURN_IF_ERROR(connection->Execute("PRAGMA cache_size = -64000"));
  ASSIGN_OR_RETURN(SqliteTransaction snapshot,
                   SqliteTransaction::Begin(*connection, SqliteConnection::Use::kRead));
  // The first read pins the snapshot.
  RETURN_IF_ERROR(connection->QueryInt("SELECT revision FROM log_head").status());
  return std::make_unique<SqliteReader>(std::move(connection), std::move(snapshot));
}

absl::StatusOr<std::unique_ptr<RecordWriter>> OpenSqliteWriter(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection, Open(path, SqliteConnection::Use::kWrite));
  // Rows come in the order of one key and go into the index of another.
  RETURN_IF_ERROR(connection->Execute("PRAGMA cache_size = -64000"));
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(*connection, SqliteConnection::Use::kWrite));
  RETURN_IF_ERROR(CheckEmpty(*connection));
  return std::make_unique<SqliteWriter>(std::move(connection), std::move(transaction));
}

absl::Status RebuildSqliteProjection(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection, Open(path, SqliteConnection::Use::kWrite));
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(*connection, SqliteConnection::Use::kWrite));
  RETURN_IF_ERROR(connection->Execute(RebuildingSql("bucket_of(organisation)").c_str()));
  return transaction.Commit();
}

// VACUUM INTO and not the backup API: it reads one snapshot to its end, however
// much is written meanwhile (the API begins again when another process writes);
// it reads every table row by row, and so notices damage; and it copies no free
// page, so that a nonce that was erased is not in the copy.
absl::Status CopySqlite(const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(auto connection, Open(from, SqliteConnection::Use::kWrite));
  ASSIGN_OR_RETURN(SqliteQuery query, connection->Query("VACUUM INTO ?1", to));
  return query.Run();
}

absl::Status MakeOneFile(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection, Open(path, SqliteConnection::Use::kWrite));
  return connection->Execute("PRAGMA journal_mode = DELETE");
}

}  // namespace starratings::upkeep
