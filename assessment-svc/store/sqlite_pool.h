// A bounded set of connections, lent to one thread at a time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/sqlite_connection.h"

namespace starratings::store {

// Thread-safe. Opens connections as they are needed; must outlive its leases.
class SqlitePool {
 public:
  // A connection on loan. Its deadline is that of Acquire().
  class Lease {
   public:
    Lease(SqlitePool* pool, std::unique_ptr<SqliteConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_ != nullptr) pool_->Release(std::move(connection_));
    }

    SqliteConnection& operator*() const { return *connection_; }
    SqliteConnection* operator->() const { return connection_.get(); }

   private:
    SqlitePool* pool_;
    std::unique_ptr<SqliteConnection> connection_;
  };

  SqlitePool(std::string path, SqliteConnection::Use use, int most)
      : path_(std::move(path)), use_(use), free_(most) {}

  // Waits for a connection. Returns DEADLINE_EXCEEDED if there is none by
  // `deadline`.
  absl::StatusOr<Lease> Acquire(absl::Time deadline);

  // Closes all connections that are not lent: those of a process share what the
  // first of them has found, a read-only disk for example.
  void CloseIdle();

 private:
  void Release(std::unique_ptr<SqliteConnection> connection);

  const std::string path_;
  const SqliteConnection::Use use_;

  // Not absl's: ThreadSanitizer cannot see into Debian's build of it.
  std::mutex mutex_;
  std::condition_variable released_;
  int free_;                                             // That may be lent; guarded by mutex_.
  std::vector<std::unique_ptr<SqliteConnection>> idle_;  // Guarded by mutex_.
};

}  // namespace starratings::store
