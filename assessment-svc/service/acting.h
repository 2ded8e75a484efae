// For whom a caller acts. Which rpcs a role may call is settled at the gate; here,
// what depends on the organisation, before anything is looked up: who may not ask
// learns nothing.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "assessment-svc/service/parts.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// OK if `actor` may say something about `organisation`: as an inspector, or as its
// supplier. Otherwise PERMISSION_DENIED (ORGANISATION_NOT_YOURS).
absl::Status CheckMaySay(const Parts& parts, const std::string& actor,
                         const std::string& organisation);

// The same of a whole request. rating-svc may only ask whether it would be taken.
absl::Status CheckMaySay(const Parts& parts, const std::string& actor,
                         const assessment::v1::SubmitEvidenceRequest& request);

// OK if the caller may see the evidence of `organisation`: a supplier only its own.
absl::Status CheckMaySee(const Parts& parts, const grpc::ServerContextBase& context,
                         const std::string& organisation);

}  // namespace starratings::service
