#include "rating-svc/service/cohorts.h"

#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/service/subject.h"

namespace starratings::service {
namespace {

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

absl::StatusOr<ExportRead> Derive(const EvidenceClient& client,
                                  const assessment::v1::ExportDossiersRequest& cohort,
                                  absl::Time deadline, RoundPlan& plan) {
  rating::Cohort numbers(*plan.method.scheme);
  const auto add = [&](const evidence::Dossier& dossier) {
    numbers.Add(dossier, plan.method.date);
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const ExportRead read,
                   VisitExport(
                       client, cohort, plan.round, kAll, plan.published.get(), deadline,
                       [] { return false; }, add));
  plan.method.scheme =
      std::make_shared<const scheme::Scheme>(rating::Bind(*plan.method.scheme, numbers.Derive()));
  return read;
}

}  // namespace

absl::Status CheckNeedsNoCohort(const scheme::Scheme& scheme) {
  if (scheme.quantiles.empty()) return absl::OkStatus();
  status::ErrorDetail detail;
  detail.reason = "COHORT_REQUIRED";
  detail.metadata = {{"scheme", scheme.Name()}};
  detail.preconditions = {{"COHORT", absl::StrCat("schemes/", scheme.Name()),
                           "name a round: its organisations are the cohort"}};
  return status::ErrorWithDetail(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("the scheme ", scheme.Name(),
                   " derives cuts from a cohort, and can rate organisations of a round only"),
      detail);
}

absl::Status BindTo(const EvidenceClient& client,
                    const assessment::v1::ExportDossiersRequest& cohort, absl::Time deadline,
                    RoundPlan& plan) {
  if (plan.method.scheme->quantiles.empty()) return absl::OkStatus();
  return Derive(client, cohort, deadline, plan).status();
}

absl::Status BindToRound(const EvidenceClient& client, SchemeLibrary& schemes, absl::Time deadline,
                         RoundPlan& plan) {
  if (plan.method.scheme->quantiles.empty()) return absl::OkStatus();
  const std::string digest = plan.method.scheme->digest;
  const std::string cohort =
      plan.frozen ? absl::StrCat(plan.round, "@", plan.frozen->revision, " ", digest) : "";
  if (const SchemePtr bound = plan.frozen ? schemes.FindBound(cohort) : nullptr) {
    plan.method.scheme = bound;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const ExportRead read, Derive(client, ExportOf(plan), deadline, plan));
  RETURN_IF_ERROR(CheckFrozen(plan, read));
  if (plan.frozen) {
    schemes.KeepBound(cohort, plan.method.scheme);
  } else {
    plan.pinned = read.snapshot.token();
  }
  return absl::OkStatus();
}

}  // namespace starratings::service
