#include "rating-svc/service/record_round.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/round_rater.h"

namespace starratings::service {
namespace {

// Of one chunk.
constexpr int kRatingsMost = 1'000;
constexpr size_t kBytesMost = 1 << 20;

absl::Status NotFrozen(const std::string& round) {
  status::ErrorDetail detail;
  detail.reason = "ROUND_NOT_FROZEN";
  detail.metadata = {{"round", round}};
  detail.preconditions = {
      {"ROUND_STATE", absl::StrCat("rounds/", round), "freeze the round first"}};
  return status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition,
                                 "the round is open; only a frozen round can be recorded", detail);
}

absl::Status SendAll(Recording& recording, std::vector<Batches::Ratings> batches) {
  for (Batches::Ratings& batch : batches) RETURN_IF_ERROR(recording.Send(batch));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<rating::v1::RecordRoundResponse> RecordRound(
    const EvidenceClient& client, SchemeLibrary& schemes, RatingMetrics& metrics,
    const rating::v1::RecordRoundRequest& request, const std::string& on_behalf_of,
    absl::Time deadline, const std::function<bool()>& cancelled) {
  ASSIGN_OR_RETURN(RoundPlan plan, PlanRound(client, schemes, request.round(), deadline));
  if (!plan.frozen) return NotFrozen(request.round());
  assessment::v1::RecordRatingsRequest::Begin begin;
  begin.set_round(request.round());
  begin.set_etag(request.etag());
  begin.set_request_id(request.request_id());
  begin.set_on_behalf_of(on_behalf_of);
  Recording recording(client, begin, deadline);

  assessment::v1::ExportDossiersRequest all = ExportOf(plan);
  all.set_values_only(true);
  RoundRater rater(std::move(plan), {}, {}, metrics);
  Batches batches(kRatingsMost, kBytesMost);
  const auto pass_on = [&](const assessment::v1::ExportDossiersResponse& block) -> absl::Status {
    if (cancelled()) return CallerGone();
    std::vector<rating::v1::Rating> ratings;
    RETURN_IF_ERROR(rater.Rate(block, ratings));
    batches.Add(std::move(ratings));
    return SendAll(recording, batches.TakeFull());
  };
  RETURN_IF_ERROR(client.ExportDossiers(all, deadline, pass_on));
  RETURN_IF_ERROR(SendAll(recording, batches.TakeAll()));

  rating::v1::RecordRoundResponse response;
  ASSIGN_OR_RETURN(*response.mutable_summary(), rater.Finish());
  ASSIGN_OR_RETURN(const assessment::v1::RecordRatingsResponse recorded,
                   recording.Commit(response.summary().count(), response.summary().round_digest()));
  // The answer may be that of an earlier attempt.
  if (recorded.round().round_digest() != response.summary().round_digest()) {
    return status::Error(absl::StatusCode::kDataLoss, "ROUND_DIGEST_MISMATCH",
                         "the record holds other ratings of this round than were made now",
                         {{"round", request.round()},
                          {"recorded", recorded.round().round_digest()},
                          {"made", response.summary().round_digest()}});
  }
  response.set_etag(recorded.round().etag());
  *response.mutable_snapshot() = recorded.snapshot();
  return response;
}

}  // namespace starratings::service
