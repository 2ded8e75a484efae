// What several commands do with rounds.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "starctl/session.h"
#include "starratings/assessment/v1/round.pb.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::starctl {

absl::StatusOr<assessment::v1::GetRoundResponse> GetRound(Session& session,
                                                          const std::string& round);

// A round for people: what it is, and everything that was done to it.
std::string RoundText(const assessment::v1::Round& round);

// A scheme by its digest or `id@version`, as the record or as rating-svc has it.
absl::StatusOr<scheme::v1::Scheme> SchemeInRecord(Session& session, const std::string& scheme);
absl::StatusOr<scheme::v1::Scheme> SchemeOfRating(Session& session, const std::string& scheme);

}  // namespace starratings::starctl
