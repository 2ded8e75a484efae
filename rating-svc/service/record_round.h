// RecordRound: rates a frozen round and puts the ratings into the record.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/rating_metrics.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

// Safe to repeat: whether an earlier attempt with the same request id made the
// round RATED is for the record to say, which then answers as it did.
//
// Returns FAILED_PRECONDITION (ROUND_NOT_FROZEN) for an open round; DATA_LOSS
// (ROUND_DIGEST_MISMATCH) if an earlier attempt recorded other ratings; and
// what the record objects to.
absl::StatusOr<rating::v1::RecordRoundResponse> RecordRound(
    const EvidenceClient& client, SchemeLibrary& schemes, RatingMetrics& metrics,
    const rating::v1::RecordRoundRequest& request, const std::string& on_behalf_of,
    absl::Time deadline, const std::function<bool()>& cancelled);

}  // namespace starratings::service
