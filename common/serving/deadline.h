// How long a call may take.
#pragma once

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace starratings::serving {

// The ceiling of DeadlineOf(), of the whole process; call once, before it serves.
// `most` is 1 second or more; until it is set, an hour.
void SetDeadlineMost(absl::Duration most);

// When a call must be answered: its caller's deadline, but no later than the ceiling
// allows; `unnamed` from now if it names none, and no later either.
absl::Time DeadlineOf(const grpc::ServerContextBase& context, absl::Duration unnamed);

}  // namespace starratings::serving
