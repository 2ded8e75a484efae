#include "starctl/retries.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "starctl/session.h"

namespace starratings::starctl {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(2);

}  // namespace

Retries::Retries(absl::Duration most) : most_(most) { GotOn(); }

void Retries::GotOn() {
  end_ = absl::Now() + most_;
  wait_ = kFirstWait;
}

bool Retries::Outlasts(const absl::Status& error) {
  if (!IsWorthRepeating(error)) return false;
  const absl::Duration asked = status::DetailOf(error).retry_after.value_or(wait_);
  wait_ = std::min(std::max(wait_, asked), kLongestWait);
  if (absl::Now() + wait_ > end_) return false;
  absl::SleepFor(wait_);
  wait_ *= 2;
  return true;
}

}  // namespace starratings::starctl
