// ExportDossiers on the wire.
#pragma once

#include "assessment-svc/service/parts.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// Streams block by block; the next is read only after the last was taken, so
// that a slow caller costs one block of memory and no thread. `parts` must
// outlive the stream, which owns itself.
grpc::ServerWriteReactor<assessment::v1::ExportDossiersResponse>* NewDossierStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    const assessment::v1::ExportDossiersRequest& request);

}  // namespace starratings::service
