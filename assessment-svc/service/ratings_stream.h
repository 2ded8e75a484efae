// RecordRatings on the wire.
#pragma once

#include "assessment-svc/service/parts.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::service {

// Reads part by part; the next is read only after the last is durable. `parts`
// must outlive the stream, which owns itself.
grpc::ServerReadReactor<assessment::v1::RecordRatingsRequest>* NewRatingsStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    assessment::v1::RecordRatingsResponse& response);

}  // namespace starratings::service
