// What was published, for people.
#pragma once

#include <string>
#include <vector>

#include "starratings/assessment/v1/round_service.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::starctl {

// The levels of a result of the scheme, worst first; empty for a number.
std::vector<std::string> LevelsOf(const scheme::v1::Scheme& scheme, const std::string& result);

// Counts ratings as rating-svc does; the order of the tallies means nothing.
rating::v1::Summary Summarise(const assessment::v1::ListPublishedRatingsResponse& published);

// With the tallies in the order of the scheme: its results, the levels of each
// worst first, those that nobody got included; then who is not rated.
rating::v1::Summary WorstFirst(const rating::v1::Summary& summary,
                               const scheme::v1::Scheme& scheme);

// Consequences, for each group of organisations that have the same.
std::string ConsequencesText(const std::vector<rating::v1::Rating>& ratings);

// Lists with their moves, each with its names.
std::string SpecialMeasuresText(const assessment::v1::ListSpecialMeasuresResponse& list);

}  // namespace starratings::starctl
