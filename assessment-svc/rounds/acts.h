// What may be done to a round, in which state, and by whom.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/rounds/round.h"

namespace starratings::rounds {

enum class Deed { kFreeze, kRecordRatings, kPublish, kSupersede, kWithdraw };

// Whether `deed` may be done in `state`: OPEN -> FROZEN -> RATED -> PUBLISHED
// -> SUPERSEDED; WITHDRAWN from any.
bool MayBeDone(Deed deed, State state);

// Returns FAILED_PRECONDITION, reason ROUND_STATE, if the round's state does
// not allow `deed`; otherwise ABORTED, reason ETAG_MISMATCH, if the round is
// not as the caller saw it, with its etag now.
//
// The state comes first: it says more than "something has changed".
absl::Status CheckDeed(Deed deed, const History& history, absl::string_view etag);

// Returns PERMISSION_DENIED, reason FOUR_EYES, if `actor` froze the round.
absl::Status CheckPublisher(const History& history, absl::string_view actor);

// Returns FAILED_PRECONDITION, reason ROUND_DIGEST_CHANGED, if the ratings that
// were recorded are not those the publisher has seen.
absl::Status CheckSeenDigest(const Round& round, absl::string_view seen);

// Returns FAILED_PRECONDITION, reason NO_SCHEME_IN_FORCE, unless a scheme in
// force from `from` until before `to` (unset: no end) is in force on the
// round's date.
absl::Status CheckInForce(const Round& round, evidence::Date from,
                          std::optional<evidence::Date> to);

// Returns FAILED_PRECONDITION, reason ROUND_STATE, unless a round in the state
// of `refreshed` may be refreshed by a new one: it is PUBLISHED.
absl::Status CheckRefreshable(const Round& refreshed);

// Returns FAILED_PRECONDITION, reason ROUND_STATE, unless the publication of a
// refresh may find `refreshed` in its state: PUBLISHED, or called off
// meanwhile. Another refresh must not have come first.
absl::Status CheckSupersedable(const Round& refreshed);

}  // namespace starratings::rounds
