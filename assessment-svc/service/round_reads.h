// What reading rounds comes to. Each fills `response` or returns why not.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::service {

absl::Status GetRound(const store::EvidenceStore& store,
                      const assessment::v1::GetRoundRequest& request, absl::Time deadline,
                      assessment::v1::GetRoundResponse& response);
absl::Status ListRounds(const store::EvidenceStore& store,
                        const assessment::v1::ListRoundsRequest& request, absl::Time deadline,
                        assessment::v1::ListRoundsResponse& response);

// In round_check.cc.
absl::Status CheckRound(const store::EvidenceStore& store,
                        const assessment::v1::CheckRoundRequest& request, absl::Time deadline,
                        assessment::v1::CheckRoundResponse& response);

// In published.cc: only of rounds that were published.
absl::Status GetPublishedRating(const store::EvidenceStore& store,
                                const assessment::v1::GetPublishedRatingRequest& request,
                                absl::Time deadline,
                                assessment::v1::GetPublishedRatingResponse& response);
absl::Status ListPublishedRatings(const store::EvidenceStore& store,
                                  const assessment::v1::ListPublishedRatingsRequest& request,
                                  absl::Time deadline,
                                  assessment::v1::ListPublishedRatingsResponse& response);
absl::Status ListSpecialMeasures(const store::EvidenceStore& store,
                                 const assessment::v1::ListSpecialMeasuresRequest& request,
                                 absl::Time deadline,
                                 assessment::v1::ListSpecialMeasuresResponse& response);

}  // namespace starratings::service
