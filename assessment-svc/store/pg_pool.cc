#include "assessment-svc/store/pg_pool.h"

#include "assessment-svc/store/checks.h"
#include "common/status/status_macros.h"

namespace starratings::store {

absl::StatusOr<PgPool::Lease> PgPool::Acquire(absl::Time deadline) {
  RETURN_IF_ERROR(CheckDeadline(deadline));
  std::unique_ptr<PgConnection> connection;
  int64_t generation = 0;
  bool is_anew = false;
  {
    std::unique_lock lock(mutex_);
    const auto is_free = [this] { return free_ > 0; };
    if (deadline == absl::InfiniteFuture()) {
      released_.wait(lock, is_free);
    } else if (!released_.wait_until(lock, absl::ToChronoTime(deadline), is_free)) {
      return CheckDeadline(absl::InfinitePast());
    }
    --free_;
    generation = generation_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    } else {
      is_anew = std::exchange(has_lost_, false);
    }
  }
  if (connection == nullptr) {
    auto opened = PgConnection::Open(target_, deadline);
    if (!opened.ok()) {
      Release(nullptr, generation);
      return opened.status();
    }
    connection = *std::move(opened);
    if (is_anew && observer_ != nullptr) observer_->OnReconnect();
  }
  return Lease(this, std::move(connection), generation);
}

void PgPool::DropAll() {
  std::vector<std::unique_ptr<PgConnection>> closing;
  const std::lock_guard lock(mutex_);
  ++generation_;
  closing.swap(idle_);
}

void PgPool::Release(std::unique_ptr<PgConnection> connection, int64_t generation) {
  const bool is_broken = connection != nullptr && connection->broken();
  if (is_broken) connection.reset();
  {
    const std::lock_guard lock(mutex_);
    ++free_;
    has_lost_ = has_lost_ || is_broken;
    if (connection != nullptr && generation == generation_) {
      idle_.push_back(std::move(connection));
    }
  }
  released_.notify_one();
}

}  // namespace starratings::store
