// The newest part of the log, in memory, bounded in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "assessment-svc/watch/part.h"

namespace starratings::watch {

// OK if `part` begins at `expected`; otherwise DATA_LOSS (STORE_CORRUPT): the
// log lacks something, or says it twice.
absl::Status CheckFollows(const Place& expected, const Part& part);

class Ring {
 public:
  // Begins after the whole of revision `after`.
  Ring(int64_t after, size_t bytes_most) : end_(PlaceAfter(after)), bytes_most_(bytes_most) {}

  // Before the oldest part that is kept; end() if there is none.
  Place begin() const { return parts_.empty() ? end_ : parts_.front()->begin(); }
  Place end() const { return end_; }

  // Adds a part, and lets the oldest go while there is more than `bytes_most`;
  // the newest always stays. Returns DATA_LOSS if it does not begin at end().
  absl::Status Append(SharedPart part);

  // Forgets what it keeps, and goes on after the whole of revision `after`.
  void SkipTo(int64_t after);

  // Up to `most` parts, from the one that `place` lies in; `place` must lie
  // between begin() and end().
  std::vector<SharedPart> From(const Place& place, size_t most) const;

 private:
  std::deque<SharedPart> parts_;
  Place end_;
  size_t bytes_ = 0;
  const size_t bytes_most_;
};

}  // namespace starratings::watch
