// Answers RoundService. Errors are described in round_service.proto and
// docs/errors.md.
#pragma once

#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/watch_stream.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/round_service.grpc.pb.h"

namespace starratings::service {

// Thread-safe: holds nothing that changes.
class RoundServiceImpl final : public assessment::v1::RoundService::CallbackService {
 public:
  // Both must outlive the service.
  RoundServiceImpl(const Parts& parts, const WatchParts& watching)
      : parts_(parts), watching_(watching) {}

  grpc::ServerUnaryReactor* CreateRound(grpc::CallbackServerContext* context,
                                        const assessment::v1::CreateRoundRequest* request,
                                        assessment::v1::CreateRoundResponse* response) override;
  grpc::ServerUnaryReactor* GetRound(grpc::CallbackServerContext* context,
                                     const assessment::v1::GetRoundRequest* request,
                                     assessment::v1::GetRoundResponse* response) override;
  grpc::ServerUnaryReactor* ListRounds(grpc::CallbackServerContext* context,
                                       const assessment::v1::ListRoundsRequest* request,
                                       assessment::v1::ListRoundsResponse* response) override;
  grpc::ServerUnaryReactor* CheckRound(grpc::CallbackServerContext* context,
                                       const assessment::v1::CheckRoundRequest* request,
                                       assessment::v1::CheckRoundResponse* response) override;
  grpc::ServerUnaryReactor* FreezeRound(grpc::CallbackServerContext* context,
                                        const assessment::v1::FreezeRoundRequest* request,
                                        assessment::v1::FreezeRoundResponse* response) override;
  grpc::ServerReadReactor<assessment::v1::RecordRatingsRequest>* RecordRatings(
      grpc::CallbackServerContext* context,
      assessment::v1::RecordRatingsResponse* response) override;
  grpc::ServerUnaryReactor* PublishRound(grpc::CallbackServerContext* context,
                                         const assessment::v1::PublishRoundRequest* request,
                                         assessment::v1::PublishRoundResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawRound(grpc::CallbackServerContext* context,
                                          const assessment::v1::WithdrawRoundRequest* request,
                                          assessment::v1::WithdrawRoundResponse* response) override;
  grpc::ServerWriteReactor<assessment::v1::WatchRoundsResponse>* WatchRounds(
      grpc::CallbackServerContext* context,
      const assessment::v1::WatchRoundsRequest* request) override;
  grpc::ServerUnaryReactor* GetPublishedRating(
      grpc::CallbackServerContext* context,
      const assessment::v1::GetPublishedRatingRequest* request,
      assessment::v1::GetPublishedRatingResponse* response) override;
  grpc::ServerUnaryReactor* ListPublishedRatings(
      grpc::CallbackServerContext* context,
      const assessment::v1::ListPublishedRatingsRequest* request,
      assessment::v1::ListPublishedRatingsResponse* response) override;
  grpc::ServerUnaryReactor* ListSpecialMeasures(
      grpc::CallbackServerContext* context,
      const assessment::v1::ListSpecialMeasuresRequest* request,
      assessment::v1::ListSpecialMeasuresResponse* response) override;

 private:
  const Parts& parts_;
  const WatchParts& watching_;
};

}  // namespace starratings::service
