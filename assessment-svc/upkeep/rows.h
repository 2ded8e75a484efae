// Rows of a record, whatever database holds it: what fsck reads, and what backup
// and restore carry from one record to another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/store/store.h"

namespace starratings::upkeep {

// A row of an answer. Columns count from 0. What a view shows is gone with the
// next row.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(int column) const = 0;
  virtual int64_t Int(int column) const = 0;             // 0 of NULL.
  virtual absl::string_view View(int column) const = 0;  // Of text or bytes; empty of NULL.

  std::string Text(int column) const { return std::string(View(column)); }
};

using VisitRow = std::function<absl::Status(const Row&)>;

struct Column {
  enum class Type { kInt, kText, kBytes };
  const char* name;
  Type type;
  int64_t since = 1;  // The first schema whose table has it.
};

struct Table {
  const char* name;
  int64_t since;  // The first schema that has it.
  std::span<const Column> columns;

  std::string ColumnNames() const;  // "revision, time_us, ..."
  // The same for a SELECT from a record of `schema`: NULL is what it lacks.
  std::string Selection(int64_t schema) const;
};

// All tables but schema_info and log_head: a table stands after those that its
// rows refer to.
std::span<const Table> Tables();

// What stands in schema_info and log_head.
struct RecordHead {
  int64_t schema = 0;
  store::Identity identity;
  int64_t revision = 0;
};

// Tells somebody of a fault of the database itself, which is below the record.
using VisitFault = std::function<void(absl::string_view code, absl::string_view what)>;

// One moment of a record: everything read is of the same revision, whatever
// others write meanwhile. Used by one thread.
//
// Calls return UNAVAILABLE if the database cannot be reached and DATA_LOSS if it
// is damaged.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // DATA_LOSS (STORE_CORRUPT) if the record does not say.
  virtual absl::StatusOr<RecordHead> Head() = 0;

  // Calls `visit` for every row of a SELECT until it returns an error. Rows come
  // as they are read; a table is never in memory. Not from within a visit.
  virtual absl::Status ForEach(const std::string& sql, const VisitRow& visit) = 0;

  // What the database finds wrong with itself.
  virtual absl::Status CheckDatabase(const VisitFault& visit) = 0;

  // The bucket of an organisation, as SQL; `id` is SQL, too.
  virtual std::string BucketOf(absl::string_view id) const = 0;

  // The one number in the only row of `sql`; 0 of NULL.
  absl::StatusOr<int64_t> ReadInt(const std::string& sql);
};

// Fills an empty record in one transaction; rolled back unless finished.
class RecordWriter {
 public:
  virtual ~RecordWriter() = default;

  // The columns of `row` are those of `table`.
  virtual absl::Status Insert(const Table& table, const Row& row) = 0;

  // Sets identity and head, and commits. Durable on return.
  virtual absl::Status Finish(const store::Identity& identity, int64_t revision) = 0;
};

// Opens the record named by `uri` for reading. Any schema will do that this
// binary may use, also one that a service would have migrated first.
//
// Returns INVALID_ARGUMENT (STORE_URI) on a malformed `uri` or `memory:`, and
// FAILED_PRECONDITION (STORE_SCHEMA) if there is no record this binary may use.
absl::StatusOr<std::unique_ptr<RecordReader>> OpenRecordReader(
    absl::string_view uri, const store::StoreOptions& options = {});

// Opens the record named by `uri`, which has this binary's schema, to be filled.
//
// Returns as OpenRecordReader(), and FAILED_PRECONDITION (STORE_NOT_EMPTY) if it
// holds anything.
absl::StatusOr<std::unique_ptr<RecordWriter>> OpenRecordWriter(
    absl::string_view uri, const store::StoreOptions& options = {});

// Makes evidence_current and evidence_past of the record named by `uri` again
// from its log, in one transaction; writers wait for it.
absl::Status RebuildProjection(absl::string_view uri, const store::StoreOptions& options = {});

// The statements of RebuildProjection(), between BEGIN and COMMIT; `bucket` is
// the bucket of `organisation`, as SQL.
std::string RebuildingSql(absl::string_view bucket);

// Carries all rows of `from` to `to`, which is not finished by it.
absl::Status CarryRows(RecordReader& from, int64_t schema, RecordWriter& to);

}  // namespace starratings::upkeep
