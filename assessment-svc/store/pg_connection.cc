#include "assessment-svc/store/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// Of every session. A frozen replica must not keep the head locked; what was
// acknowledged must be on disk, and on the standby where there is one.
constexpr char kSetUp[] =
    "SET lock_timeout = '5s';"
    "SET idle_in_transaction_session_timeout = '5s';"
    "SET statement_timeout = '30s';"
    "SET timezone = 'UTC';"
    "SET default_transaction_isolation = 'read committed';"
    // Every statement goes by a key; planning it anew, or reading a whole table
    // that has not been analysed yet, costs more than running it.
    "SET jit = off;"
    "SET plan_cache_mode = force_generic_plan;"
    "SET enable_seqscan = off;"
    "SET enable_bitmapscan = off;"
    "SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')"
    "  IN ('off', 'local', 'remote_write') THEN 'on'"
    "  ELSE current_setting('synchronous_commit') END, false);"
    "SHOW transaction_read_only";

absl::Status Late() {
  return status::Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE",
                       "the deadline passed before the record answered");
}

absl::Status Unavailable(absl::string_view what, absl::string_view sqlstate = "") {
  std::map<std::string, std::string> metadata;
  if (!sqlstate.empty()) metadata["sqlstate"] = std::string(sqlstate);
  return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", what,
                       std::move(metadata));
}

absl::StatusOr<std::string> ReadPassword(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream all;
  all << in.rdbuf();
  if (!in) return Unavailable("the file with the database's password cannot be read");
  std::string password = all.str();
  if (!password.empty() && password.back() == '\n') password.pop_back();
  return password;
}

// The way of `sqlstate`, where it is not the statement that is wrong.
enum class Cause { kStatement, kGone, kConflict, kResources, kContradiction };

