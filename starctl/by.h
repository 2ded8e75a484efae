// Rating one organisation, by a round or by a scheme.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "starctl/options.h"
#include "starctl/session.h"
#include "starratings/rating/v1/rating.pb.h"

namespace starratings::starctl {

// BAD_USAGE unless a round is given, or scheme, period and date.
absl::Status CheckBy(const BySchemeOptions& options);

// Puts round or scheme of options that CheckBy() took into any request that has
// both.
template <typename Request>
void FillBy(const BySchemeOptions& options, Request& request) {
  if (!options.round.empty()) {
    request.set_round(options.round);
    return;
  }
  auto& by = *request.mutable_scheme();
  by.set_scheme(options.scheme);
  by.set_period(options.period);
  by.set_date(options.date);
  if (!options.token.empty()) by.mutable_freshness()->set_exactly(options.token);
}

// Errors as CheckBy().
absl::StatusOr<rating::v1::RateOrganisationResponse> RateOrganisation(
    Session& session, const BySchemeOptions& options, rating::v1::TraceDetail trace);

// A row for each rating: who, each result with its basis, each move.
std::string RatingsTable(const std::vector<rating::v1::Rating>& ratings);

}  // namespace starratings::starctl
