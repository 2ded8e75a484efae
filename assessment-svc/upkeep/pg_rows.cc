#include "assessment-svc/upkeep/pg_rows.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

using store::PgConnection;

// Whoever checks or copies a long log waits for its end.
constexpr absl::Time kNever = absl::InfiniteFuture();

// Rows are sent together up to about this size.
constexpr size_t kChunkBytes = 1 << 20;

// The session's time-outs and plans are made for services; and by its name they
// know one another (PgStore::EndFrozen()).
constexpr char kPatience[] =
    "SET application_name = 'starctl';"
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on;"
    "SET LOCAL plan_cache_mode = auto;";

constexpr absl::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

absl::Status Unreadable() {
  return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                       "the database sent rows that cannot be read");
}

uint64_t BigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

class PgRow : public Row {
 public:
  explicit PgRow(const std::vector<std::optional<absl::string_view>>& cells) : cells_(cells) {}
  bool IsNull(int column) const override { return !Cell(column); }
  // Of boolean, smallint, integer or bigint.
  int64_t Int(int column) const override {
    const absl::string_view bytes = View(column);
    const auto value = static_cast<int64_t>(BigEndian(bytes));
    if (bytes.size() == 2) return static_cast<int16_t>(value);
    return bytes.size() == 4 ? static_cast<int32_t>(value) : value;
  }
  absl::string_view View(int column) const override { return Cell(column).value_or(""); }

 private:
  const std::optional<absl::string_view>& Cell(int column) const {
    return cells_[static_cast<size_t>(column)];
  }
  const std::vector<std::optional<absl::string_view>>& cells_;
};

// Takes `size` bytes from the front; nothing: there are fewer.
std::optional<absl::string_view> Cut(absl::string_view& bytes, size_t size) {
  if (bytes.size() < size) return std::nullopt;
  const absl::string_view front = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return front;
}

// Takes a row of `count` cells; false: it is not whole.
bool CutRow(absl::string_view& bytes, size_t count,
            std::vector<std::optional<absl::string_view>>& cells) {
  cells.clear();
  for (size_t i = 0; i < count; ++i) {
    const auto size = Cut(bytes, 4);
    if (!size) return false;
    const auto length = static_cast<int32_t>(BigEndian(*size));
    if (length < 0) {
      cells.push_back(std::nullopt);
      continue;
    }
    const auto cell = Cut(bytes, static_cast<size_t>(length));
    if (!cell) return false;
    cells.push_back(*cell);
  }
  return true;
}

std::string BucketSql(absl::string_view id) {
  const std::string hash = absl::StrCat("sha256(convert_to(", id, ", 'UTF8'))");
  return absl::StrCat("(get_byte(", hash, ", 0) * 256 + get_byte(", hash, ", 1))");
}

class PgReader : public RecordReader {
 public:
  explicit PgReader(std::unique_ptr<PgConnection> connection)
      : connection_(std::move(connection)) {}

  absl::StatusOr<RecordHead> Head() override {
    RecordHead head;
    bool found = false;
    RETURN_IF_ERROR(
        ForEach("SELECT s.version, h.revision, h.store::text, h.incarnation FROM schema_info AS s,"
                " log_head AS h",
                [&](const Row& row) {
                  head = {row.Int(0), {row.Text(2), row.Int(3)}, row.Int(1)};
                  found = true;
                  return absl::OkStatus();
                }));
    if (found) return head;
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", "the record has no head");
  }

  absl::Status ForEach(const std::string& sql, const VisitRow& visit) override {
    CopyDecoder decoder;
    RETURN_IF_ERROR(connection_->CopyOut(
        absl::StrCat("COPY (", sql, ") TO STDOUT (FORMAT binary)"),
        [&](absl::string_view bytes) { return decoder.Take(bytes, visit); }, kNever));
    return decoder.Finish();
  }

  // PostgreSQL keeps its constraints; of its pages, pg_amcheck tells.
  absl::Status CheckDatabase(const VisitFault&) override { return absl::OkStatus(); }

  std::string BucketOf(absl::string_view id) const override { return BucketSql(id); }

 private:
  std::unique_ptr<PgConnection> connection_;  // In a transaction, which ends with it.
};

class PgWriter : public RecordWriter {
 public:
  explicit PgWriter(std::unique_ptr<PgConnection> connection)
      : connection_(std::move(connection)) {}

  absl::Status Insert(const Table& table, const Row& row) override {
    if (table_ != &table) RETURN_IF_ERROR(Flush());
    table_ = &table;
    AppendCopyLine(table, row, chunk_);
    return chunk_.size() < kChunkBytes ? absl::OkStatus() : Flush();
  }

  absl::Status Finish(const store::Identity& identity, int64_t revision) override {
    RETURN_IF_ERROR(Flush());
    store::PgParams params;
    params.Add(revision).Add(absl::string_view(identity.store)).Add(identity.incarnation);
    RETURN_IF_ERROR(
        connection_
            ->Run("UPDATE log_head SET revision = $1, store = $2, incarnation = $3", params, kNever)
            .status());
    // New sources are numbered after those that were carried.
    RETURN_IF_ERROR(connection_->RunScript(
        "SELECT setval(pg_get_serial_sequence('sources', 'id'), max(id)) FROM sources"
        " HAVING max(id) IS NOT NULL AND pg_get_serial_sequence('sources', 'id') IS NOT NULL",
        kNever));
    return connection_->RunScript("COMMIT", kNever);
  }

