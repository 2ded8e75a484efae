// The limit that `import` is compared with: a loader written by hand that fills
// the same tables and indexes in the same order and batches, durably, with no
// wire and no checks between. Prints one JSON line.
//
//   bench_loader load SOURCE.db TARGET   writes SOURCE, a record on SQLite, into
//                                        TARGET, one that was just migrated
//   bench_loader commits TARGET N        N durable commits of one row
//
// TARGET is sqlite:PATH or postgresql://... . SOURCE has registrations and
// evidence, and says each item once.
#include <endian.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void Fail(std::string what) {
  while (what.ends_with('\n')) what.pop_back();
  std::replace(what.begin(), what.end(), '\n', ' ');
  std::fprintf(stderr, "bench_loader: %s\n", what.c_str());
  std::exit(1);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <auto kFree>
struct Free {
  void operator()(auto* object) const { kFree(object); }
};

struct Table {
  std::string name;
  int count;  // Of columns.
  std::string columns;
};
const std::string kItem =
    "organisation, period, code, instance, ordinal, decimal, numerator, denominator, level, flag,"
    " text, missing, observed_on, source, digest";
// In the order in which they are written: each refers only to those before it.
const Table kTables[] = {
    {"commits", 10,
     "revision, kind, items, time_us, actor, on_behalf_of, request_id, request_hash, reason,"
     " leaf_hash"},
    {"nonces", 2, "revision, nonce"},
    {"sources", 5, "id, title, uri, sha256, reconstructed"},
    {"organisations", 8, "bucket, id, revision, name, kind, region, from_day, to_day"},
    {"periods", 5, "id, revision, from_day, to_day, title"},
    {"codes", 8, "id, revision, title, kind, value_type, unit, minimum, maximum"},
    {"code_levels", 4, "code, revision, ord, level"},
    {"evidence_log", 17, "revision, ord, " + kItem},
    {"evidence_current", 17, "rev_from, bucket, " + kItem},
    {"bench_rows", 2, "id, body"},
};
enum { kCommits, kNonces, kSources, kRegister, kLog = 7, kCurrent, kBenchRows, kTableCount };
// Columns of the log, and one that is read with them.
enum { kRevision, kOrd, kOrganisation, kInstance = 5, kSource = 15, kBucket = 17, kWidth };

// PostgreSQL numbers the sources itself unless it is overridden.
std::string InsertSql(const Table& table, char mark) {
  std::string sql = "INSERT INTO " + table.name + " (" + table.columns + ")";
  sql += mark == '$' ? " OVERRIDING SYSTEM VALUE VALUES (" : " VALUES (";
  for (int i = 1; i <= table.count; ++i) sql += mark + std::to_string(i) + ",";
  sql.back() = ')';
  return sql;
}

struct Cell {
  int type = SQLITE_NULL;
  int64_t number = 0;
  std::string_view bytes = "";  // Of a text or blob.
};

// A commit with all that it wrote. The rows of a table lie one after the other.
struct Batch {
  std::pmr::monotonic_buffer_resource memory;  // Of the cells' bytes.
  std::vector<Cell> rows[kLog + 1];
  std::vector<Cell*> items;  // The rows of the log.
};

// In the order of evidence_current.
bool KeyLess(const Cell* a, const Cell* b) {
  if (a[kBucket].number != b[kBucket].number) return a[kBucket].number < b[kBucket].number;
  int order = 0;
  for (int i = kOrganisation; i <= kInstance && order == 0; ++i) {
    order = a[i].bytes.compare(b[i].bytes);
  }
  return order < 0;
}

class Sqlite {
 public:
  using Statement = std::unique_ptr<sqlite3_stmt, Free<sqlite3_finalize>>;
  static constexpr char kBegin[] = "BEGIN IMMEDIATE; SELECT revision FROM log_head";
  static constexpr char kFinish[] = "";
  // With BIGINT, the key would be an index beside the table.
  static constexpr char kMakeRows[] =
      "CREATE TABLE bench_rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)";

  explicit Sqlite(const std::string& path) {
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    database_.reset(opened);
    Check(result);
    // Those of the product: sqlite_connection.cc.
    Execute(
        "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;"
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16000;"
        "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; PRAGMA busy_timeout = 5000;");
    for (int i = 0; i < kBenchRows; ++i) PrepareInsert(i);
  }

