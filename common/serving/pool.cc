#include "common/serving/pool.h"

#include <utility>

namespace starratings::serving {

Pool::Pool(int threads, size_t queue_most) : queue_most_(queue_most) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Pool::~Pool() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool Pool::Run(std::function<void()> work) {
  const absl::MutexLock lock(&mutex_);
  if (stopping_ || queue_.size() >= queue_most_) return false;
  queue_.push_back(std::move(work));
  return true;
}

void Pool::Work() {
  while (true) {
    std::function<void()> work;
    {
      const absl::MutexLock lock(&mutex_);
      const auto something_to_do = [this] {
        mutex_.AssertHeld();
        return stopping_ || !queue_.empty();
      };
      mutex_.Await(absl::Condition(&something_to_do));
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace starratings::serving
