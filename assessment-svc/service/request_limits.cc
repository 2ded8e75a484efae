#include "assessment-svc/service/request_limits.h"

namespace starratings::service {
namespace {

RequestLimits current;

}  // namespace

const RequestLimits& CurrentRequestLimits() { return current; }

void SetRequestLimits(const RequestLimits& limits) { current = limits; }

}  // namespace starratings::service