  void Check(int result) {
    if (result != SQLITE_OK) Fail(sqlite3_errmsg(database_.get()));
  }
  // Gives the number in the last row, if there is one.
  int64_t Execute(const std::string& sql) {
    int64_t number = 0;
    const auto take = [](void* to, int, char** row, char**) {
      *static_cast<int64_t*>(to) = row[0] == nullptr ? 0 : std::atoll(row[0]);
      return 0;
    };
    Check(sqlite3_exec(database_.get(), sql.c_str(), take, &number, nullptr));
    return number;
  }
  Statement Prepare(const std::string& sql) {
    sqlite3_stmt* made = nullptr;
    Check(sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &made, nullptr));
    return Statement(made);
  }
  void PrepareInsert(int table) { inserts_[table] = Prepare(InsertSql(kTables[table], '?')); }

  void Insert(int table, const Cell* row) {
    sqlite3_stmt* insert = inserts_[table].get();
    for (int i = 0; i < kTables[table].count; ++i) {
      const auto& [type, number, bytes] = row[i];
      const int size = static_cast<int>(bytes.size());
      if (type == SQLITE_NULL) {
        sqlite3_bind_null(insert, i + 1);
      } else if (type == SQLITE_INTEGER) {
        sqlite3_bind_int64(insert, i + 1, number);
      } else if (type == SQLITE_TEXT) {
        sqlite3_bind_text(insert, i + 1, bytes.data(), size, SQLITE_STATIC);
      } else {
        sqlite3_bind_blob(insert, i + 1, bytes.data(), size, SQLITE_STATIC);
      }
    }
    sqlite3_step(insert);
    Check(sqlite3_reset(insert));
  }
  void InsertMany(int table, const std::vector<Cell*>& rows) {
    for (const Cell* row : rows) Insert(table, row);
  }

 private:
  std::unique_ptr<sqlite3, Free<sqlite3_close_v2>> database_;
  Statement inserts_[kTableCount];
};

class Postgres {
 public:
  static constexpr char kBegin[] = "BEGIN; SELECT revision FROM log_head WHERE id = 1 FOR UPDATE";
  // Who writes to the record next gets new numbers for sources.
  static constexpr char kFinish[] =
      "SELECT setval(pg_get_serial_sequence('sources', 'id'), max(id)) FROM sources";
  static constexpr char kMakeRows[] =
      "CREATE TABLE bench_rows (id BIGINT PRIMARY KEY, body BYTEA NOT NULL)";

  explicit Postgres(const std::string& uri) : connection_(PQconnectdb(uri.c_str())) {
    Check(PQstatus(connection_.get()) == CONNECTION_OK);
    Execute("SET client_min_messages = warning; SET synchronous_commit = on");
    for (int i = 0; i < kLog; ++i) PrepareInsert(i);
  }

  // Gives the number in the only row, if there is one.
  int64_t Execute(const std::string& sql) {
    while (PGresult* earlier = PQgetResult(connection_.get())) Take(earlier);  // Of a COPY.
    return Take(PQexec(connection_.get(), sql.c_str()));
  }
  void PrepareInsert(int table) {
    const std::string sql = InsertSql(kTables[table], '$');
    Take(PQprepare(connection_.get(), kTables[table].name.c_str(), sql.c_str(), 0, nullptr));
  }

