// What one rule did, in tests and in words. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "rating-svc/rating/rating.h"

namespace starratings::rating {

// The conditions of a rule and whether they held; of a band the cuts next to the
// number. None of sums and matrices.
std::vector<TestFinding> TestsOf(const scheme::Scheme& scheme, const scheme::Stage& stage,
                                 const Evaluation& evaluation, uint64_t held);

// A limit in words, with the values of the most telling condition put in.
std::string SayLimit(const scheme::Scheme& scheme, const std::string& organisation,
                     const scheme::Limit& limit, const StepFinding& step);

// A rule that writes a value, in words; `say` is its template.
std::string SayWriter(const scheme::Scheme& scheme, const std::string& organisation,
                      const scheme::Stage& stage, const std::string& say, const StepFinding& step,
                      const Evaluation& evaluation);

}  // namespace starratings::rating
