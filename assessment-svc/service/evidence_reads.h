// What reading evidence comes to. Each fills `response` or returns why not.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "common/status/field_errors.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// The most organisations or codes that a filter may name.
inline constexpr int kFilterMost = 1'000;

absl::Status GetEvidence(const store::EvidenceStore& store,
                         const assessment::v1::GetEvidenceRequest& request, absl::Time deadline,
                         assessment::v1::GetEvidenceResponse& response);
absl::Status ListEvidence(const store::EvidenceStore& store,
                          const assessment::v1::ListEvidenceRequest& request, absl::Time deadline,
                          assessment::v1::ListEvidenceResponse& response);
absl::Status ListEvidenceRevisions(const store::EvidenceStore& store,
                                   const assessment::v1::ListEvidenceRevisionsRequest& request,
                                   absl::Time deadline,
                                   assessment::v1::ListEvidenceRevisionsResponse& response);
absl::Status ResolveRevision(const store::EvidenceStore& store,
                             const assessment::v1::ResolveRevisionRequest& request,
                             absl::Time deadline,
                             assessment::v1::ResolveRevisionResponse& response);

// Notes codes that are not well-formed, or are too many.
void CheckCodes(const google::protobuf::RepeatedPtrField<std::string>& codes,
                status::FieldErrors& errors);

// NOT_FOUND, reason PERIOD_UNKNOWN, unless `period` is registered at `revision`
// or `standing`.
absl::Status CheckPeriodRegistered(const store::EvidenceStore& store, const std::string& period,
                                   int64_t revision, absl::Time deadline);

}  // namespace starratings::service