 private:
  absl::Status Flush() {
    if (chunk_.empty()) return absl::OkStatus();
    std::optional<std::string> chunk = std::exchange(chunk_, "");
    return connection_->CopyIn(
        absl::StrCat("COPY ", table_->name, " (", table_->ColumnNames(), ") FROM STDIN"),
        [&]() -> absl::StatusOr<std::optional<std::string>> {
          return std::exchange(chunk, std::nullopt);
        },
        kNever);
  }

  std::unique_ptr<PgConnection> connection_;  // In a transaction; rolled back with it.
  const Table* table_ = nullptr;              // Of the rows in `chunk_`.
  std::string chunk_;
};

absl::StatusOr<std::unique_ptr<PgConnection>> Begin(const store::PgTarget& target,
                                                    const char* begin) {
  ASSIGN_OR_RETURN(auto connection, PgConnection::Open(target, absl::Now() + absl::Seconds(30)));
  RETURN_IF_ERROR(connection->RunScript(begin, kNever));
  RETURN_IF_ERROR(connection->RunScript(kPatience, kNever));
  return connection;
}

}  // namespace

absl::Status CopyDecoder::Take(absl::string_view bytes, const VisitRow& visit) {
  rest_.append(bytes.data(), bytes.size());
  absl::string_view left = rest_;
  if (!header_seen_) {
    // Signature, flags, and an extension of no bytes.
    const auto header = Cut(left, kSignature.size() + 8);
    if (!header) return absl::OkStatus();
    if (header->substr(0, kSignature.size()) != kSignature) return Unreadable();
    header_seen_ = true;
  }
  std::vector<std::optional<absl::string_view>> cells;
  while (!end_seen_) {
    absl::string_view ahead = left;
    const auto count = Cut(ahead, 2);
    if (!count) break;
    const auto columns = static_cast<int16_t>(BigEndian(*count));
    if (columns < 0) {
      end_seen_ = true;
    } else if (!CutRow(ahead, static_cast<size_t>(columns), cells)) {
      break;
    } else {
      RETURN_IF_ERROR(visit(PgRow(cells)));
    }
    left = ahead;
  }
  rest_.erase(0, rest_.size() - left.size());
  return absl::OkStatus();
}

absl::Status CopyDecoder::Finish() const { return end_seen_ ? absl::OkStatus() : Unreadable(); }

void AppendCopyLine(const Table& table, const Row& row, std::string& out) {
  for (int i = 0; i < std::ssize(table.columns); ++i) {
    if (i > 0) out.push_back('\t');
    if (row.IsNull(i)) {
      out.append("\\N");
      continue;
    }
    switch (table.columns[static_cast<size_t>(i)].type) {
      case Column::Type::kInt:
        absl::StrAppend(&out, row.Int(i));
        break;
      case Column::Type::kBytes:
        absl::StrAppend(&out, "\\\\x", absl::BytesToHexString(row.View(i)));
        break;
      case Column::Type::kText:
        for (const char c : row.View(i)) {
          if (c == '\\' || c == '\t' || c == '\n' || c == '\r') out.push_back('\\');
          out.push_back(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
        }
        break;
    }
  }
  out.push_back('\n');
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenPgReader(const store::PgTarget& target) {
  ASSIGN_OR_RETURN(auto connection,
                   Begin(target, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return std::make_unique<PgReader>(std::move(connection));
}

absl::StatusOr<std::unique_ptr<RecordWriter>> OpenPgWriter(const store::PgTarget& target) {
  ASSIGN_OR_RETURN(auto connection, Begin(target, "BEGIN"));
  // As every writer does: nobody else writes until we are done.
  RETURN_IF_ERROR(
      connection->Run("SELECT revision FROM log_head WHERE id = 1 FOR UPDATE", kNever).status());
  for (const Table& table : Tables()) {
    const std::string sql = absl::StrCat("DO $$ BEGIN IF EXISTS (SELECT 1 FROM ", table.name,
                                         ") THEN RAISE EXCEPTION 'not empty'; END IF; END $$");
    if (!connection->RunScript(sql.c_str(), kNever).ok()) {
      return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_NOT_EMPTY",
                           "there is a record already, and it is not overwritten: name a new"
                           " database, or rename that one");
    }
  }
  return std::make_unique<PgWriter>(std::move(connection));
}

absl::Status RebuildPgProjection(const store::PgTarget& target) {
  ASSIGN_OR_RETURN(auto connection, Begin(target, "BEGIN"));
  RETURN_IF_ERROR(
      connection->Run("SELECT revision FROM log_head WHERE id = 1 FOR UPDATE", kNever).status());
  RETURN_IF_ERROR(connection->RunScript(RebuildingSql(BucketSql("organisation")).c_str(), kNever));
  return connection->RunScript("COMMIT", kNever);
}

}  // namespace starratings::upkeep
