// Which attempts to record ratings are under way. Two streams of one attempt
// would replace each other's chunks, also after the other's commit; so there
// is one at a time.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace starratings::service {

class Attempts {
 public:
  // Held while an attempt is under way. The Attempts must outlive it.
  using Claim = std::shared_ptr<void>;

  // Null if the attempt is under way already.
  Claim Take(const std::string& round, const std::string& attempt) {
    const std::pair<std::string, std::string> key(round, attempt);
    absl::MutexLock lock(&mutex_);
    if (!taken_.insert(key).second) return nullptr;
    return Claim(static_cast<void*>(this), [this, key](void*) {
      absl::MutexLock release(&mutex_);
      taken_.erase(key);
    });
  }

 private:
  absl::Mutex mutex_;
  std::set<std::pair<std::string, std::string>> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace starratings::service
