#include "assessment-svc/service/round_service.h"

#include <memory>

#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/imports.h"
#include "assessment-svc/service/publication.h"
#include "assessment-svc/service/ratings_stream.h"
#include "assessment-svc/service/round_acts.h"
#include "assessment-svc/service/round_reads.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

// Runs an act: what `plan` makes of the request, answered with the round.
template <typename Request, typename Response, typename PlanAct>
grpc::ServerUnaryReactor* RunAct(const Parts& parts, grpc::CallbackServerContext& context,
                                 const Request* request, Response* response, PlanAct plan) {
  const absl::Time deadline = DeadlineOf(context);
  return RunWrite(
      parts, context,
      [&parts, request, plan](const Call& call) { return plan(parts.store, *request, call); },
      [&parts, request, response, deadline](const store::Written& written) {
        return AnswerAct(parts.store, request->round(), written.revision, deadline, *response);
      });
}

// The round is frozen, whatever becomes of this.
void AddImportsUnderWay(const store::EvidenceStore& store, absl::Time deadline,
                        assessment::v1::FreezeRoundResponse& response) {
  const auto imports = ImportsUnderWay(store, deadline);
  if (!imports.ok()) return;
  for (const store::ImportNote& note : *imports) {
    auto& import = *response.add_imports();
    import.set_actor(note.actor);
    import.set_title(note.title);
    import.set_items(note.items);
    import.set_items_total(note.items_total);
  }
}

}  // namespace

grpc::ServerUnaryReactor* RoundServiceImpl::CreateRound(
    grpc::CallbackServerContext* context, const assessment::v1::CreateRoundRequest* request,
    assessment::v1::CreateRoundResponse* response) {
  return RunAct(parts_, *context, request, response, &PlanCreate);
}

grpc::ServerUnaryReactor* RoundServiceImpl::FreezeRound(
    grpc::CallbackServerContext* context, const assessment::v1::FreezeRoundRequest* request,
    assessment::v1::FreezeRoundResponse* response) {
  const absl::Time deadline = DeadlineOf(*context);
  return RunWrite(
      parts_, *context,
      [this, request](const Call& call) { return PlanFreeze(parts_.store, *request, call); },
      [this, request, response, deadline](const store::Written& written) -> absl::Status {
        RETURN_IF_ERROR(
            AnswerAct(parts_.store, request->round(), written.revision, deadline, *response));
        if (!written.replayed) AddImportsUnderWay(parts_.store, deadline, *response);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* RoundServiceImpl::WithdrawRound(
    grpc::CallbackServerContext* context, const assessment::v1::WithdrawRoundRequest* request,
    assessment::v1::WithdrawRoundResponse* response) {
  return RunAct(parts_, *context, request, response, &PlanWithdrawal);
}

grpc::ServerUnaryReactor* RoundServiceImpl::PublishRound(
    grpc::CallbackServerContext* context, const assessment::v1::PublishRoundRequest* request,
    assessment::v1::PublishRoundResponse* response) {
  const auto moves = std::make_shared<MoveCounts>();
  const absl::Time deadline = DeadlineOf(*context);
  return RunWrite(
      parts_, *context,
      [this, request, moves](const Call& call) {
        return PlanPublish(parts_.store, *request, call, *moves);
      },
      [this, request, response, deadline, moves](const store::Written& written) {
        if (!written.replayed) parts_.metrics.OnPublished(*moves);
        return AnswerAct(parts_.store, request->round(), written.revision, deadline, *response);
      });
}

grpc::ServerReadReactor<assessment::v1::RecordRatingsRequest>* RoundServiceImpl::RecordRatings(
    grpc::CallbackServerContext* context, assessment::v1::RecordRatingsResponse* response) {
  return NewRatingsStream(parts_, *context, *response);
}

grpc::ServerUnaryReactor* RoundServiceImpl::GetRound(grpc::CallbackServerContext* context,
                                                     const assessment::v1::GetRoundRequest* request,
                                                     assessment::v1::GetRoundResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::GetRound(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RoundServiceImpl::ListRounds(
    grpc::CallbackServerContext* context, const assessment::v1::ListRoundsRequest* request,
    assessment::v1::ListRoundsResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListRounds(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RoundServiceImpl::CheckRound(
    grpc::CallbackServerContext* context, const assessment::v1::CheckRoundRequest* request,
    assessment::v1::CheckRoundResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::CheckRound(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerWriteReactor<assessment::v1::WatchRoundsResponse>* RoundServiceImpl::WatchRounds(
    grpc::CallbackServerContext* context, const assessment::v1::WatchRoundsRequest* request) {
  return NewRoundsWatchStream(watching_, *context, *request);
}

grpc::ServerUnaryReactor* RoundServiceImpl::GetPublishedRating(
    grpc::CallbackServerContext* context, const assessment::v1::GetPublishedRatingRequest* request,
    assessment::v1::GetPublishedRatingResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::GetPublishedRating(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RoundServiceImpl::ListPublishedRatings(
    grpc::CallbackServerContext* context,
    const assessment::v1::ListPublishedRatingsRequest* request,
    assessment::v1::ListPublishedRatingsResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListPublishedRatings(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RoundServiceImpl::ListSpecialMeasures(
    grpc::CallbackServerContext* context, const assessment::v1::ListSpecialMeasuresRequest* request,
    assessment::v1::ListSpecialMeasuresResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListSpecialMeasures(parts_.store, *request, deadline, *response);
  });
}

}  // namespace starratings::service
