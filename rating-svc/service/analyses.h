// Answers the questions about ratings that rating_service.proto lists behind
// RecordRound. Blocks until it is done; each function answers one call.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rating-svc/service/dossier_reader.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

// Thread-safe.
class Analyses {
 public:
  // Whether the caller has gone.
  using Cancelled = std::function<bool()>;

  // All must outlive the object.
  Analyses(const EvidenceClient& client, DossierReader& dossiers, SchemeLibrary& schemes)
      : client_(client), dossiers_(dossiers), schemes_(schemes) {}

  absl::Status FindImprovements(const rating::v1::FindImprovementsRequest& request,
                                absl::Time deadline,
                                rating::v1::FindImprovementsResponse& response) const;

  absl::Status AssessRobustness(const rating::v1::AssessRobustnessRequest& request,
                                absl::Time deadline, const Cancelled& cancelled,
                                rating::v1::AssessRobustnessResponse& response) const;

  absl::Status SimulateRating(const rating::v1::SimulateRatingRequest& request, absl::Time deadline,
                              const Cancelled& cancelled,
                              rating::v1::SimulateRatingResponse& response) const;

  absl::Status CompareRatings(const rating::v1::CompareRatingsRequest& request, absl::Time deadline,
                              const Cancelled& cancelled,
                              rating::v1::CompareRatingsResponse& response) const;

 private:
  const EvidenceClient& client_;
  DossierReader& dossiers_;
  SchemeLibrary& schemes_;
};

}  // namespace starratings::service
