// What writing evidence comes to: a request becomes a write, or all its faults.
#pragma once

#include "absl/status/statusor.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/store/store.h"
#include "common/evidence/evidence.h"
#include "common/status/field_errors.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

absl::StatusOr<Plan> PlanSubmit(const Parts& parts,
                                const assessment::v1::SubmitEvidenceRequest& request,
                                const Call& call);

// Fills the answer to a batch from what it has become.
void AnswerSubmit(const store::EvidenceStore& store, const store::Written& written,
                  assessment::v1::SubmitEvidenceResponse& response);

absl::StatusOr<Plan> PlanWithdraw(const Parts& parts,
                                  const assessment::v1::WithdrawEvidenceRequest& request,
                                  const Call& call);

// Reads a key, noting what is not well-formed in it.
evidence::ItemKey KeyFromProto(const assessment::v1::EvidenceKey& key, status::FieldErrors& errors);

// NOT_FOUND, reason EVIDENCE_NOT_FOUND.
absl::Status EvidenceNotFound(const evidence::ItemKey& key);

}  // namespace starratings::service
