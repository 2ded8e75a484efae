// What the handlers of this room share: how long a call may take, and where it
// is answered.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/serving/pool.h"
#include "grpcpp/grpcpp.h"

namespace starratings::service {

// How long a call may take whose caller did not say.
inline constexpr absl::Duration kCallUnnamed = absl::Seconds(30);
inline constexpr absl::Duration kRoundUnnamed = absl::Minutes(30);

// RESOURCE_EXHAUSTED (TOO_MANY_CALLS).
absl::Status TooManyCalls();

// CANCELLED: the caller has gone.
absl::Status CallerGone();

// Answers a unary call on `pool` with what `answer` returns. `answer` may use
// the call's context, request and response.
grpc::ServerUnaryReactor* AnswerOn(serving::Pool& pool, grpc::CallbackServerContext& context,
                                   std::function<absl::Status()> answer);

}  // namespace starratings::service
