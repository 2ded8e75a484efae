// WatchEvidence and WatchRounds on the wire.
#pragma once

#include "assessment-svc/store/store.h"
#include "assessment-svc/watch/tail.h"
#include "common/serving/pool.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.pb.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::service {

// What watching takes. All of it must outlive the streams.
struct WatchParts {
  const store::EvidenceStore& store;
  watch::Tail& tail;
  // Steps of watchers. Each has at most one waiting for a thread: a queue of as
  // many as the tail lets in is never full.
  serving::Pool& steps;
};

// Streams what is recorded; holds no thread while nothing is, and one message
// at most. The stream owns itself.
grpc::ServerWriteReactor<assessment::v1::WatchEvidenceResponse>* NewWatchStream(
    const WatchParts& parts, grpc::CallbackServerContext& context,
    const assessment::v1::WatchEvidenceRequest& request);

// The same of acts on rounds.
grpc::ServerWriteReactor<assessment::v1::WatchRoundsResponse>* NewRoundsWatchStream(
    const WatchParts& parts, grpc::CallbackServerContext& context,
    const assessment::v1::WatchRoundsRequest& request);

}  // namespace starratings::service
