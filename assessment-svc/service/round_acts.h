// What creating, freezing and withdrawing a round come to; and the answer that
// all acts share.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/snapshots.h"
#include "assessment-svc/store/store.h"
#include "common/status/field_errors.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::service {

absl::StatusOr<Plan> PlanCreate(const store::EvidenceStore& store,
                                const assessment::v1::CreateRoundRequest& request,
                                const Call& call);
absl::StatusOr<Plan> PlanFreeze(const store::EvidenceStore& store,
                                const assessment::v1::FreezeRoundRequest& request,
                                const Call& call);
absl::StatusOr<Plan> PlanWithdrawal(const store::EvidenceStore& store,
                                    const assessment::v1::WithdrawRoundRequest& request,
                                    const Call& call);

// Notes what is not well-formed in the fields that all acts have.
void CheckActFields(const std::string& round, const std::string& etag, status::FieldErrors& errors);

// The next version of a round, as an act.
store::RoundAct ActOn(const rounds::History& history, const rounds::Round& next);

// The answer to an act: the round as it was at the revision it became.
template <typename Response>
absl::Status AnswerAct(const store::EvidenceStore& store, const std::string& round,
                       int64_t revision, absl::Time deadline, Response& response) {
  const absl::StatusOr<RoundRecord> record = ReadRound(store, round, revision, deadline);
  if (!record.ok()) return record.status();
  *response.mutable_round() = ToProto(store, *record);
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  return absl::OkStatus();
}

}  // namespace starratings::service
