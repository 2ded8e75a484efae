// IngestEvidence on the wire.
#pragma once

#include "assessment-svc/service/parts.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// Records batch after batch; holds no thread while it waits, and at most a
// window of batches. The stream owns itself; `parts` must outlive it.
grpc::ServerBidiReactor<assessment::v1::IngestEvidenceRequest,
                        assessment::v1::IngestEvidenceResponse>*
NewIngestStream(const Parts& parts, grpc::CallbackServerContext& context);

}  // namespace starratings::service
