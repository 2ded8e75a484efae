// What reading the register comes to. Each fills `response` or returns why not.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/register_service.pb.h"

namespace starratings::service {

absl::Status ListOrganisations(const store::EvidenceStore& store,
                               const assessment::v1::ListOrganisationsRequest& request,
                               absl::Time deadline,
                               assessment::v1::ListOrganisationsResponse& response);
absl::Status ListPeriods(const store::EvidenceStore& store,
                         const assessment::v1::ListPeriodsRequest& request, absl::Time deadline,
                         assessment::v1::ListPeriodsResponse& response);
absl::Status ListCodes(const store::EvidenceStore& store,
                       const assessment::v1::ListCodesRequest& request, absl::Time deadline,
                       assessment::v1::ListCodesResponse& response);
absl::Status GetSchemeText(const store::EvidenceStore& store,
                           const assessment::v1::GetSchemeTextRequest& request, absl::Time deadline,
                           assessment::v1::GetSchemeTextResponse& response);

// The scheme with this digest or `id@version`, if it was registered up to
// `revision`. Returns NOT_FOUND, reason SCHEME_UNKNOWN.
absl::StatusOr<store::SchemeRow> FindScheme(const store::EvidenceStore& store,
                                            const std::string& name, int64_t revision,
                                            absl::Time deadline);

}  // namespace starratings::service
