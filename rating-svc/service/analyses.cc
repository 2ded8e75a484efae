#include "rating-svc/service/analyses.h"

#include "common/status/status_macros.h"
#include "rating-svc/analysis/improvements.h"
#include "rating-svc/service/results.h"
#include "rating-svc/service/subject.h"
#include "rating-svc/wire/analysis_wire.h"

namespace starratings::service {

absl::Status Analyses::FindImprovements(const rating::v1::FindImprovementsRequest& request,
                                        absl::Time deadline,
                                        rating::v1::FindImprovementsResponse& response) const {
  ASSIGN_OR_RETURN(const Subject subject,
                   FindSubjectOf(client_, dossiers_, schemes_, request, deadline));
  const scheme::Scheme& scheme = *subject.method.scheme;
  ASSIGN_OR_RETURN(const std::vector<size_t> results, ResultsNamed(scheme, request.result()));
  RateDossier(subject.method, subject.dossier, subject.snapshot, Form{},
              *response.mutable_rating());
  const rating::Readings readings = rating::Read(scheme, subject.dossier, subject.method.date);
  for (const size_t result : results) {
    wire::Write(analysis::FindImprovements(scheme, readings.values, result), scheme, result,
                readings, *response.add_results());
  }
  return absl::OkStatus();
}

}  // namespace starratings::service
