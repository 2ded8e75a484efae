// libpq behind RAII and statuses: a connection, its prepared statements, and a
// deadline for each call. Nothing here knows the record.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct pg_conn;
struct pg_result;

namespace starratings::store {

// Parameters of a statement: $1, $2, ... in the order they are added, in
// PostgreSQL's binary formats. Texts are copied.
class PgParams {
 public:
  PgParams& Add(int64_t value);  // bigint
  PgParams& Add(absl::string_view text);
  PgParams& Add(std::optional<int64_t> value);
  PgParams& AddBytes(absl::string_view bytes);
  PgParams& AddInts(std::span<const int64_t> values);                         // bigint[]
  PgParams& AddOptionalInts(std::span<const std::optional<int64_t>> values);  // bigint[]
  PgParams& AddTexts(std::span<const std::string> texts);                     // text[]
  PgParams& AddOptionalTexts(std::span<const std::optional<absl::string_view>> texts);
  PgParams& AddByteses(std::span<const absl::string_view> values);  // bytea[]

 private:
  friend class PgConnection;
  struct Value {
    uint32_t type;
    std::optional<std::string> bytes;
  };
  std::vector<Value> values_;
};

// Rows for COPY ... FROM STDIN (FORMAT binary), field by field.
class PgCopyRows {
 public:
  PgCopyRows();
  void BeginRow(int fields);
  void Add(int64_t value);
  void Add(absl::string_view bytes);  // Of a text or bytea.
  void Add(const std::optional<int64_t>& value);
  void Add(const std::optional<absl::string_view>& text);
  void End();

  // Moves out what is there so far.
  std::string Take() { return std::exchange(bytes_, {}); }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

// The rows of an answer, in binary.
class PgResult {
 public:
  explicit PgResult(pg_result* result) : result_(result, &Clear) {}

  int rows() const;
  int64_t affected() const;  // By INSERT, UPDATE, DELETE.
  bool IsNull(int row, int column) const;
  int64_t Int(int row, int column) const;  // bigint, integer, smallint or boolean; 0 of NULL.
  std::optional<int64_t> OptionalInt(int row, int column) const;
  // Of text or bytea; valid as long as the result. Empty of NULL.
  absl::string_view View(int row, int column) const;
  std::string Text(int row, int column) const { return std::string(View(row, column)); }

 private:
  static void Clear(pg_result* result);
  std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
};

// A statement and its parameters.
struct PgCall {
  const char* sql;  // A literal: prepared once on each connection, by its address.
  PgParams params;
};

// One host of a database, and how to get in.
struct PgTarget {
  // Of PQconninfoParse(), without host, hostaddr and port.
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::pair<std::string, std::string>> hosts;  // Host and port; tried in order.
  std::string password_file;                               // Empty: none.
};

// Reads a URI. Returns INVALID_ARGUMENT, reason STORE_URI, naming what is wrong:
// among other things a password in it.
absl::StatusOr<PgTarget> ParsePgTarget(const std::string& conninfo, std::string password_file);

// The addresses of a host, as `hostaddr` takes them, at most eight; one empty one
// if it needs none: a folder of sockets. By the system's resolver, which knows no
// time-out: it is asked on a thread of its own. UNAVAILABLE (STORE_UNAVAILABLE) if
// there is none, or none by `deadline`.
absl::StatusOr<std::vector<std::string>> FindAddresses(const std::string& host,
                                                       absl::Time deadline);

// One connection to the host that accepts writes. Used by one thread at a time.
//
// Statuses hold no SQL, host or password:
// - the deadline passed: DEADLINE_EXCEEDED, and the connection is broken;
// - the connection is lost, or the server is going down or read-only:
//   UNAVAILABLE, reason STORE_UNAVAILABLE, and the connection is broken;
// - 40001, 40P01, 55P03 and such: ABORTED, reason STORE_CONFLICT;
// - broken keys: DATA_LOSS, STORE_CORRUPT; disk full: UNAVAILABLE;
// - anything else: INTERNAL, STORE_REFUSED.
// The metadata has `sqlstate` where there is one.
class PgConnection {
 public:
  // How long one address of a host may take to answer a connection, and how long
  // its name may take to be found.
  static constexpr absl::Duration kHostMost = absl::Seconds(2);

