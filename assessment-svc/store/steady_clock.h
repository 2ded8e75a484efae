// Time that only goes on, also while the machine sleeps: for ages, and for what
// vouches for a while. The clock on the wall is set now and then.
#pragma once

#include <ctime>

#include "absl/time/time.h"

namespace starratings::store {

// Since the machine was started.
inline absl::Duration SteadyNow() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

}  // namespace starratings::store
