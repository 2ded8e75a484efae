// What the three services share: the record, the one writer, the threads that
// read, and the counters.
#pragma once

#include "assessment-svc/service/attempts.h"
#include "assessment-svc/service/metrics.h"
#include "assessment-svc/service/register_cache.h"
#include "assessment-svc/service/stream_slots.h"
#include "assessment-svc/store/committer.h"
#include "assessment-svc/store/store.h"
#include "common/serving/gate.h"
#include "common/serving/pool.h"

namespace starratings::service {

// Waiting for a thread: of each stream at most one step, and one page that is
// read ahead and can do without.
inline constexpr int kStreamStepsMost = 2 * kStreamsMost;

// Batches of one import that may be unacknowledged.
inline constexpr int kIngestWindow = 8;

// All of it must outlive the services.
struct Parts {
  store::EvidenceStore& store;
  store::Committer& committer;
  RegisterCache& registers;
  serving::Pool& calls;    // Unary calls.
  serving::Pool& streams;  // Steps of streams; queue of kStreamStepsMost.
  serving::Pool& notes;    // Of imports under way; one thread, the same queue.
  StreamSlots& slots;
  Attempts& attempts;
  Metrics& metrics;
  const serving::Gate* gate = nullptr;  // Null on plaintext: everybody may do everything.
};

}  // namespace starratings::service
