// Which results a question about levels is about.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::service {

// The results on a scale that `result` names, as indices in scheme.results: that one, or all where
// it is empty. INVALID_ARGUMENT (INVALID_FIELDS) if there is no such result, it
// is a number, or none is on a scale.
absl::StatusOr<std::vector<size_t>> ResultsNamed(const scheme::Scheme& scheme,
                                                 const std::string& result);

}  // namespace starratings::service
