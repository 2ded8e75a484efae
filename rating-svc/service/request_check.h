// Requests as values. Each function returns INVALID_ARGUMENT (INVALID_FIELDS)
// listing every field at fault.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/evidence/date.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

absl::Status Check(const rating::v1::RateOrganisationRequest& request);
absl::Status Check(const rating::v1::RateRoundRequest& request);
absl::Status Check(const rating::v1::RecordRoundRequest& request);

// An error of GetDossier, with its fields named as they are in `scheme` of
// RateOrganisationRequest.
absl::Status RenameFields(const absl::Status& error);

}  // namespace starratings::service