  void Insert(int table, const Cell* row) {
    const auto& [name, count, columns] = kTables[table];
    const char* values[kWidth] = {};
    uint64_t numbers[kWidth];
    int sizes[kWidth], formats[kWidth];
    for (int i = 0; i < count; ++i) {
      const bool is_number = row[i].type == SQLITE_INTEGER;
      numbers[i] = htobe64(static_cast<uint64_t>(row[i].number));
      if (row[i].type != SQLITE_NULL) values[i] = row[i].bytes.data();
      if (is_number) values[i] = reinterpret_cast<const char*>(&numbers[i]);
      sizes[i] = is_number ? 8 : static_cast<int>(row[i].bytes.size());
      formats[i] = 1;
    }
    Take(PQexecPrepared(connection_.get(), name.c_str(), count, values, sizes, formats, 1));
  }
  // Does not wait until the server has written the last: the caller has more to do.
  void InsertMany(int table, const std::vector<Cell*>& rows) {
    const auto& [name, count, columns] = kTables[table];
    Execute("COPY " + name + " (" + columns + ") FROM STDIN (FORMAT binary)");
    buffer_.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (const Cell* row : rows) {
      Append(htobe16(static_cast<uint16_t>(count)));
      for (int i = 0; i < count; ++i) Append(row[i]);
      if (buffer_.size() >= 65'536) Send();  // The server works while the next is made.
    }
    Append(htobe16(0xffff));
    Send();
    Check(PQputCopyEnd(connection_.get(), nullptr) == 1);
  }

 private:
  void Check(bool ok) {
    if (!ok) Fail(PQerrorMessage(connection_.get()));
  }
  int64_t Take(PGresult* taken) {
    const std::unique_ptr<PGresult, Free<PQclear>> result(taken);
    const ExecStatusType status = PQresultStatus(taken);
    Check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN);
    return PQntuples(taken) == 1 ? std::atoll(PQgetvalue(taken, 0, 0)) : 0;
  }
  void Append(std::unsigned_integral auto number) {
    buffer_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  void Append(const Cell& cell) {
    const bool is_number = cell.type == SQLITE_INTEGER;
    const size_t size = is_number ? 8 : cell.type == SQLITE_NULL ? 0xffff'ffff : cell.bytes.size();
    Append(htobe32(static_cast<uint32_t>(size)));
    if (is_number) return Append(htobe64(static_cast<uint64_t>(cell.number)));
    buffer_ += cell.bytes;  // Of NULL, none.
  }
  void Send() {
    const int size = static_cast<int>(buffer_.size());
    Check(PQputCopyData(connection_.get(), buffer_.data(), size) == 1);
    buffer_.clear();
  }

  std::unique_ptr<PGconn, Free<PQfinish>> connection_;
  std::string buffer_;
};

// A record on SQLite, commit by commit.
class Source {
 public:
  explicit Source(const std::string& path) : database_(path) {
    // organisations has no index by id.
    database_.Execute(
        "BEGIN; CREATE TEMP TABLE buckets (id TEXT PRIMARY KEY, bucket INTEGER) WITHOUT ROWID;"
        "INSERT OR IGNORE INTO buckets SELECT id, bucket FROM organisations");
    if (database_.Execute("SELECT EXISTS (SELECT 1 FROM evidence_past)") != 0) {
      Fail("the source says an item more than once: evidence_past is not empty");
    }
    for (int i = 0; i < kLog; ++i) {
      const std::string where = i == kSources ? " WHERE id = ?1" : " WHERE revision = ?1";
      selects_[i] =
          database_.Prepare("SELECT " + kTables[i].columns + " FROM " + kTables[i].name + where);
    }
    selects_[kLog] = database_.Prepare("SELECT " + kTables[kLog].columns +
                                       ", bucket FROM evidence_log CROSS JOIN buckets"
                                       " ON id = organisation WHERE revision = ?1 ORDER BY ord");
  }

  int64_t Head() { return database_.Execute("SELECT revision FROM log_head"); }

  // Gives whether it is a commit of evidence.
  bool Read(int64_t revision, Batch& batch) {
    ReadRows(kCommits, revision, batch);
    const std::vector<Cell>& commit = batch.rows[kCommits];
    const bool is_evidence = !commit.empty() && commit[1].bytes == "evidence";
    ReadRows(kNonces, revision, batch);
    for (int i = kRegister; i < kLog && !is_evidence; ++i) ReadRows(i, revision, batch);
    ReadRows(kLog, revision, batch);
    std::vector<Cell>& log = batch.rows[kLog];
    for (size_t i = 0; i < log.size(); i += kWidth) {
      batch.items.push_back(&log[i]);
      const int64_t source = log[i + kSource].number;
      if (brought_.insert(source).second) ReadRows(kSources, source, batch);
    }
    if (commit.empty() || std::ssize(batch.items) != commit[2].number) Fail("the source has gaps");
    return is_evidence;
  }

