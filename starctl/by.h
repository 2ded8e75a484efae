// Rating one organisation, by a round or by a scheme.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "starctl/options.h"
#include "starctl/session.h"
#include "starratings/rating/v1/rating.pb.h"

namespace starratings::starctl {

// Returns BAD_USAGE unless a round is given, or scheme, period and date.
absl::StatusOr<rating::v1::RateOrganisationResponse> RateOrganisation(
    Session& session, const BySchemeOptions& options, rating::v1::TraceDetail trace);

// A row for each rating: who, each result with its basis, each move.
std::string RatingsTable(const std::vector<rating::v1::Rating>& ratings);

}  // namespace starratings::starctl
