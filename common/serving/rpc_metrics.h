// Metrics and a log line of every RPC a server answers. Recorded by an
// interceptor, so that no handler mentions them.
//
// Labels are bounded: methods by the services registered, codes by gRPC's 17.
// Organisations, indicators and actors are never labels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/support/server_interceptor.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace starratings::serving {

class Gate;

// Counts, times and logs RPCs, and charges callers at the gate (null: none) for what
// they send. What an rpc's option `access` calls audited is logged as such, with what
// the request is about. `in_flight` is how many calls of the services are not over yet. Series of
// `services` (full names) are there from the start, with the codes that matter, so that a rate over
// them is never undefined. Each reply carries the trailer `x-request-id`: the caller's own, or one
// that is made up; the log line has it, too.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewRpcObserver(
    const std::shared_ptr<prometheus::Registry>& registry, const std::vector<std::string>& services,
    Gate* gate, prometheus::Gauge& in_flight);

}  // namespace starratings::serving
