// starctl improve, robustness, simulate and compare: questions about a rating.
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/evidence/decimal.h"
#include "starctl/analysis_text.h"
#include "starctl/by.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/session.h"

namespace starratings::starctl {

using rating::v1::RatingService;

namespace {

// NAME=REST.
absl::StatusOr<std::pair<std::string, std::string>> Split(absl::string_view flag,
                                                          const std::string& text) {
  const size_t at = text.find('=');
  if (at == 0 || at == std::string::npos || at + 1 == text.size()) {
    return BadUsage(absl::StrCat(flag, " ", text, ": must be NAME=VALUE"));
  }
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

absl::Status AddThreshold(const std::string& text, rating::v1::SimulateRatingRequest& request) {
  ASSIGN_OR_RETURN(auto parts, Split("--threshold", text));
  auto& [rule, to] = parts;
  rating::v1::ThresholdVariation& threshold = *request.add_variations()->mutable_threshold();
  int index = 0;
  const size_t dot = rule.rfind('.');
  if (dot != std::string::npos && absl::SimpleAtoi(rule.substr(dot + 1), &index)) {
    rule.resize(dot);
    threshold.set_condition(index);
  }
  threshold.set_rule_id(rule);
  // A level may be called by a number.
  constexpr absl::string_view kLevel = "level:";
  if (absl::StartsWith(to, kLevel)) {
    threshold.set_level(to.substr(kLevel.size()));
  } else if (evidence::Decimal::Parse(to).ok()) {
    threshold.mutable_number()->set_decimal(to);
  } else {
    threshold.set_level(to);
  }
  return absl::OkStatus();
}

absl::Status AddVariations(const SimulateOptions& options,
                           rating::v1::SimulateRatingRequest& request) {
  for (const std::string& text : options.values) {
    ASSIGN_OR_RETURN(const auto parts, Split("--set", text));
    rating::v1::ItemVariation& item = *request.add_variations()->mutable_item();
    item.set_code(parts.first);
    item.set_text(parts.second);
  }
  for (const std::string& text : options.missing) {
    ASSIGN_OR_RETURN(const auto parts, Split("--missing", text));
    evidence::v1::MissingReason reason;
    if (!evidence::v1::MissingReason_Parse(absl::StrCat("MISSING_REASON_", parts.second),
                                           &reason)) {
      return BadUsage(absl::StrCat("--missing ", text, ": there is no such reason"));
    }
    rating::v1::ItemVariation& item = *request.add_variations()->mutable_item();
    item.set_code(parts.first);
    item.mutable_value()->set_missing(reason);
  }
  for (const std::string& text : options.thresholds) {
    RETURN_IF_ERROR(AddThreshold(text, request));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExitCode> Improve(Session& session, const ImproveOptions& options) {
  RETURN_IF_ERROR(CheckBy(options.by));
  rating::v1::FindImprovementsRequest request;
  request.set_organisation(options.by.organisation);
  request.set_result(options.result);
  FillBy(options.by, request);
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::FindImprovementsResponse response;
  RETURN_IF_ERROR(
      session.Call(*rating->ratings, &RatingService::Stub::FindImprovements, request, response));
  session.Print(session.json() ? ToJson(response) : ImprovementsText(response, options.losses));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> AssessRobustness(Session& session, const RobustnessOptions& options) {
  RETURN_IF_ERROR(CheckBy(options.by));
  rating::v1::AssessRobustnessRequest request;
  request.set_organisation(options.by.organisation);
  request.set_result(options.result);
  request.set_rate_model(options.observed ? rating::v1::RATE_MODEL_OBSERVED
                                          : rating::v1::RATE_MODEL_JEFFREYS);
  request.set_bounds(options.bounds);
  FillBy(options.by, request);
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::AssessRobustnessResponse response;
  RETURN_IF_ERROR(
      session.Call(*rating->ratings, &RatingService::Stub::AssessRobustness, request, response));
  session.Print(session.json() ? ToJson(response) : RobustnessText(response));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Simulate(Session& session, const SimulateOptions& options) {
  RETURN_IF_ERROR(CheckBy(options.by));
  rating::v1::SimulateRatingRequest request;
  request.set_organisation(options.by.organisation);
  RETURN_IF_ERROR(AddVariations(options, request));
  FillBy(options.by, request);
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::SimulateRatingResponse response;
  RETURN_IF_ERROR(
      session.Call(*rating->ratings, &RatingService::Stub::SimulateRating, request, response));
  session.Print(session.json() ? ToJson(response) : SimulationText(request, response));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Compare(Session& session, const CompareOptions& options) {
  rating::v1::CompareRatingsRequest request;
  request.mutable_before()->set_round(options.before);
  request.mutable_before()->set_scheme(options.before_scheme);
  request.mutable_before()->set_token(options.before_token);
  request.mutable_after()->set_round(options.after.empty() ? options.before : options.after);
  request.mutable_after()->set_scheme(options.after_scheme);
  request.mutable_after()->set_token(options.after_token);
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::CompareRatingsResponse response;
  RETURN_IF_ERROR(
      session.Call(*rating->ratings, &RatingService::Stub::CompareRatings, request, response));
  session.Print(session.json() ? ToJson(response) : ComparisonText(response));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
