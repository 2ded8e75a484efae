// A bounded set of connections to one database, lent to one thread at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// Thread-safe. Opens connections as they are needed; must outlive its leases.
class PgPool {
 public:
  class Lease {
   public:
    Lease(PgPool* pool, std::unique_ptr<PgConnection> connection, int64_t generation)
        : pool_(pool), connection_(std::move(connection)), generation_(generation) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_ != nullptr) pool_->Release(std::move(connection_), generation_);
    }

    PgConnection& operator*() const { return *connection_; }
    PgConnection* operator->() const { return connection_.get(); }

   private:
    PgPool* pool_;
    std::unique_ptr<PgConnection> connection_;
    int64_t generation_;
  };

  // `observer` may be null.
  PgPool(PgTarget target, int most, StoreObserver* observer)
      : target_(std::move(target)), observer_(observer), free_(most) {}

  // Waits for a connection, and makes it if need be. Returns DEADLINE_EXCEEDED
  // if there is none by `deadline`.
  absl::StatusOr<Lease> Acquire(absl::Time deadline);

  // Lends no connection any more that was made before: its host may not be the
  // primary.
  void DropAll();

 private:
  void Release(std::unique_ptr<PgConnection> connection, int64_t generation);

  const PgTarget target_;
  StoreObserver* const observer_;

  // Not absl's: ThreadSanitizer cannot see into Debian's build of it.
  std::mutex mutex_;
  std::condition_variable released_;
  int free_;                // That may be lent; guarded by mutex_, as all below.
  int64_t generation_ = 0;  // How often all were dropped.
  bool has_lost_ = false;   // One was found broken: the next is made anew.
  std::vector<std::unique_ptr<PgConnection>> idle_;
};

}  // namespace starratings::store
