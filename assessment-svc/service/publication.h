// What publishing a round comes to: its ratings become public, and the list
// states of all who moved or are on a list become evidence.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/rounds/round.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/metrics.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/round_service.pb.h"
#include "starratings/rating/v1/rating.pb.h"

namespace starratings::service {

// Ratings read from the store at a time.
inline constexpr int kRatingsStep = 500;

// Calls `visit` for each recorded rating of the round after `after`, in the
// order (bucket, id), until it returns false or an error.
absl::Status ForEachRating(
    const store::EvidenceStore& store, const rounds::Round& round, store::OrganisationCursor after,
    absl::Time deadline,
    const std::function<absl::StatusOr<bool>(const rating::v1::Rating&)>& visit);

// Reads a rating back. Returns DATA_LOSS, reason RATING_CONTENT.
absl::StatusOr<rating::v1::Rating> RatingFrom(const store::StagedRating& staged);

// Whether a decision moves its organisation, or finds it on the list. An
// unknown move counts: somebody must look at it.
bool MovedOrListed(const rating::v1::Decision& decision);

// Counts the moves of the plan in `moves`.
absl::StatusOr<Plan> PlanPublish(const store::EvidenceStore& store,
                                 const assessment::v1::PublishRoundRequest& request,
                                 const Call& call, MoveCounts& moves);

}  // namespace starratings::service
