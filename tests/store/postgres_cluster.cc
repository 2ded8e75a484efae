#include "tests/store/postgres_cluster.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

constexpr char kScript[] = SOURCE_ROOT "/tests/store/postgres.sh";

// One process at a time makes the template.
constexpr char kLockTemplate[] = "SELECT pg_advisory_lock(20020501)";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstLine(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

// `uri`, naming another database of the same server.
std::string WithDatabase(const std::string& uri, const std::string& database) {
  const size_t options = std::min(uri.find('?'), uri.size());
  const size_t host = uri.find("://") + 3;
  const size_t slash = std::min(uri.find('/', host), options);
  return absl::StrCat(uri.substr(0, slash), "/", database, uri.substr(options));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresSession>> PostgresSession::Open(const std::string& uri) {
  pg_conn* connection = PQconnectdb(uri.c_str());
  auto session = std::unique_ptr<PostgresSession>(new PostgresSession(connection));
  if (PQstatus(connection) != CONNECTION_OK) {
    return absl::UnavailableError(PQerrorMessage(connection));
  }
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  return session;
}

PostgresSession::~PostgresSession() { PQfinish(connection_); }

absl::StatusOr<std::vector<PostgresSession::Row>> PostgresSession::Run(
    const std::string& sql, const std::vector<std::string>& params) {
  std::vector<const char*> values;
  for (const std::string& param : params) values.push_back(param.c_str());
  // Without parameters a text may hold several statements.
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      params.empty() ? PQexec(connection_, sql.c_str())
                     : PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()),
                                    nullptr, values.data(), nullptr, nullptr, 0),
      &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return absl::InternalError(PQerrorMessage(connection_));
  }
  std::vector<Row> rows;
  for (int i = 0; i < PQntuples(result.get()); ++i) {
    Row& row = rows.emplace_back();
    for (int j = 0; j < PQnfields(result.get()); ++j) {
      row.emplace_back(PQgetvalue(result.get(), i, j));
    }
  }
  return rows;
}

PostgresDatabase::PostgresDatabase(std::string server, std::string name)
    : server_(std::move(server)), name_(std::move(name)), uri_(WithDatabase(server_, name_)) {}

PostgresDatabase::~PostgresDatabase() {
  const auto session = PostgresSession::Open(server_);
  if (!session.ok()) return;  // Gone, and the database with it.
  // Other databases than PostgreSQL do not know FORCE.
  if ((*session)->Execute(absl::StrCat("DROP DATABASE ", name_, " WITH (FORCE)")).ok()) return;
  (void)(*session)->Execute(absl::StrCat("DROP DATABASE ", name_));
}

absl::StatusOr<const PostgresCluster*> PostgresCluster::Shared() {
  static const auto found = Find();
  if (!found.ok()) return found.status();
  return found->get();
}

absl::StatusOr<std::unique_ptr<PostgresCluster>> PostgresCluster::Find() {
  auto cluster = std::unique_ptr<PostgresCluster>(new PostgresCluster());
  cluster->server_ = Environment("STARRATINGS_TEST_POSTGRES_URI");
  if (!cluster->server_.empty()) return cluster;
  const std::string directory = Environment("STARRATINGS_TEST_POSTGRES_DIRECTORY");
  if (directory.empty()) return Start();
  cluster->server_ = FirstLine(std::filesystem::path(directory) / "uri");
  cluster->is_ours_ = true;
  if (cluster->server_.empty()) return absl::NotFoundError("PostgreSQL is not installed");
  return cluster;
}

// It goes when this process has gone, however it went.
absl::StatusOr<std::unique_ptr<PostgresCluster>> PostgresCluster::Start() {
  auto cluster = std::unique_ptr<PostgresCluster>(new PostgresCluster());
  const auto directory =
      std::filesystem::temp_directory_path() / absl::StrCat("starratings-pg-of-", getpid());
  const std::string command =
      absl::StrCat("'", kScript, "' start '", directory.string(), "' ", getpid());
  const bool has_started = std::system(command.c_str()) == 0;
  cluster->server_ = FirstLine(directory / "uri");
  cluster->is_ours_ = true;
  std::filesystem::remove_all(directory);
  if (!has_started) return absl::InternalError(absl::StrCat("failed: ", command));
  if (cluster->server_.empty()) return absl::NotFoundError("PostgreSQL is not installed");
  return cluster;
}

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresCluster::NewDatabase() const {
  if (is_ours_) {
    ASSIGN_OR_RETURN(const std::string from, Template());
    return Create(from);
  }
  // A server that lasts may hold the template of another day, and need not know
  // templates at all.
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresDatabase> database, Create(""));
  RETURN_IF_ERROR(upkeep::Migrate(database->uri()).status());
  return database;
}

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresCluster::NewCopyOf(
    const PostgresDatabase& original) const {
  // Whoever has gone may be seen there for a moment still.
  for (int tries = 1;; ++tries) {
    auto copy = Create(original.name());
    if (copy.ok() || tries == 50) return copy;
    absl::SleepFor(absl::Milliseconds(100));
  }
}

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresCluster::NewEmptyDatabase() const {
  return Create("");
}

absl::StatusOr<std::unique_ptr<PostgresDatabase>> PostgresCluster::Create(
    const std::string& from) const {
  static std::atomic<int> count = 0;
  const std::string name = absl::StrCat("test_", getpid(), "_", ++count, "_",
                                        absl::ToUnixMicros(absl::Now()) % 1'000'000'000);
  ASSIGN_OR_RETURN(const auto session, PostgresSession::Open(server_));
  RETURN_IF_ERROR(session->Execute(
      absl::StrCat("CREATE DATABASE ", name, from.empty() ? "" : " TEMPLATE ", from)));
  return std::make_unique<PostgresDatabase>(server_, name);
}

// Each test is a process of its own under ctest: the first makes the template.
// It gets its name when it is whole.
absl::StatusOr<std::string> PostgresCluster::Template() const {
  const std::string name = "record_template";
  ASSIGN_OR_RETURN(const auto session, PostgresSession::Open(server_));
  RETURN_IF_ERROR(session->Execute(kLockTemplate));  // Until the session ends.
  ASSIGN_OR_RETURN(const auto there,
                   session->Run("SELECT 1 FROM pg_database WHERE datname = $1", {name}));
  if (!there.empty()) return name;
  const std::string unfinished = name + "_unfinished";
  RETURN_IF_ERROR(session->Execute(absl::StrCat("DROP DATABASE IF EXISTS ", unfinished)));
  RETURN_IF_ERROR(session->Execute(absl::StrCat("CREATE DATABASE ", unfinished)));
  RETURN_IF_ERROR(upkeep::Migrate(WithDatabase(server_, unfinished)).status());
  RETURN_IF_ERROR(
      session->Execute(absl::StrCat("ALTER DATABASE ", unfinished, " RENAME TO ", name)));
  return name;
}

}  // namespace starratings::store
