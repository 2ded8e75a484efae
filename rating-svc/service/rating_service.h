// Answers RatingService. Errors are described in rating_service.proto.
#pragma once

#include <atomic>

#include "common/serving/pool.h"
#include "common/serving/recycling.h"
#include "rating-svc/service/analyses.h"
#include "rating-svc/service/dossier_reader.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/rating_metrics.h"
#include "rating-svc/service/round_stream.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/rating_service.grpc.pb.h"

namespace starratings::service {

// How much is done at once.
struct RatingLimits {
  int readers = 4;         // Threads that answer RateOrganisation.
  int rounds_most = 16;    // RateRound calls that run.
  int records_most = 8;    // RecordRound calls that wait; two run.
  int analyses_most = 64;  // Analyses that wait; two run.
};

// Thread-safe. The server must be shut down before it is destroyed.
class RatingServiceImpl final : public rating::v1::RatingService::CallbackService {
 public:
  // All must outlive the service.
  RatingServiceImpl(const EvidenceClient& client, DossierReader& dossiers, SchemeLibrary& schemes,
                    RatingMetrics& metrics, const RatingLimits& limits);

  grpc::ServerUnaryReactor* RateOrganisation(
      grpc::CallbackServerContext* context, const rating::v1::RateOrganisationRequest* request,
      rating::v1::RateOrganisationResponse* response) override;

  grpc::ServerWriteReactor<rating::v1::RateRoundResponse>* RateRound(
      grpc::CallbackServerContext* context, const rating::v1::RateRoundRequest* request) override;

  grpc::ServerUnaryReactor* RecordRound(grpc::CallbackServerContext* context,
                                        const rating::v1::RecordRoundRequest* request,
                                        rating::v1::RecordRoundResponse* response) override;

  // In analysis_handlers.cc.
  grpc::ServerUnaryReactor* FindImprovements(
      grpc::CallbackServerContext* context, const rating::v1::FindImprovementsRequest* request,
      rating::v1::FindImprovementsResponse* response) override;
  grpc::ServerUnaryReactor* AssessRobustness(
      grpc::CallbackServerContext* context, const rating::v1::AssessRobustnessRequest* request,
      rating::v1::AssessRobustnessResponse* response) override;
  grpc::ServerUnaryReactor* SimulateRating(grpc::CallbackServerContext* context,
                                           const rating::v1::SimulateRatingRequest* request,
                                           rating::v1::SimulateRatingResponse* response) override;
  grpc::ServerUnaryReactor* CompareRatings(grpc::CallbackServerContext* context,
                                           const rating::v1::CompareRatingsRequest* request,
                                           rating::v1::CompareRatingsResponse* response) override;

 private:
  // Rates if nothing must be asked or waited for; otherwise returns false.
  bool RateAtHand(const rating::v1::RateOrganisationRequest& request, rating::v1::Rating& rating);
  absl::Status Rate(const rating::v1::RateOrganisationRequest& request, absl::Time deadline,
                    rating::v1::Rating& rating);
  absl::Status Record(const grpc::CallbackServerContext& context,
                      const rating::v1::RecordRoundRequest& request,
                      rating::v1::RecordRoundResponse& response);

  serving::RecyclingAllocator<rating::v1::RateOrganisationRequest,
                              rating::v1::RateOrganisationResponse>
      messages_;
  const EvidenceClient& client_;
  DossierReader& dossiers_;
  SchemeLibrary& schemes_;
  RatingMetrics& metrics_;
  const int rounds_most_;
  std::atomic<int> rounds_running_ = 0;

  // One pool for each kind of work, so that none keeps another waiting.
  serving::Pool reads_;
  serving::Pool rounds_;
  serving::Pool records_;
  serving::Pool analysing_;
  const Analyses analyses_;
};

}  // namespace starratings::service
