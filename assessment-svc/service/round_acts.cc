#include "assessment-svc/service/round_acts.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "assessment-svc/rounds/acts.h"
#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/register_reads.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/service/writes.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/scheme_text.h"

namespace starratings::service {
namespace {

using assessment::v1::CreateRoundRequest;
using assessment::v1::FreezeRoundRequest;
using assessment::v1::WithdrawRoundRequest;
using rounds::Deed;
using rounds::Round;
using rounds::State;
using status::FieldErrors;

constexpr size_t kTitleBytesMost = 500;
constexpr size_t kNamesShown = 20;

Round ReadNewRound(const CreateRoundRequest& request, FieldErrors& errors) {
  Round round;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  errors.AddIfError("title", evidence::CheckText(request.title(), 1, kTitleBytesMost));
  round.id = request.round();
  round.title = request.title();
  round.selector = SelectorFromProto(request.selector(), "selector.", errors);
  errors.AddIfError("period", evidence::CheckSlug(request.period()));
  round.period = request.period();
  const auto date = evidence::Date::Parse(request.date());
  errors.AddIfError("date", date.status());
  if (date.ok()) round.date = *date;
  if (IsSchemeName(request.scheme())) {
    const size_t at = request.scheme().find('@');
    round.scheme_id = request.scheme().substr(0, at);
    round.scheme_version = request.scheme().substr(at + 1);
  } else {
    errors.Add("scheme", "must be id@version, for example england-social-services-2002@2002.1");
  }
  if (!request.refreshes().empty()) {
    errors.AddIfError("refreshes", evidence::CheckSlug(request.refreshes()));
  }
  round.refreshes = request.refreshes();
  return round;
}

// What the record says against a new round.
absl::Status CheckNewRound(const store::EvidenceStore& store, const Round& round,
                           absl::Time deadline) {
  ASSIGN_OR_RETURN(const int64_t head, store.Head(deadline));
  const absl::Status period = CheckPeriodRegistered(store, round.period, head, deadline);
  if (absl::IsNotFound(period) || round.period == evidence::kStanding) {
    FieldErrors errors;
    errors.Add("period", absl::StrCat("must be registered, and `", round.period, "` is not"));
    return errors.ToStatus();
  }
  RETURN_IF_ERROR(period);
  if (round.refreshes.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RoundRecord refreshed, ReadRound(store, round.refreshes, head, deadline));
  return rounds::CheckRefreshable(refreshed.history.round);
}

absl::Status Refused(absl::string_view reason, const Round& round, const std::string& what) {
  status::ErrorDetail detail;
  detail.reason = std::string(reason);
  detail.metadata = {{"round", round.id}};
  detail.preconditions = {{detail.reason, absl::StrCat("rounds/", round.id), what}};
  return status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition,
                                 absl::StrCat("round `", round.id, "`: ", what), detail);
}

// Binds the scheme: its text must be registered, approved, and in force on the day.
absl::Status BindScheme(const store::EvidenceStore& store, absl::Time deadline, Round& round) {
  // Also one that was registered after the evidence that is frozen.
  ASSIGN_OR_RETURN(const int64_t head, store.Head(deadline));
  ASSIGN_OR_RETURN(
      const store::SchemeRow row,
      FindScheme(store, absl::StrCat(round.scheme_id, "@", round.scheme_version), head, deadline));
  if (!row.approval) {
    return Refused("SCHEME_NOT_APPROVED", round,
                   absl::StrCat("must have a scheme that somebody other than ", row.commit.actor,
                                ", who registered it, has approved"));
  }
  ASSIGN_OR_RETURN(const auto scheme, wire::ParseScheme(row.text));
  const auto from = evidence::Date::Parse(scheme.in_force().from());
  if (!from.ok()) {
    return Refused("NO_SCHEME_IN_FORCE", round, "must have a scheme that says when it is in force");
  }
  std::optional<evidence::Date> to;
  if (!scheme.in_force().to().empty()) {
    ASSIGN_OR_RETURN(to, evidence::Date::Parse(scheme.in_force().to()));
  }
  RETURN_IF_ERROR(rounds::CheckInForce(round, *from, to));
  round.scheme_digest = row.digest;
  return absl::OkStatus();
}

// Organisations that the selector names and nobody has registered: more likely
// a slip than a wish to leave them out.
absl::Status CheckNamed(const store::EvidenceStore& store, const Round& round, int64_t revision,
                        absl::Time deadline) {
  const std::vector<std::string>& named = round.selector.organisations;
  if (named.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto found, store.FindOrganisations(named, revision, deadline));
  const std::set<std::string> known(found.begin(), found.end());
  std::vector<std::string> unknown;
  for (const std::string& id : named) {
    if (!known.contains(id) && unknown.size() < kNamesShown) unknown.push_back(id);
  }
  if (unknown.empty()) return absl::OkStatus();
  return Refused("ORGANISATIONS_UNKNOWN", round,
                 absl::StrCat("must choose registered organisations, and these are not: ",
                              absl::StrJoin(unknown, ", ")));
}

// Binds the organisations that the selector chooses at `revision`.
absl::StatusOr<std::vector<std::string>> BindOrganisations(const store::EvidenceStore& store,
                                                           int64_t revision, absl::Time deadline,
                                                           Round& round) {
  RETURN_IF_ERROR(CheckNamed(store, round, revision, deadline));
  if (const absl::Status period = CheckPeriodRegistered(store, round.period, revision, deadline);
      !period.ok()) {
    if (!absl::IsNotFound(period)) return period;
    return Refused("PERIOD_UNKNOWN", round,
                   "must be frozen at a revision at which its period is registered");
  }
  const Chosen chosen = ChosenBy(round, revision);
  ASSIGN_OR_RETURN(auto organisations, ListChosen(store, chosen, deadline));
  if (organisations.empty()) {
    return Refused("NOBODY_CHOSEN", round,
                   "must have a selector that chooses at least one organisation which exists on "
                   "the round's date");
  }
  round.organisation_count = static_cast<int64_t>(organisations.size());
  round.frozen_revision = revision;
  return organisations;
}

// Everything the record says about a freeze; fills `act`, or refuses.
absl::Status Freeze(const store::EvidenceStore& store, const FreezeRoundRequest& request,
                    const rounds::History& history, absl::Time deadline, store::RoundAct& act) {
  RETURN_IF_ERROR(rounds::CheckDeed(Deed::kFreeze, history, request.etag()));
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionOfToken(store, request.token(), "token", deadline));
  Round next = history.round;
  next.state = State::kFrozen;
  RETURN_IF_ERROR(BindScheme(store, deadline, next));
  ASSIGN_OR_RETURN(auto organisations, BindOrganisations(store, revision, deadline, next));
  act = ActOn(history, next);
  act.organisations = std::move(organisations);
  return absl::OkStatus();
}

}  // namespace

