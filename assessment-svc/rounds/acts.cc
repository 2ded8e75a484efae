#include "assessment-svc/rounds/acts.h"

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace starratings::rounds {
namespace {

std::string Subject(const Round& round) { return absl::StrCat("rounds/", round.id); }

absl::Status Refused(absl::string_view reason, const Round& round, const std::string& description) {
  status::ErrorDetail detail;
  detail.reason = std::string(reason);
  detail.metadata = {{"round", round.id}, {"state", ToString(round.state)}};
  detail.preconditions = {{detail.reason, Subject(round), description}};
  return status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition,
                                 absl::StrCat("round `", round.id, "`: ", description), detail);
}

const char* Requirement(Deed deed) {
  switch (deed) {
    case Deed::kFreeze:
      return "must be OPEN to be frozen";
    case Deed::kRecordRatings:
      return "must be FROZEN to be rated";
    case Deed::kPublish:
      return "must be RATED to be published";
    case Deed::kSupersede:
      return "must be PUBLISHED to be superseded";
    case Deed::kWithdraw:
      return "must not be WITHDRAWN already";
  }
  return "";
}

}  // namespace

bool MayBeDone(Deed deed, State state) {
  switch (deed) {
    case Deed::kFreeze:
      return state == State::kOpen;
    case Deed::kRecordRatings:
      return state == State::kFrozen;
    case Deed::kPublish:
      return state == State::kRated;
    case Deed::kSupersede:
      return state == State::kPublished;
    case Deed::kWithdraw:
      return state != State::kWithdrawn;
  }
  return false;
}

absl::Status CheckDeed(Deed deed, const History& history, absl::string_view etag) {
  const Round& round = history.round;
  if (!MayBeDone(deed, round.state)) {
    return Refused("ROUND_STATE", round,
                   absl::StrCat(Requirement(deed), ", and is ", ToString(round.state)));
  }
  if (etag != history.Etag()) {
    return status::Error(
        absl::StatusCode::kAborted, "ETAG_MISMATCH",
        absl::StrCat("round `", round.id, "` has changed; read it again and decide again"),
        {{"field", "etag"}, {"round", round.id}, {"etag", history.Etag()}});
  }
  return absl::OkStatus();
}

absl::Status CheckPublisher(const History& history, absl::string_view actor) {
  for (const Act& act : history.acts) {
    if (act.state == State::kFrozen && act.actor == actor) {
      return status::Error(absl::StatusCode::kPermissionDenied, "FOUR_EYES",
                           absl::StrCat("round `", history.round.id, "` was frozen by ", act.actor,
                                        "; somebody else must publish it"),
                           {{"round", history.round.id}, {"frozen_by", act.actor}});
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSeenDigest(const Round& round, absl::string_view seen) {
  if (seen == round.round_digest) return absl::OkStatus();
  return Refused("ROUND_DIGEST_CHANGED", round,
                 absl::StrCat("must be published with the digest of its recorded ratings, ",
                              round.round_digest));
}

absl::Status CheckInForce(const Round& round, evidence::Date from,
                          std::optional<evidence::Date> to) {
  if (from <= round.date && (!to || round.date < *to)) return absl::OkStatus();
  return Refused("NO_SCHEME_IN_FORCE", round,
                 absl::StrCat("must have a date on which its scheme ", round.scheme_id, "@",
                              round.scheme_version, " is in force (from ", from.ToString(),
                              to ? absl::StrCat(" to before ", to->ToString()) : "", "), and has ",
                              round.date.ToString()));
}

absl::Status CheckRefreshable(const Round& refreshed) {
  if (refreshed.state == State::kPublished) return absl::OkStatus();
  return Refused(
      "ROUND_STATE", refreshed,
      absl::StrCat("must be PUBLISHED to be refreshed, and is ", ToString(refreshed.state)));
}

absl::Status CheckSupersedable(const Round& refreshed) {
  if (MayBeDone(Deed::kSupersede, refreshed.state) || refreshed.state == State::kWithdrawn) {
    return absl::OkStatus();
  }
  return Refused("ROUND_STATE", refreshed,
                 absl::StrCat(Requirement(Deed::kSupersede), ", and is ", ToString(refreshed.state),
                              refreshed.superseded_by.empty()
                                  ? ""
                                  : absl::StrCat(" by `", refreshed.superseded_by, "`")));
}

}  // namespace starratings::rounds
