// A bounded pool: a fixed number of threads and a bounded queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace starratings::serving {

class Pool {
 public:
  Pool(int threads, size_t queue_most);
  // Finishes what is queued.
  ~Pool();

  // Runs `work` on a thread of the pool; false, without running it, if the
  // queue is full.
  [[nodiscard]] bool Run(std::function<void()> work);

 private:
  void Work();

  const size_t queue_most_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace starratings::serving
