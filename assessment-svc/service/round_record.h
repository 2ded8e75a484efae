// Rounds as the store keeps them, and as messages.
//
// The content of a version is text: the line `attempt <name>` (which staged
// ratings are the round's; empty until it is rated), then the rest of the round
// as the JSON of assessment.v1.Round. Text, so that it can be read in the
// database; a message we have anyway, so that new fields need no new format.
// Acts, etag and tokens are left out: they follow from the versions' commits.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/rounds/round.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/round.pb.h"

namespace starratings::service {

std::string ToContent(const rounds::Round& round);

// Returns DATA_LOSS, reason ROUND_CONTENT, if it is none of ours.
absl::StatusOr<rounds::Round> FromContent(absl::string_view content);

// A round with everything that was done to it.
struct RoundRecord {
  rounds::History history;
  std::vector<store::Commit> commits;  // Of the acts.
};

// The round as it was at `revision`. Returns NOT_FOUND, reason ROUND_UNKNOWN.
absl::StatusOr<RoundRecord> ReadRound(const store::EvidenceStore& store, const std::string& id,
                                      int64_t revision, absl::Time deadline);

// The round now.
absl::StatusOr<RoundRecord> ReadRoundAtHead(const store::EvidenceStore& store,
                                            const std::string& id, absl::Time deadline);

// As ReadRound, but only of a round whose ratings readers may see. Returns
// NOT_FOUND, reason ROUND_NOT_PUBLISHED, for any other, the same whether there
// is such a round or not.
absl::StatusOr<RoundRecord> ReadPublicRound(const store::EvidenceStore& store,
                                            const std::string& id, int64_t revision,
                                            absl::Time deadline);

assessment::v1::Round ToProto(const store::EvidenceStore& store, const RoundRecord& record);

}  // namespace starratings::service
