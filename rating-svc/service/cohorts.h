// Schemes whose cuts depend on everybody, bound to the organisations of a round.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/round_rater.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// Returns FAILED_PRECONDITION (COHORT_REQUIRED) if the scheme can rate organisations
// of a round only.
absl::Status CheckNeedsNoCohort(const scheme::Scheme& scheme);

// Derives the cuts that the plan's scheme needs from all organisations that `cohort`
// exports, and binds the scheme to them. Does nothing where it needs none.
absl::Status BindTo(const EvidenceClient& client,
                    const assessment::v1::ExportDossiersRequest& cohort, absl::Time deadline,
                    RoundPlan& plan);

// The same with the organisations of its round. What a frozen round gave is kept in
// `schemes`; of an open one the plan is pinned to the revision that was read.
absl::Status BindToRound(const EvidenceClient& client, SchemeLibrary& schemes, absl::Time deadline,
                         RoundPlan& plan);

}  // namespace starratings::service
