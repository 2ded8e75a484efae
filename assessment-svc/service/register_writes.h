// What writing to the register comes to.
#pragma once

#include "absl/status/statusor.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/register_service.pb.h"

namespace starratings::service {

inline constexpr size_t kSchemeBytesMost = 1 << 20;

absl::StatusOr<Plan> PlanRegister(const store::EvidenceStore& store,
                                  const assessment::v1::RegisterRequest& request, const Call& call);

// Sets the response's digest; all of it, if the scheme is there already.
absl::StatusOr<Plan> PlanRegisterScheme(const store::EvidenceStore& store,
                                        const assessment::v1::RegisterSchemeRequest& request,
                                        const Call& call,
                                        assessment::v1::RegisterSchemeResponse& response);

// The plan is refused to whoever registered the scheme (FOUR_EYES).
absl::StatusOr<Plan> PlanApproveScheme(const store::EvidenceStore& store,
                                       const assessment::v1::ApproveSchemeRequest& request,
                                       const Call& call);

}  // namespace starratings::service