Cause CauseOf(absl::string_view sqlstate) {
  if (sqlstate.empty() || absl::StartsWith(sqlstate, "08") || absl::StartsWith(sqlstate, "57P") ||
      absl::StartsWith(sqlstate, "28") || sqlstate == "25006" || sqlstate == "25P03") {
    return Cause::kGone;
  }
  if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03") return Cause::kConflict;
  if (absl::StartsWith(sqlstate, "53") || absl::StartsWith(sqlstate, "58") || sqlstate == "57014") {
    return Cause::kResources;
  }
  if (sqlstate == "23505" || sqlstate == "23503" || absl::StartsWith(sqlstate, "XX001") ||
      sqlstate == "XX002") {
    return Cause::kContradiction;
  }
  return Cause::kStatement;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Open(const PgTarget& target,
                                                                 absl::Time deadline) {
  absl::Status last = Unavailable("the record's database cannot be reached");
  for (const auto& host : target.hosts) {
    // Here and not in libpq, which takes a standby among several addresses for
    // the host, and waits for names as long as the system does.
    const auto addresses = FindAddresses(host.first, std::min(deadline, absl::Now() + kHostMost));
    if (!addresses.ok()) {
      last = addresses.status();
      continue;
    }
    for (const std::string& address : *addresses) {
      const absl::Time now = absl::Now();
      if (now >= deadline) return Late();
      auto opened = OpenHost(target, host, address, std::min(deadline, now + kHostMost));
      if (opened.ok()) return opened;
      last = opened.status();
    }
  }
  if (absl::IsDeadlineExceeded(last)) last = Unavailable("the record's database does not answer");
  return last;
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::OpenHost(
    const PgTarget& target, const std::pair<std::string, std::string>& host,
    const std::string& address, absl::Time deadline) {
  std::vector<std::pair<std::string, std::string>> options = target.options;
  options.emplace_back("host", host.first);  // Also what its certificate must name.
  if (!address.empty()) options.emplace_back("hostaddr", address);
  if (!host.second.empty()) options.emplace_back("port", host.second);
  options.emplace_back("application_name", "assessment-svc");
  options.emplace_back("client_encoding", "UTF8");
  if (!target.password_file.empty()) {
    ASSIGN_OR_RETURN(std::string password, ReadPassword(target.password_file));
    options.emplace_back("password", std::move(password));
  }
  std::vector<const char*> names, values;
  for (const auto& [name, value] : options) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  Connection raw(PQconnectStartParams(names.data(), values.data(), 0), &PQfinish);
  if (raw == nullptr) return Unavailable("there is no memory for a connection");
  std::unique_ptr<PgConnection> connection(new PgConnection(std::move(raw)));
  PQsetNoticeReceiver(connection->connection_.get(), &PgConnection::OnNotice, connection.get());
  RETURN_IF_ERROR(connection->Connect(deadline));
  RETURN_IF_ERROR(connection->SetUp(deadline));
  return connection;
}

PgConnection::~PgConnection() = default;

void PgConnection::OnNotice(void* connection, const pg_result* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && absl::string_view(severity) == "WARNING") {
    static_cast<PgConnection*>(connection)->warned_ = true;
  }
}

absl::Status PgConnection::Await(bool to_write, absl::Time deadline) {
  pollfd wait = {PQsocket(connection_.get()), POLLIN, 0};
  if (to_write) wait.events = static_cast<short>(wait.events | POLLOUT);
  while (true) {
    int patience_ms = -1;
    if (deadline != absl::InfiniteFuture()) {
      const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
      if (left_ms < 0) {
        broken_ = true;  // Its answer may come yet.
        return Late();
      }
      patience_ms = static_cast<int>(std::min<int64_t>(left_ms + 1, 60'000));
    }
    const int ready = poll(&wait, 1, patience_ms);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Lost();
  }
}

absl::Status PgConnection::Connect(absl::Time deadline) {
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return NotConnected();
    // While it connects, the socket is waited on for one or the other.
    pollfd wait = {PQsocket(connection_.get()), POLLIN, 0};
    if (state == PGRES_POLLING_WRITING) wait.events = POLLOUT;
    const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left_ms <= 0) {
      broken_ = true;
      return Late();
    }
    if (poll(&wait, 1, static_cast<int>(left_ms)) < 0 && errno != EINTR) return Lost();
    if (wait.revents != 0) state = PQconnectPoll(connection_.get());
  }
  PQsetnonblocking(connection_.get(), 1);
  return absl::OkStatus();
}

// What libpq says names hosts; of that only what the operator can mend.
absl::Status PgConnection::NotConnected() {
  broken_ = true;
  const std::string said = PQerrorMessage(connection_.get());
  const auto says = [&said](const char* word) { return said.find(word) != std::string::npos; };
  if (says("certificate") || says("SSL")) {
    return Unavailable(
        "no encrypted connection to the record's database: check sslmode, sslrootcert and the"
        " certificate of the host");
  }
  if (says("password") || says("authentication")) {
    return Unavailable("the record's database does not accept the user or its password");
  }
  if (says("pg_hba.conf")) {
    return Unavailable("the record's database does not let this user in from here");
  }
  return Unavailable("the record's database cannot be reached");
}

absl::Status PgConnection::SetUp(absl::Time deadline) {
  ASSIGN_OR_RETURN(const std::string read_only, RunSimple(kSetUp, deadline));
  if (read_only != "off") {
    broken_ = true;
    return Unavailable("no host of the record's database accepts writes");
  }
  return PQenterPipelineMode(connection_.get()) == 1 ? absl::OkStatus() : Lost();
}

absl::Status PgConnection::Flush(absl::Time deadline) {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) return absl::OkStatus();
    if (left < 0) return Lost();
    RETURN_IF_ERROR(Await(/*to_write=*/true, deadline));
    // The server may wait for us to read before it reads on.
    if (PQconsumeInput(connection_.get()) == 0) return Lost();
  }
}

absl::StatusOr<PgConnection::Result> PgConnection::Next(absl::Time deadline) {
  while (PQisBusy(connection_.get()) == 1) {
    RETURN_IF_ERROR(Await(/*to_write=*/false, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return Lost();
  }
  return Result(PQgetResult(connection_.get()), &PQclear);
}

absl::Status PgConnection::Send(const PgCall& call) {
  const auto found = prepared_.find(call.sql);
  std::string name;
  if (found != prepared_.end()) {
    name = found->second;
  } else {
    name = absl::StrCat("s", ++names_);
    std::vector<Oid> types;
    for (const PgParams::Value& value : call.params.values_) types.push_back(value.type);
    if (PQsendPrepare(connection_.get(), name.c_str(), call.sql, static_cast<int>(types.size()),
                      types.data()) == 0) {
      return Lost();
    }
    preparing_.push_back(call.sql);
    prepared_[call.sql] = name;
  }
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const PgParams::Value& value : call.params.values_) {
    values.push_back(value.bytes ? value.bytes->data() : nullptr);
    lengths.push_back(value.bytes ? static_cast<int>(value.bytes->size()) : 0);
    formats.push_back(1);
  }
  const int sent =
      PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                          values.data(), lengths.data(), formats.data(), /*resultFormat=*/1);
  return sent == 1 ? absl::OkStatus() : Lost();
}

