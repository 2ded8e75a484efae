#include "common/serving/deadline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/clock.h"

namespace starratings::serving {
namespace {

std::atomic<int64_t> most_ms = 3'600'000;

}  // namespace

void SetDeadlineMost(absl::Duration most) { most_ms = absl::ToInt64Milliseconds(most); }

absl::Time DeadlineOf(const grpc::ServerContextBase& context, absl::Duration unnamed) {
  const absl::Time now = absl::Now();
  const std::chrono::system_clock::time_point named = context.deadline();
  const bool names_none = named == std::chrono::system_clock::time_point::max();
  return std::min(names_none ? now + unnamed : absl::FromChrono(named),
                  now + absl::Milliseconds(most_ms.load(std::memory_order_relaxed)));
}

}  // namespace starratings::serving