  // Connects to the first host that is a primary, each of its addresses in a
  // timed attempt of its own, and sets the session up (time-outs, UTC, read
  // committed).
  static absl::StatusOr<std::unique_ptr<PgConnection>> Open(const PgTarget& target,
                                                            absl::Time deadline);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // Runs a statement, in the open transaction or in one of its own.
  absl::StatusOr<PgResult> Run(const char* sql, const PgParams& params, absl::Time deadline);
  absl::StatusOr<PgResult> Run(const char* sql, absl::Time deadline) {
    return Run(sql, PgParams(), deadline);
  }

  // Runs statements in one round trip, in order, in the open transaction or in
  // one that they share. After an error none of them has had an effect.
  absl::StatusOr<std::vector<PgResult>> RunAll(std::span<const PgCall> calls, absl::Time deadline);

  // Runs a script without parameters and results. For migrations.
  absl::Status RunScript(const char* sql, absl::Time deadline);

  // COPY ... TO STDOUT and FROM STDIN, in the open transaction or in one of its
  // own. `sink` gets the bytes as they
  // come; `source` gives them until it gives nothing. After an error of theirs
  // the connection is broken.
  absl::Status CopyOut(const std::string& sql,
                       const std::function<absl::Status(absl::string_view)>& sink,
                       absl::Time deadline);
  absl::Status CopyIn(const std::string& sql,
                      const std::function<absl::StatusOr<std::optional<std::string>>()>& source,
                      absl::Time deadline);

  // Nothing more can be done with it: open another.
  bool broken() const { return broken_; }

  // Which call of the last RunAll() the server has refused, by an answer of its
  // own; nothing: none, or nobody knows. What came after it was not run.
  std::optional<size_t> refused() const { return refused_; }

  // The server has warned during the last call. At COMMIT that means: durable
  // here, but perhaps not on the standby.
  bool warned() const { return warned_; }

 private:
  using Connection = std::unique_ptr<pg_conn, void (*)(pg_conn*)>;
  using Result = std::unique_ptr<pg_result, void (*)(pg_result*)>;

  explicit PgConnection(Connection connection) : connection_(std::move(connection)) {}

  static absl::StatusOr<std::unique_ptr<PgConnection>> OpenHost(
      const PgTarget& target, const std::pair<std::string, std::string>& host,
      const std::string& address, absl::Time deadline);
  static void OnNotice(void* connection, const pg_result* notice);

  // Waits for the socket to become readable, or writable.
  absl::Status Await(bool to_write, absl::Time deadline);
  absl::Status Connect(absl::Time deadline);
  absl::Status NotConnected();
  absl::Status SetUp(absl::Time deadline);
  absl::Status Flush(absl::Time deadline);
  // The next result; null: the end of a statement's.
  absl::StatusOr<Result> Next(absl::Time deadline);
  absl::Status Send(const PgCall& call);
  // Runs simple statements; the last row of the last one that has rows.
  absl::StatusOr<std::string> RunSimple(const char* sql, absl::Time deadline);

  // pg_copy.cc
  absl::Status BeginCopy(const std::string& sql, int state, absl::Time deadline);
  absl::Status EndCopy(absl::Time deadline);

  absl::Status Lost();  // Breaks the connection.
  absl::Status ErrorOf(const pg_result* result);

  Connection connection_;
  bool broken_ = false;
  bool warned_ = false;
  std::optional<size_t> refused_;
  absl::flat_hash_map<const char*, std::string> prepared_;
  int64_t names_ = 0;                   // Given so far.
  std::vector<const char*> preparing_;  // In what was sent, in order.
};

}  // namespace starratings::store
