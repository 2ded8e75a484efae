// AssessRobustness.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/analysis/robustness.h"
#include "rating-svc/service/analyses.h"
#include "rating-svc/service/results.h"
#include "rating-svc/service/subject.h"
#include "rating-svc/wire/analysis_wire.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::service {
namespace {

using analysis::Treatment;
using rating::v1::AssessRobustnessRequest;
using rating::v1::AssessRobustnessResponse;

absl::Status Check(const AssessRobustnessRequest& request) {
  status::FieldErrors errors;
  if (!rating::v1::RateModel_IsValid(request.rate_model())) {
    errors.Add("rate_model", "must be JEFFREYS or OBSERVED");
  }
  if (request.organisation().empty() && request.bounds()) {
    errors.Add("bounds", "must be left out where no organisation is named");
  }
  if (request.organisation().empty() && request.has_scheme()) {
    errors.Add("organisation", "must be named where a scheme is");
  }
  if (request.organisation().empty() && !request.has_scheme()) {
    errors.AddIfError("round", evidence::CheckSlug(request.round()));
  }
  return errors.ToStatus();
}

absl::Status TooManyCombinations(const std::string& organisation) {
  status::ErrorDetail detail;
  detail.reason = "TOO_MANY_COMBINATIONS";
  detail.metadata = {{"organisation", organisation}};
  detail.preconditions = {
      {"COMBINATIONS", absl::StrCat("organisations/", organisation),
       absl::StrCat("at most ", analysis::Assessor::kVariedMost, " ratios may vary, and ",
                    analysis::Assessor::kCombinationsMost,
                    " combinations of their cells may meet in one value")}};
  return status::ErrorWithDetail(
      absl::StatusCode::kFailedPrecondition,
      "too many combinations of inputs would have to be told apart at " + organisation, detail);
}

// Adds up one organisation after the other.
class Robustly {
 public:
  Robustly(const AssessRobustnessRequest& request, AssessRobustnessResponse& response)
      : bounds_(request.bounds()),
        wanted_(request.result()),
        model_(request.rate_model() == rating::v1::RATE_MODEL_OBSERVED
                   ? analysis::RateModel::kObserved
                   : analysis::RateModel::kJeffreys),
        response_(response) {}

  absl::Status Add(const Method& method, const evidence::Dossier& dossier) {
    if (assessor_ == nullptr) RETURN_IF_ERROR(Begin(method.scheme));
    const rating::Readings readings = rating::Read(*scheme_, dossier, method.date);
    const analysis::Odds odds = assessor_->Assess(readings.values);
    if (!odds.possible) return TooManyCombinations(dossier.organisation.id);
    std::optional<analysis::Bounds> bounds;
    if (bounds_) {
      bounds = assessor_->BoundsOf(readings.values);
      response_.set_bounds_refused(!bounds.has_value());
    }
    rating::v1::Robustness& robustness = *response_.add_organisations();
    robustness.set_organisation(dossier.organisation.id);
    robustness.set_name(dossier.organisation.name);
    wire::Write(odds, bounds ? &*bounds : nullptr, *scheme_, result_, robustness);
    rating::Evaluate(*scheme_, readings.values, *evaluation_);
    const rating::Value now = evaluation_->ResultOf(*scheme_, result_);
    const bool rated = now.absent == rating::Absent::kNo;
    const int value = scheme_->results[result_].value;
    if (rated) robustness.set_level(scheme_->LevelName(value, now.level));
    ++now_[rated ? static_cast<size_t>(now.level) : now_.size() - 1];
    for (size_t level = 0; level < odds.levels.size(); ++level)
      expected_[level] += odds.levels[level];
    expected_.back() += odds.not_rated;
    lowest_.push_back(odds.levels.front());
    Count(readings);
    return absl::OkStatus();
  }

  // Of a round that nobody is in the scheme is not known by a dossier.
  absl::Status Begin(SchemePtr scheme) {
    scheme_ = std::move(scheme);
    ASSIGN_OR_RETURN(const std::vector<size_t> results, ResultsNamed(*scheme_, wanted_));
    result_ = results.front();
    assessor_ = std::make_unique<analysis::Assessor>(*scheme_, result_, model_);
    evaluation_.emplace(*scheme_);
    const int value = scheme_->results[result_].value;
    const int scale = scheme_->values[static_cast<size_t>(value)].scale;
    const size_t levels = scheme_->scales[static_cast<size_t>(scale)].levels.size();
    now_.assign(levels + 1, 0);
    expected_.assign(levels + 1, 0.0);
    return absl::OkStatus();
  }

