#include "assessment-svc/store/sqlite_pool.h"

#include "assessment-svc/store/checks.h"

namespace starratings::store {

absl::StatusOr<SqlitePool::Lease> SqlitePool::Acquire(absl::Time deadline) {
  RETURN_IF_ERROR(CheckDeadline(deadline));
  std::unique_ptr<SqliteConnection> connection;
  {
    std::unique_lock lock(mutex_);
    const auto is_free = [this] { return free_ > 0; };
    if (deadline == absl::InfiniteFuture()) {
      released_.wait(lock, is_free);
    } else if (!released_.wait_until(lock, absl::ToChronoTime(deadline), is_free)) {
      return CheckDeadline(absl::InfinitePast());
    }
    --free_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (connection == nullptr) {
    auto opened = SqliteConnection::Open(path_, use_);
    if (!opened.ok()) {
      Release(nullptr);
      return opened.status();
    }
    connection = *std::move(opened);
  }
  connection->SetDeadline(deadline);
  return Lease(this, std::move(connection));
}

void SqlitePool::CloseIdle() {
  std::vector<std::unique_ptr<SqliteConnection>> closing;
  const std::lock_guard lock(mutex_);
  closing.swap(idle_);
}

void SqlitePool::Release(std::unique_ptr<SqliteConnection> connection) {
  if (connection != nullptr) {
    connection->SetDeadline(absl::InfiniteFuture());
    if (connection->broken()) connection.reset();
  }
  {
    const std::lock_guard lock(mutex_);
    ++free_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  released_.notify_one();
}

}  // namespace starratings::store
