#include "rating-svc/service/calls.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "common/serving/grpc_status.h"
#include "common/serving/trace.h"
#include "common/status/errors.h"

namespace starratings::service {

absl::Status TooManyCalls() {
  status::ErrorDetail detail;
  detail.reason = "TOO_MANY_CALLS";
  detail.retry_after = absl::Seconds(1);
  return status::ErrorWithDetail(absl::StatusCode::kResourceExhausted,
                                 "too many calls are waiting; try again", detail);
}

absl::Status CallerGone() {
  return status::Error(absl::StatusCode::kCancelled, "CANCELLED", "the call was cancelled");
}

grpc::ServerUnaryReactor* AnswerOn(serving::Pool& pool, grpc::CallbackServerContext& context,
                                   std::function<absl::Status()> answer) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  const bool queued = pool.Run([reactor, &context, answer = std::move(answer)] {
    const serving::TraceScope scope(serving::TraceOf(context));
    // What waited until its caller had gone need not be done.
    reactor->Finish(serving::ToGrpcStatus(context.IsCancelled() ? CallerGone() : answer()));
  });
  if (!queued) reactor->Finish(serving::ToGrpcStatus(TooManyCalls()));
  return reactor;
}

}  // namespace starratings::service