  bool begun() const { return assessor_ != nullptr; }

  void Finish(bool round) {
    const int value = scheme_->results[result_].value;
    response_.set_result(scheme_->values[static_cast<size_t>(value)].name);
    response_.set_rate_model(static_cast<rating::v1::RateModel>(model_));
    response_.set_error_bound(analysis::kErrorBound);
    response_.add_assumptions(model_ == analysis::RateModel::kJeffreys
                                  ? "the rate behind x of n cases is Beta(x + 1/2, n - x + 1/2)"
                                  : "the rate behind x of n cases is x / n");
    response_.add_assumptions("denominators stay as they are, and so do exemptions");
    response_.add_assumptions("inputs are independent of each other");
    if (round) response_.add_assumptions("organisations are independent of each other");
    for (const auto& [input, count] : varied_) {
      rating::v1::VariedInput& varied = *response_.add_varied();
      varied.set_code(scheme_->inputs[input].code);
      varied.set_organisations(count);
    }
    for (const auto& [what, count] : held_) {
      rating::v1::HeldInput& held = *response_.add_held();
      held.set_code(scheme_->inputs[what.first].code);
      held.set_reason(what.second);
      held.set_organisations(count);
    }
    *response_.mutable_scheme() = wire::RefOf(*scheme_);
    if (round) WriteCounts(value);
  }

 private:
  void WriteCounts(int value) {
    for (size_t i = 0; i < expected_.size(); ++i) {
      rating::v1::ExpectedCount& count = *response_.add_expected_counts();
      if (i + 1 < expected_.size()) count.set_level(scheme_->LevelName(value, static_cast<int>(i)));
      count.set_expected(expected_[i]);
      count.set_now(now_[i]);
    }
    constexpr double kNegligible = 1e-15;
    const std::vector<double> counts = analysis::CountDistribution(lowest_);
    for (size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] < kNegligible) continue;
      rating::v1::CountChance& chance = *response_.add_lowest_counts();
      chance.set_count(static_cast<int64_t>(k));
      chance.set_probability(counts[k]);
    }
  }

  void Count(const rating::Readings& readings) {
    for (size_t i = 0; i < readings.values.size(); ++i) {
      const Treatment treatment = assessor_->TreatmentOf(i, readings.values[i]);
      if (treatment == Treatment::kOutside) continue;
      if (treatment == Treatment::kVaries) {
        ++varied_[i];
      } else {
        const bool absent = treatment == Treatment::kAbsent;
        ++held_[{i, absent ? rating::ToString(readings.values[i].absent)
                           : analysis::ToString(treatment)}];
      }
    }
  }

  const bool bounds_;
  const std::string wanted_;
  const analysis::RateModel model_;
  AssessRobustnessResponse& response_;

  SchemePtr scheme_;
  size_t result_ = 0;
  std::unique_ptr<analysis::Assessor> assessor_;
  std::optional<rating::Evaluation> evaluation_;
  std::vector<int64_t> now_;      // By level; the last: not rated.
  std::vector<double> expected_;  // The same.
  std::vector<double> lowest_;    // Of each organisation.
  std::map<size_t, int64_t> varied_;
  std::map<std::pair<size_t, std::string>, int64_t> held_;
};

}  // namespace

absl::Status Analyses::AssessRobustness(const AssessRobustnessRequest& request, absl::Time deadline,
                                        const Cancelled& cancelled,
                                        AssessRobustnessResponse& response) const {
  RETURN_IF_ERROR(Check(request));
  Robustly robustly(request, response);
  if (!request.organisation().empty()) {
    ASSIGN_OR_RETURN(const Subject subject,
                     FindSubjectOf(client_, dossiers_, schemes_, request, deadline));
    RETURN_IF_ERROR(robustly.Add(subject.method, subject.dossier));
    robustly.Finish(false);
    *response.mutable_snapshot() = subject.snapshot;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const RoundRead read,
                   VisitRound(client_, schemes_, request.round(), deadline, cancelled,
                              [&](const Method& method, const evidence::Dossier& dossier) {
                                return robustly.Add(method, dossier);
                              }));
  if (!robustly.begun()) RETURN_IF_ERROR(robustly.Begin(read.method.scheme));
  robustly.Finish(true);
  *response.mutable_snapshot() = read.snapshot;
  return absl::OkStatus();
}

}  // namespace starratings::service
