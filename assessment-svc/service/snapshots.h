// Revisions and tokens: what a read is answered at.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/evidence_service.pb.h"
#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::service {

// How old the revision of a `minimize_latency` read may be.
inline constexpr absl::Duration kAgeMost = absl::Seconds(5);

evidence::v1::Snapshot SnapshotAt(const store::EvidenceStore& store, int64_t revision);

// The revision that `token`, in the request's field `field`, stands for.
// Returns INVALID_ARGUMENT (TOKEN_MALFORMED, TOKEN_FOREIGN) or
// FAILED_PRECONDITION (STORE_RESTORED, TOKEN_FUTURE).
absl::StatusOr<int64_t> RevisionOfToken(const store::EvidenceStore& store, absl::string_view token,
                                        absl::string_view field, absl::Time deadline);

// The revision to read at. `field` is where `freshness` stands in the request.
absl::StatusOr<int64_t> RevisionFor(const store::EvidenceStore& store,
                                    const evidence::v1::Freshness& freshness,
                                    absl::string_view field, absl::Time deadline);

assessment::v1::WriteRecord ToProto(const store::Commit& commit);

}  // namespace starratings::service
