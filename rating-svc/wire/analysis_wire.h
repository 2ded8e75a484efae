// What analyses find, as messages.
#pragma once

#include "rating-svc/analysis/improvements.h"
#include "rating-svc/analysis/robustness.h"
#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"
#include "starratings/rating/v1/analysis.pb.h"

namespace starratings::wire {

// `readings` are those that were searched from; `message` is empty.
void Write(const analysis::Improvements& improvements, const scheme::Scheme& scheme, size_t result,
           const rating::Readings& readings, rating::v1::ResultImprovements& message);

// Of a result on a scale. `bounds` may be null.
void Write(const analysis::Odds& odds, const analysis::Bounds* bounds, const scheme::Scheme& scheme,
           size_t result, rating::v1::Robustness& message);

}  // namespace starratings::wire
