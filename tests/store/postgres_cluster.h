// PostgreSQL for tests: databases that come and go on a server that they share.
//
// The server is, in this order:
// - the one of STARRATINGS_TEST_POSTGRES_URI: any PostgreSQL-wire database whose
//   user may create databases;
// - the one that ctest has started for this run (postgres.sh, a fixture);
// - one of this process, started when it is first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct pg_conn;

namespace starratings::store {

// A connection that speaks SQL, for setting a scene. Used by one thread at a
// time.
class PostgresSession {
 public:
  using Row = std::vector<std::string>;  // NULL is empty.

  // Returns UNAVAILABLE if the server cannot be reached.
  static absl::StatusOr<std::unique_ptr<PostgresSession>> Open(const std::string& uri);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  // Runs a statement; $1, $2, ... are `params`. An error is INTERNAL and says
  // what the server says.
  absl::StatusOr<std::vector<Row>> Run(const std::string& sql,
                                       const std::vector<std::string>& params = {});

  // Runs statements without parameters and results.
  absl::Status Execute(const std::string& sql) { return Run(sql).status(); }

 private:
  explicit PostgresSession(pg_conn* connection) : connection_(connection) {}

  pg_conn* connection_;
};

// A database of its own; dropped with this object, whoever is still connected.
class PostgresDatabase {
 public:
  PostgresDatabase(std::string server, std::string name);
  ~PostgresDatabase();
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  // As OpenStore() takes it.
  const std::string& uri() const { return uri_; }
  const std::string& name() const { return name_; }

 private:
  const std::string server_;
  const std::string name_;
  const std::string uri_;
};

class PostgresCluster {
 public:
  // The server of this process. Returns NOT_FOUND if there is none and none can
  // be started here because PostgreSQL is not installed; INTERNAL if it should
  // have started.
  static absl::StatusOr<const PostgresCluster*> Shared();

  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // A fresh record: the schema as upkeep::Migrate() makes it, and nothing in it.
  absl::StatusOr<std::unique_ptr<PostgresDatabase>> NewDatabase() const;

  // What `original` holds, to which nobody may be connected. Not every database
  // that speaks PostgreSQL's language can do that.
  absl::StatusOr<std::unique_ptr<PostgresDatabase>> NewCopyOf(
      const PostgresDatabase& original) const;

  // A database without tables.
  absl::StatusOr<std::unique_ptr<PostgresDatabase>> NewEmptyDatabase() const;

 private:
  PostgresCluster() = default;

  static absl::StatusOr<std::unique_ptr<PostgresCluster>> Find();
  static absl::StatusOr<std::unique_ptr<PostgresCluster>> Start();
  absl::StatusOr<std::unique_ptr<PostgresDatabase>> Create(const std::string& from) const;
  absl::StatusOr<std::string> Template() const;

  std::string server_;    // The URI of its database `postgres`.
  bool is_ours_ = false;  // Made by postgres.sh: nothing in it is older than this run.
};

}  // namespace starratings::store
