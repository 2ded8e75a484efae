// CompareRatings.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/evidence/text.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/analysis/comparison.h"
#include "rating-svc/service/analyses.h"
#include "rating-svc/service/cohorts.h"
#include "rating-svc/service/pairs.h"
#include "rating-svc/service/subject.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::service {
namespace {

using analysis::PathStep;
using rating::v1::ComparedRatings;
using rating::v1::CompareRatingsRequest;
using rating::v1::CompareRatingsResponse;

// All dossiers of a side are held at once: some 6 KiB each.
constexpr int64_t kComparedMost = 5'000;
// So that the answer stays far below what the transport takes.
constexpr int kListedMost = 1'000;
constexpr size_t kTokenMost = 200;

void CheckSide(const std::string& field, bool there, const ComparedRatings& side,
               status::FieldErrors& errors) {
  if (!there) return errors.Add(field, "must be given");
  errors.AddIfError(field + ".round", evidence::CheckSlug(side.round()));
  if (!side.scheme().empty()) errors.AddIfError(field + ".scheme", CheckSchemeRef(side.scheme()));
  if (side.token().size() > kTokenMost) errors.Add(field + ".token", "must be a token");
}

absl::Status Check(const CompareRatingsRequest& request) {
  status::FieldErrors errors;
  CheckSide("before", request.has_before(), request.before(), errors);
  CheckSide("after", request.has_after(), request.after(), errors);
  return errors.ToStatus();
}

using Dossiers = absl::flat_hash_map<std::string, evidence::Dossier>;

// One side, settled, with how its dossiers are asked for.
struct Side {
  RoundPlan plan;
  assessment::v1::OrganisationSelector selector;
  assessment::v1::ExportDossiersRequest request;
  bool as_frozen = true;  // At the round's own revision.
  ExportRead read;
};

assessment::v1::ExportDossiersRequest AtToken(const assessment::v1::OrganisationSelector& selector,
                                              const std::string& period, const std::string& token) {
  assessment::v1::ExportDossiersRequest request;
  *request.mutable_selection()->mutable_selector() = selector;
  request.mutable_selection()->set_period(period);
  request.mutable_selection()->mutable_freshness()->set_exactly(token);
  return request;
}

absl::StatusOr<Side> Settle(const EvidenceClient& client, SchemeLibrary& schemes,
                            const ComparedRatings& wanted, absl::Time deadline) {
  Side side;
  ASSIGN_OR_RETURN(side.plan, PlanRound(client, schemes, wanted.round(), deadline));
  ASSIGN_OR_RETURN(const assessment::v1::Round round, client.GetRound(wanted.round(), deadline));
  side.selector = round.selector();
  if (!wanted.scheme().empty()) {
    ASSIGN_OR_RETURN(side.plan.method.scheme, schemes.Find(wanted.scheme(), deadline));
    RETURN_IF_ERROR(CheckInForce(side.plan.method));
  }
  if (wanted.token().empty()) {
    side.request = ExportOf(side.plan);
  } else {
    side.as_frozen = false;
    side.request = AtToken(side.selector, side.plan.period, wanted.token());
  }
  // The cohort of another scheme, or of another revision, is another.
  if (!wanted.scheme().empty() || !wanted.token().empty()) {
    RETURN_IF_ERROR(BindTo(client, side.request, deadline, side.plan));
  }
  return side;
}

absl::StatusOr<Dossiers> Load(const EvidenceClient& client, Side& side, PublishedRatings* published,
                              absl::Time deadline, const Cancelled& cancelled) {
  Dossiers dossiers;
  ASSIGN_OR_RETURN(side.read,
                   VisitExport(client, side.request, side.plan.round, kComparedMost, published,
                               deadline, cancelled, [&](evidence::Dossier dossier) {
                                 const std::string id = dossier.organisation.id;
                                 dossiers.emplace(id, std::move(dossier));
                                 return absl::OkStatus();
                               }));
  if (side.as_frozen) RETURN_IF_ERROR(CheckFrozen(side.plan, side.read));
  return dossiers;
}

// Adds up one organisation after the other.
class Comparing {
 public:
  Comparing(const Side& before, const Side& after, CompareRatingsResponse& response)
      : before_(before.plan.method), after_(after.plan.method), response_(response) {}

  void Add(const evidence::Dossier& before, const evidence::Dossier& later,
           const evidence::Dossier& after) {
    const analysis::Comparison comparison = analysis::Compare(
        {*before_.scheme, before_.date, before}, later, {*after_.scheme, after_.date, after});
    const auto& path = comparison.path;
    moves_.Add(path[PathStep::kBefore], path[PathStep::kChangedScheme]);
    response_.set_count(response_.count() + 1);
    rating::v1::RatingChange change;
    for (const rating::ResultOutcome& result : path[PathStep::kBefore].results) {
      AddPath(comparison, result.id, change);
    }
    if (change.results().empty()) return;
    response_.set_changed_count(response_.changed_count() + 1);
    if (response_.changes_size() == kListedMost) return;
    change.set_organisation(after.organisation.id);
    change.set_name(after.organisation.name);
    for (const std::string& code : comparison.corrected) change.add_corrected_codes(code);
    for (const std::string& code : comparison.added) change.add_new_codes(code);
    *response_.add_changes() = std::move(change);
  }

