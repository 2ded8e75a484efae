// RatingService's rpcs about ratings: each turns its request over to Analyses on
// the pool that is theirs alone, so that a long one holds up no rating.
#include "common/serving/deadline.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/rating_service.h"

namespace starratings::service {

grpc::ServerUnaryReactor* RatingServiceImpl::FindImprovements(
    grpc::CallbackServerContext* context, const rating::v1::FindImprovementsRequest* request,
    rating::v1::FindImprovementsResponse* response) {
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
  return AnswerOn(analysing_, *context, [this, request, response, deadline] {
    return analyses_.FindImprovements(*request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RatingServiceImpl::AssessRobustness(
    grpc::CallbackServerContext* context, const rating::v1::AssessRobustnessRequest* request,
    rating::v1::AssessRobustnessResponse* response) {
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
  return AnswerOn(analysing_, *context, [this, context, request, response, deadline] {
    return analyses_.AssessRobustness(
        *request, deadline, [context] { return context->IsCancelled(); }, *response);
  });
}

grpc::ServerUnaryReactor* RatingServiceImpl::SimulateRating(
    grpc::CallbackServerContext* context, const rating::v1::SimulateRatingRequest* request,
    rating::v1::SimulateRatingResponse* response) {
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
  return AnswerOn(analysing_, *context, [this, context, request, response, deadline] {
    return analyses_.SimulateRating(
        *request, deadline, [context] { return context->IsCancelled(); }, *response);
  });
}

grpc::ServerUnaryReactor* RatingServiceImpl::CompareRatings(
    grpc::CallbackServerContext* context, const rating::v1::CompareRatingsRequest* request,
    rating::v1::CompareRatingsResponse* response) {
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
  return AnswerOn(analysing_, *context, [this, context, request, response, deadline] {
    return analyses_.CompareRatings(
        *request, deadline, [context] { return context->IsCancelled(); }, *response);
  });
}

}  // namespace starratings::service