absl::StatusOr<std::vector<PgResult>> PgConnection::RunAll(std::span<const PgCall> calls,
                                                           absl::Time deadline) {
  if (broken_) return Lost();
  warned_ = false;
  refused_.reset();
  preparing_.clear();
  std::vector<bool> prepares;
  for (const PgCall& call : calls) {
    const size_t before = preparing_.size();
    RETURN_IF_ERROR(Send(call));
    prepares.push_back(preparing_.size() > before);
  }
  if (PQpipelineSync(connection_.get()) == 0) return Lost();
  RETURN_IF_ERROR(Flush(deadline));

  std::vector<PgResult> results;
  absl::Status error;
  size_t prepared = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    for (const bool is_prepare : {true, false}) {
      if (is_prepare && !prepares[i]) continue;
      ASSIGN_OR_RETURN(Result result, Next(deadline));
      if (result == nullptr) return Lost();
      const ExecStatusType kind = PQresultStatus(result.get());
      const bool ok = kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK;
      if (kind == PGRES_FATAL_ERROR && error.ok()) {
        error = ErrorOf(result.get());
        // libpq's own errors, of a lost connection, have no state.
        if (PQresultErrorField(result.get(), PG_DIAG_SQLSTATE) != nullptr) refused_ = i;
      }
      if (is_prepare) {
        if (!ok) prepared_.erase(preparing_[prepared]);
        ++prepared;
      } else if (ok) {
        results.emplace_back(result.release());
      }
      if (broken_) return error;
      ASSIGN_OR_RETURN(Result end, Next(deadline));
      if (end != nullptr) return Lost();
    }
  }
  ASSIGN_OR_RETURN(const Result sync, Next(deadline));
  if (sync == nullptr || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) return Lost();
  RETURN_IF_ERROR(error);
  return results;
}

absl::StatusOr<PgResult> PgConnection::Run(const char* sql, const PgParams& params,
                                           absl::Time deadline) {
  const PgCall call{sql, params};
  ASSIGN_OR_RETURN(std::vector<PgResult> results, RunAll(std::span(&call, 1), deadline));
  return std::move(results.front());
}

absl::StatusOr<std::string> PgConnection::RunSimple(const char* sql, absl::Time deadline) {
  if (broken_ || PQsendQuery(connection_.get(), sql) == 0) return Lost();
  RETURN_IF_ERROR(Flush(deadline));
  std::string last;
  absl::Status error;
  while (true) {
    ASSIGN_OR_RETURN(const Result result, Next(deadline));
    if (result == nullptr) break;
    const ExecStatusType kind = PQresultStatus(result.get());
    if (kind == PGRES_FATAL_ERROR && error.ok()) error = ErrorOf(result.get());
    if (kind == PGRES_TUPLES_OK && PQntuples(result.get()) > 0) {
      last = PQgetvalue(result.get(), PQntuples(result.get()) - 1, 0);
    }
    if (broken_) break;
  }
  RETURN_IF_ERROR(error);
  return last;
}

absl::Status PgConnection::RunScript(const char* sql, absl::Time deadline) {
  if (broken_ || PQexitPipelineMode(connection_.get()) == 0) return Lost();
  const absl::Status ran = RunSimple(sql, deadline).status();
  if (!broken_ && PQenterPipelineMode(connection_.get()) == 0) return Lost();
  return ran;
}

absl::Status PgConnection::Lost() {
  broken_ = true;
  return Unavailable("the connection to the record's database is lost");
}

absl::Status PgConnection::ErrorOf(const pg_result* result) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const absl::string_view sqlstate = field == nullptr ? "" : field;
  const std::map<std::string, std::string> metadata = {{"sqlstate", std::string(sqlstate)}};
  switch (CauseOf(sqlstate)) {
    case Cause::kGone:
      broken_ = true;
      return Unavailable("the record's database is going away, or accepts no writes", sqlstate);
    case Cause::kConflict:
      return status::Error(absl::StatusCode::kAborted, "STORE_CONFLICT",
                           "the record is busy with another write: try again", metadata);
    case Cause::kResources:
      return Unavailable("the record's database lacks space, memory or time", sqlstate);
    case Cause::kContradiction:
      return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                           "the record contradicts itself", metadata);
    case Cause::kStatement:
      break;
  }
  return status::Error(absl::StatusCode::kInternal, "STORE_REFUSED",
                       "the database refuses what it was given", metadata);
}

}  // namespace starratings::store
