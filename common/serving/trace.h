// The trace that a call belongs to: what a caller's metadata says of it is passed on
// to the services that are asked for its sake.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/grpcpp.h"

namespace starratings::serving {

// Of W3C's trace context (`traceparent`), and the request's id.
struct Trace {
  std::string parent;      // Well-formed, or empty.
  std::string request_id;  // May be empty.

  // The trace id in `parent`; empty if there is none.
  absl::string_view id() const;
};

// What the metadata `traceparent` and `x-request-id` say; what is not well-formed is
// left out.
Trace TraceOf(const grpc::ServerContextBase& context);

// While it lives, the thread works for a call of this trace.
class TraceScope {
 public:
  explicit TraceScope(Trace trace);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  Trace before_;
};

// Adds the trace that this thread works for to a call that it is about to make: the
// same trace, from a span of our own.
void PassTrace(grpc::ClientContext& context);

}  // namespace starratings::serving
