// How a call runs: reads on a bounded pool, writes from there through the
// committer. Nothing here knows what is read or written.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/store/writes.h"
#include "grpcpp/grpcpp.h"

namespace starratings::service {

// Of a call that names no deadline.
inline constexpr absl::Duration kDeadlineDefault = absl::Seconds(10);

// When a unary call must be answered.
absl::Time DeadlineOf(const grpc::ServerContextBase& context);

// When the caller of a stream wants it to be over. A stream as a whole may take
// as long as its caller allows.
absl::Time EndOf(const grpc::ServerContextBase& context);

// When a step of a stream that begins now must be done.
absl::Time StepDeadline(absl::Time end);
absl::Time StepDeadlineOf(const grpc::ServerContextBase& context);

// RESOURCE_EXHAUSTED, reason POOL_FULL, with a delay to try again after.
absl::Status PoolFull();

// CANCELLED, reason CANCELLED: nobody waits for the answer.
absl::Status CallerGone();

// OK while somebody waits for the answer: CANCELLED, or DEADLINE_EXCEEDED
// (reason DEADLINE), and whatever the call costs would be for nothing.
absl::Status CheckWanted(const grpc::ServerContextBase& context, absl::Time deadline);

// ABORTED, reason STREAM_IDLE: the caller of a stream did not go on.
absl::Status StreamIdle();

// The register has changed since the write was planned: plan again.
bool IsRegisterChanged(const absl::Status& status);

// Finishes the call with what `read` returns; it runs on the pool and fills the
// response.
grpc::ServerUnaryReactor* RunRead(const Parts& parts, grpc::CallbackServerContext& context,
                                  std::function<absl::Status(absl::Time deadline)> read);

// Who writes, and until when.
struct Call {
  std::string actor;
  absl::Time deadline;
  // False on a thread of gRPC's, which others need: the database is not asked.
  bool may_wait = true;
};

// What is to be written.
struct Plan {
  // The database must be asked, and the call may not wait: nothing is planned.
  bool must_wait = false;
  store::Write write;
  // Not OK: what the record says now forbids the write. If it was made before,
  // under the same request id, it still gets its first answer.
  absl::Status refusal;
  // The response is filled already; nothing is to be written.
  bool answered = false;
};

// Whether a write is planned where it comes in, if nothing has to be waited for
// and no other is under way. To hand it to another thread takes longer than to
// plan a small one.
enum class PlanAt { kPool, kArrival };

// Runs `plan`, on the pool unless `at` says otherwise, submits what it plans, and
// finishes the call with what `answer` returns, which fills the response from
// what was written.
grpc::ServerUnaryReactor* RunWrite(const Parts& parts, grpc::CallbackServerContext& context,
                                   std::function<absl::StatusOr<Plan>(const Call&)> plan,
                                   std::function<absl::Status(const store::Written&)> answer,
                                   PlanAt at = PlanAt::kPool);

// Submits what is planned; calls `done` with what was written, with the first
// answer to the request id, or with why not.
void SubmitPlan(const Parts& parts, Plan plan, absl::Time deadline, std::function<bool()> cancelled,
                store::Committer::Done done);

}  // namespace starratings::service