 private:
  void ReadRows(int table, int64_t key, Batch& batch) {
    sqlite3_stmt* row = selects_[table].get();
    sqlite3_bind_int64(row, 1, key);
    while (sqlite3_step(row) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(row); ++i) {
        Cell& cell = batch.rows[table].emplace_back();
        cell.type = sqlite3_column_type(row, i);
        if (cell.type == SQLITE_INTEGER) {
          cell.number = sqlite3_column_int64(row, i);
        } else if (const int size = sqlite3_column_bytes(row, i); size > 0) {
          void* copy = batch.memory.allocate(static_cast<size_t>(size), 1);
          std::memcpy(copy, sqlite3_column_blob(row, i), static_cast<size_t>(size));
          cell.bytes = {static_cast<char*>(copy), static_cast<size_t>(size)};
        }
      }
    }
    database_.Check(sqlite3_reset(row));
  }

  Sqlite database_;
  Sqlite::Statement selects_[kLog + 1];
  std::set<int64_t> brought_;  // Sources, by a batch before.
};

// From BEGIN to the end of COMMIT.
template <typename Target>
void Write(int64_t revision, Batch& batch, Target& target) {
  if (target.Execute(target.kBegin) + 1 != revision) Fail("the target is not an empty record");
  for (int i = 0; i < kLog; ++i) {
    const auto count = static_cast<size_t>(kTables[i].count);
    for (size_t at = 0; at < batch.rows[i].size(); at += count) {
      target.Insert(i, &batch.rows[i][at]);
    }
  }
  if (!batch.items.empty()) {
    target.InsertMany(kLog, batch.items);
    std::sort(batch.items.begin(), batch.items.end(), KeyLess);
    for (Cell* item : batch.items) item[kOrd] = item[kBucket];
    target.InsertMany(kCurrent, batch.items);
  }
  target.Execute("UPDATE log_head SET revision = " + std::to_string(revision) + "; COMMIT");
}

template <typename Target>
void Load(const std::string& path, Target&& target) {
  Source source(path);
  size_t items = 0;
  int batches = 0;
  double seconds = 0;
  for (int64_t revision = 1, head = source.Head(); revision <= head; ++revision) {
    Batch batch;
    const bool is_timed = source.Read(revision, batch);
    const double start = Now();
    Write(revision, batch, target);
    if (!is_timed) continue;
    seconds += Now() - start;
    items += batch.items.size();
    ++batches;
  }
  target.Execute(target.kFinish);
  std::printf("{\"items\": %zu, \"batches\": %d, \"seconds\": %.6f, \"items_per_second\": %.1f}\n",
              items, batches, seconds, items == 0 ? 0 : static_cast<double>(items) / seconds);
}

template <typename Target>
void Commits(int64_t count, Target&& target) {
  target.Execute("DROP TABLE IF EXISTS bench_rows");
  target.Execute(target.kMakeRows);
  target.PrepareInsert(kBenchRows);
  const std::string body(200, 'x');
  std::vector<double> took;
  for (int64_t id = 1; id <= count; ++id) {
    const Cell row[] = {{SQLITE_INTEGER, id}, {SQLITE_TEXT, 0, body}};
    const double start = Now();
    target.Insert(kBenchRows, row);
    took.push_back(Now() - start);
  }
  target.Execute("DROP TABLE bench_rows");
  const double seconds = std::accumulate(took.begin(), took.end(), 0.0);
  std::sort(took.begin(), took.end());
  const auto at = [&](size_t percent) { return took[(took.size() - 1) * percent / 100] * 1'000; };
  std::printf("{\"commits\": %zu, \"seconds\": %.6f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n",
              took.size(), seconds, at(50), at(99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc == 4 ? argv[1] : "";
  const bool loads = command == "load";
  const int64_t count = command == "commits" ? std::atoll(argv[3]) : 0;
  if (!loads && count <= 0) Fail("usage: bench_loader load SOURCE.db TARGET | commits TARGET N");
  const std::string uri = argv[loads ? 3 : 2];
  const auto run = [&](auto&& target) { loads ? Load(argv[2], target) : Commits(count, target); };
  if (uri.starts_with("sqlite:")) {
    run(Sqlite(uri.substr(7)));
  } else if (uri.starts_with("postgresql://")) {
    run(Postgres(uri));
  } else {
    Fail("a target is sqlite:PATH or postgresql://...");
  }
  return 0;
}
