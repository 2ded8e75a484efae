#include <algorithm>

#include "absl/time/clock.h"
#include "assessment-svc/store/steady_clock.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {
namespace {

void Raise(std::atomic<int64_t>& most, int64_t value) {
  int64_t seen = most.load(std::memory_order_relaxed);
  while (seen < value && !most.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

KnownHead EvidenceStore::GetKnownHead() const {
  // In this order: the revision may be newer than the time, not older.
  const int64_t as_of_us = known_as_of_us_.load();
  KnownHead known;
  known.revision = known_revision_.load();
  if (as_of_us != std::numeric_limits<int64_t>::min()) {
    // Its age is what counts: told by the clock of now, whatever it was set to.
    known.as_of = absl::Now() - (SteadyNow() - absl::Microseconds(as_of_us));
  }
  return known;
}

void EvidenceStore::Saw(int64_t revision, absl::Time as_of) const {
  Saw(revision, SteadyNow() - std::max(absl::ZeroDuration(), absl::Now() - as_of));
}

void EvidenceStore::Saw(int64_t revision, absl::Duration as_of) const {
  Raise(known_revision_, revision);
  Raise(known_as_of_us_, absl::ToInt64Microseconds(as_of));
}

}  // namespace starratings::store