void CheckActFields(const std::string& round, const std::string& etag, FieldErrors& errors) {
  errors.AddIfError("round", evidence::CheckSlug(round));
  errors.AddIfError("etag", evidence::CheckText(etag, 1, 64));
}

store::RoundAct ActOn(const rounds::History& history, const Round& next) {
  store::RoundAct act;
  act.round = {next.id, ToContent(next), history.acts.back().revision};
  return act;
}

absl::StatusOr<Plan> PlanCreate(const store::EvidenceStore& store,
                                const CreateRoundRequest& request, const Call& call) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  const Round round = ReadNewRound(request, errors);
  RETURN_IF_ERROR(errors.ToStatus());
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  plan.refusal = CheckNewRound(store, round, call.deadline);
  store::RoundAct act;
  act.round = {round.id, ToContent(round), 0};
  plan.write.body = std::move(act);
  return plan;
}

absl::StatusOr<Plan> PlanFreeze(const store::EvidenceStore& store,
                                const FreezeRoundRequest& request, const Call& call) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  CheckActFields(request.round(), request.etag(), errors);
  if (request.token().empty()) {
    errors.Add("token", "must be given: that of the evidence that was checked");
  }
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const RoundRecord record,
                   ReadRoundAtHead(store, request.round(), call.deadline));
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  store::RoundAct act;
  act.round.id = request.round();
  plan.refusal = Freeze(store, request, record.history, call.deadline, act);
  plan.write.body = std::move(act);
  return plan;
}

absl::StatusOr<Plan> PlanWithdrawal(const store::EvidenceStore& store,
                                    const WithdrawRoundRequest& request, const Call& call) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kRequired, errors);
  CheckActFields(request.round(), request.etag(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const RoundRecord record,
                   ReadRoundAtHead(store, request.round(), call.deadline));
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  plan.refusal = rounds::CheckDeed(Deed::kWithdraw, record.history, request.etag());
  Round next = record.history.round;
  next.state = State::kWithdrawn;
  plan.write.body = ActOn(record.history, next);
  return plan;
}

}  // namespace starratings::service
