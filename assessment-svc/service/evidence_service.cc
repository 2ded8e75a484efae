#include "assessment-svc/service/evidence_service.h"

#include "assessment-svc/service/acting.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/dossier_stream.h"
#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/evidence_writes.h"
#include "assessment-svc/service/ingest_stream.h"
#include "assessment-svc/service/snapshots.h"
#include "common/serving/grpc_status.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

// A request with more items is not planned on a thread of gRPC's: it would hold
// up other calls for longer than it takes to hand it over.
constexpr int kItemsAtArrival = 16;

}  // namespace

grpc::ServerUnaryReactor* EvidenceServiceImpl::SubmitEvidence(
    grpc::CallbackServerContext* context, const assessment::v1::SubmitEvidenceRequest* request,
    assessment::v1::SubmitEvidenceResponse* response) {
  return RunWrite(
      parts_, *context,
      [this, request](const Call& call) { return PlanSubmit(parts_, *request, call); },
      [this, response](const store::Written& written) {
        AnswerSubmit(parts_.store, written, *response);
        return absl::OkStatus();
      },
      request->items_size() <= kItemsAtArrival ? PlanAt::kArrival : PlanAt::kPool);
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::WithdrawEvidence(
    grpc::CallbackServerContext* context, const assessment::v1::WithdrawEvidenceRequest* request,
    assessment::v1::WithdrawEvidenceResponse* response) {
  return RunWrite(
      parts_, *context,
      [this, request](const Call& call) { return PlanWithdraw(parts_, *request, call); },
      [this, response](const store::Written& written) {
        *response->mutable_snapshot() = SnapshotAt(parts_.store, written.revision);
        if (!written.etags.empty()) response->set_etag(written.etags.front());
        response->set_replayed(written.replayed);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::GetEvidence(
    grpc::CallbackServerContext* context, const assessment::v1::GetEvidenceRequest* request,
    assessment::v1::GetEvidenceResponse* response) {
  return RunRead(parts_, *context,
                 [this, context, request, response](absl::Time deadline) -> absl::Status {
                   RETURN_IF_ERROR(CheckMaySee(parts_, *context, request->key().organisation()));
                   return service::GetEvidence(parts_.store, *request, deadline, *response);
                 });
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::ListEvidence(
    grpc::CallbackServerContext* context, const assessment::v1::ListEvidenceRequest* request,
    assessment::v1::ListEvidenceResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListEvidence(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::ListEvidenceRevisions(
    grpc::CallbackServerContext* context,
    const assessment::v1::ListEvidenceRevisionsRequest* request,
    assessment::v1::ListEvidenceRevisionsResponse* response) {
  return RunRead(
      parts_, *context, [this, context, request, response](absl::Time deadline) -> absl::Status {
        RETURN_IF_ERROR(CheckMaySee(parts_, *context, request->key().organisation()));
        return service::ListEvidenceRevisions(parts_.store, *request, deadline, *response);
      });
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::GetDossier(
    grpc::CallbackServerContext* context, const assessment::v1::GetDossierRequest* request,
    assessment::v1::GetDossierResponse* response) {
  const absl::Status seen = CheckMaySee(parts_, *context, request->organisation());
  if (!seen.ok()) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(serving::ToGrpcStatus(seen));
    return reactor;
  }
  return dossiers_.Get(*context, *request, *response);
}

grpc::ServerWriteReactor<assessment::v1::ExportDossiersResponse>*
EvidenceServiceImpl::ExportDossiers(grpc::CallbackServerContext* context,
                                    const assessment::v1::ExportDossiersRequest* request) {
  return NewDossierStream(parts_, *context, *request);
}

grpc::ServerBidiReactor<assessment::v1::IngestEvidenceRequest,
                        assessment::v1::IngestEvidenceResponse>*
EvidenceServiceImpl::IngestEvidence(grpc::CallbackServerContext* context) {
  return NewIngestStream(parts_, *context);
}

grpc::ServerWriteReactor<assessment::v1::WatchEvidenceResponse>* EvidenceServiceImpl::WatchEvidence(
    grpc::CallbackServerContext* context, const assessment::v1::WatchEvidenceRequest* request) {
  return NewWatchStream(watching_, *context, *request);
}

grpc::ServerUnaryReactor* EvidenceServiceImpl::ResolveRevision(
    grpc::CallbackServerContext* context, const assessment::v1::ResolveRevisionRequest* request,
    assessment::v1::ResolveRevisionResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ResolveRevision(parts_.store, *request, deadline, *response);
  });
}

}  // namespace starratings::service
