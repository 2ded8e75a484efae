// COPY, outside pipeline mode, which does not have it.
#include <libpq-fe.h>

#include "assessment-svc/store/pg_connection.h"
#include "common/status/status_macros.h"

namespace starratings::store {

absl::Status PgConnection::BeginCopy(const std::string& sql, int state, absl::Time deadline) {
  if (broken_ || PQexitPipelineMode(connection_.get()) == 0) return Lost();
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return Lost();
  RETURN_IF_ERROR(Flush(deadline));
  ASSIGN_OR_RETURN(const Result result, Next(deadline));
  if (result == nullptr) return Lost();
  if (static_cast<int>(PQresultStatus(result.get())) == state) return absl::OkStatus();
  const absl::Status error = ErrorOf(result.get());
  RETURN_IF_ERROR(EndCopy(deadline));
  return error;
}

absl::Status PgConnection::EndCopy(absl::Time deadline) {
  absl::Status error;
  while (!broken_) {
    ASSIGN_OR_RETURN(const Result result, Next(deadline));
    if (result == nullptr) break;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && error.ok()) {
      error = ErrorOf(result.get());
    }
  }
  if (!broken_ && PQenterPipelineMode(connection_.get()) == 0) return Lost();
  return error;
}

absl::Status PgConnection::CopyOut(const std::string& sql,
                                   const std::function<absl::Status(absl::string_view)>& sink,
                                   absl::Time deadline) {
  RETURN_IF_ERROR(BeginCopy(sql, PGRES_COPY_OUT, deadline));
  while (true) {
    char* bytes = nullptr;
    const int size = PQgetCopyData(connection_.get(), &bytes, /*async=*/1);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(bytes, &PQfreemem);
    if (size == -1) return EndCopy(deadline);
    if (size < 0) return Lost();
    if (size > 0) {
      absl::Status taken = sink(absl::string_view(bytes, static_cast<size_t>(size)));
      if (taken.ok()) continue;
      broken_ = true;  // The rest is still to come.
      return taken;
    }
    RETURN_IF_ERROR(Await(/*to_write=*/false, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return Lost();
  }
}

absl::Status PgConnection::CopyIn(
    const std::string& sql,
    const std::function<absl::StatusOr<std::optional<std::string>>()>& source,
    absl::Time deadline) {
  RETURN_IF_ERROR(BeginCopy(sql, PGRES_COPY_IN, deadline));
  while (true) {
    absl::StatusOr<std::optional<std::string>> bytes = source();
    if (!bytes.ok()) {
      broken_ = true;  // The server must not take half of it for all.
      return bytes.status();
    }
    if (!*bytes) break;
    while (true) {
      const int put =
          PQputCopyData(connection_.get(), (*bytes)->data(), static_cast<int>((*bytes)->size()));
      if (put == 1) break;
      if (put < 0) return Lost();
      RETURN_IF_ERROR(Flush(deadline));
    }
    RETURN_IF_ERROR(Flush(deadline));
  }
  if (PQputCopyEnd(connection_.get(), nullptr) < 0) return Lost();
  RETURN_IF_ERROR(Flush(deadline));
  return EndCopy(deadline);
}

}  // namespace starratings::store