  void Finish() {
    moves_.Write(*response_.mutable_moves());
    for (const auto& [what, number] : causes_) {
      rating::v1::CauseCount& count = *response_.add_causes();
      count.set_result(what.first);
      count.set_cause(what.second);
      count.set_count(number);
    }
  }

 private:
  static const rating::v1::Result* Find(const rating::v1::Rating& rating, const std::string& id) {
    const auto found = std::find_if(rating.results().begin(), rating.results().end(),
                                    [&](const rating::v1::Result& r) { return r.id() == id; });
    return found == rating.results().end() ? nullptr : &*found;
  }

  static bool Same(const rating::v1::Result& a, const rating::v1::Result& b) {
    return a.outcome_case() == b.outcome_case() && a.level() == b.level() &&
           a.number() == b.number();
  }

  // Notes a result that changes at some step.
  void AddPath(const analysis::Comparison& comparison, const std::string& id,
               rating::v1::RatingChange& change) {
    std::array<rating::v1::Rating, 4> ratings;
    std::array<const rating::v1::Result*, 4> results{};
    for (size_t step = 0; step < ratings.size(); ++step) {
      const bool last = step == PathStep::kChangedScheme;
      wire::Write(comparison.path[step], last ? *after_.scheme : *before_.scheme, ratings[step]);
      results[step] = Find(ratings[step], id);
      if (results[step] == nullptr) return;  // The later scheme has no such result.
    }
    rating::v1::ResultPath path;
    constexpr rating::v1::ChangeCause kCauses[] = {rating::v1::CHANGE_CAUSE_CORRECTED_EVIDENCE,
                                                   rating::v1::CHANGE_CAUSE_NEW_EVIDENCE,
                                                   rating::v1::CHANGE_CAUSE_CHANGED_SCHEME};
    for (size_t step = 1; step < results.size(); ++step) {
      if (Same(*results[step - 1], *results[step])) continue;
      path.add_causes(kCauses[step - 1]);
      ++causes_[{id, kCauses[step - 1]}];
    }
    if (path.causes().empty()) return;
    *path.mutable_before() = *results[PathStep::kBefore];
    *path.mutable_corrected() = *results[PathStep::kCorrected];
    *path.mutable_with_new_evidence() = *results[PathStep::kNewEvidence];
    *path.mutable_after() = *results[PathStep::kChangedScheme];
    *change.add_results() = std::move(path);
  }

  const Method& before_;
  const Method& after_;
  CompareRatingsResponse& response_;
  Moves moves_;
  std::map<std::pair<std::string, rating::v1::ChangeCause>, int64_t> causes_;
};

}  // namespace

absl::Status Analyses::CompareRatings(const CompareRatingsRequest& request, absl::Time deadline,
                                      const Cancelled& cancelled,
                                      CompareRatingsResponse& response) const {
  RETURN_IF_ERROR(Check(request));
  ASSIGN_OR_RETURN(Side before, Settle(client_, schemes_, request.before(), deadline));
  ASSIGN_OR_RETURN(Side after, Settle(client_, schemes_, request.after(), deadline));
  // Each side's dossiers are rated by both schemes, at that side's revision.
  const auto published = [&] {
    return PublishedRatings::Of(
        client_, {before.plan.method.scheme.get(), after.plan.method.scheme.get()}, deadline);
  };
  const auto published_before = published();
  const auto published_after = published();
  ASSIGN_OR_RETURN(const Dossiers later_side,
                   Load(client_, after, published_after.get(), deadline, cancelled));
  // The earlier period as it reads at the later revision. Where both are of one
  // period, the later dossiers say it.
  Dossiers corrected;
  const bool one_period = before.plan.period == after.plan.period;
  if (!one_period && after.read.count > 0) {
    const auto keep = [&](evidence::Dossier dossier) {
      const std::string id = dossier.organisation.id;
      corrected.emplace(id, std::move(dossier));
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(
        VisitExport(
            client_, AtToken(before.selector, before.plan.period, after.read.snapshot.token()),
            before.plan.round, kComparedMost, published_after.get(), deadline, cancelled, keep)
            .status());
  }
  Comparing comparing(before, after, response);
  const auto compare = [&](const evidence::Dossier& dossier) {
    const auto other = later_side.find(dossier.organisation.id);
    if (other == later_side.end()) {
      response.set_only_before(response.only_before() + 1);
      return absl::OkStatus();
    }
    const auto now = corrected.find(dossier.organisation.id);
    const evidence::Dossier& later = one_period               ? other->second
                                     : now == corrected.end() ? dossier
                                                              : now->second;
    comparing.Add(dossier, later, other->second);
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(before.read,
                   VisitExport(client_, before.request, before.plan.round, kComparedMost,
                               published_before.get(), deadline, cancelled, compare));
  if (before.as_frozen) RETURN_IF_ERROR(CheckFrozen(before.plan, before.read));
  comparing.Finish();
  response.set_only_after(after.read.count - response.count());
  *response.mutable_before_snapshot() = before.read.snapshot;
  *response.mutable_after_snapshot() = after.read.snapshot;
  *response.mutable_before_scheme() = wire::RefOf(*before.plan.method.scheme);
  *response.mutable_after_scheme() = wire::RefOf(*after.plan.method.scheme);
  return absl::OkStatus();
}

}  // namespace starratings::service
