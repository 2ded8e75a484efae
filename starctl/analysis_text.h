// Answers to questions about ratings, for people.
#pragma once

#include <string>

#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::starctl {

// `children.placement_stability 48/212 -> 42/212 (6 fewer children)`.
std::string ChangeText(const rating::v1::Change& change);

std::string ImprovementsText(const rating::v1::FindImprovementsResponse& found, bool losses);
std::string RobustnessText(const rating::v1::AssessRobustnessResponse& assessed);
std::string SimulationText(const rating::v1::SimulateRatingRequest& asked,
                           const rating::v1::SimulateRatingResponse& simulated);
std::string ComparisonText(const rating::v1::CompareRatingsResponse& compared);

}  // namespace starratings::starctl
