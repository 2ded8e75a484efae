// Answers EvidenceService. Each method hands its request to a function of
// evidence_writes.h or evidence_reads.h, or to a class of its own; errors are described
// in evidence_service.proto and docs/errors.md.
#pragma once

#include "assessment-svc/service/dossier_reads.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/watch_stream.h"
#include "common/serving/recycling.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"

namespace starratings::service {

// Thread-safe.
class EvidenceServiceImpl final : public assessment::v1::EvidenceService::CallbackService {
 public:
  // Both must outlive the service.
  EvidenceServiceImpl(const Parts& parts, const WatchParts& watching)
      : parts_(parts), watching_(watching), dossiers_(parts.store, parts.calls) {
    SetMessageAllocatorFor_GetDossier(&dossier_messages_);
    SetMessageAllocatorFor_SubmitEvidence(&submit_messages_);
  }

  grpc::ServerUnaryReactor* SubmitEvidence(
      grpc::CallbackServerContext* context, const assessment::v1::SubmitEvidenceRequest* request,
      assessment::v1::SubmitEvidenceResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawEvidence(
      grpc::CallbackServerContext* context, const assessment::v1::WithdrawEvidenceRequest* request,
      assessment::v1::WithdrawEvidenceResponse* response) override;
  grpc::ServerUnaryReactor* GetEvidence(grpc::CallbackServerContext* context,
                                        const assessment::v1::GetEvidenceRequest* request,
                                        assessment::v1::GetEvidenceResponse* response) override;
  grpc::ServerUnaryReactor* ListEvidence(grpc::CallbackServerContext* context,
                                         const assessment::v1::ListEvidenceRequest* request,
                                         assessment::v1::ListEvidenceResponse* response) override;
  grpc::ServerUnaryReactor* ListEvidenceRevisions(
      grpc::CallbackServerContext* context,
      const assessment::v1::ListEvidenceRevisionsRequest* request,
      assessment::v1::ListEvidenceRevisionsResponse* response) override;
  grpc::ServerUnaryReactor* GetDossier(grpc::CallbackServerContext* context,
                                       const assessment::v1::GetDossierRequest* request,
                                       assessment::v1::GetDossierResponse* response) override;
  grpc::ServerWriteReactor<assessment::v1::ExportDossiersResponse>* ExportDossiers(
      grpc::CallbackServerContext* context,
      const assessment::v1::ExportDossiersRequest* request) override;
  grpc::ServerBidiReactor<assessment::v1::IngestEvidenceRequest,
                          assessment::v1::IngestEvidenceResponse>*
  IngestEvidence(grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<assessment::v1::WatchEvidenceResponse>* WatchEvidence(
      grpc::CallbackServerContext* context,
      const assessment::v1::WatchEvidenceRequest* request) override;
  grpc::ServerUnaryReactor* ResolveRevision(
      grpc::CallbackServerContext* context, const assessment::v1::ResolveRevisionRequest* request,
      assessment::v1::ResolveRevisionResponse* response) override;

 private:
  const Parts& parts_;
  const WatchParts& watching_;
  DossierReads dossiers_;
  serving::RecyclingAllocator<assessment::v1::GetDossierRequest, assessment::v1::GetDossierResponse>
      dossier_messages_;
  serving::RecyclingAllocator<assessment::v1::SubmitEvidenceRequest,
                              assessment::v1::SubmitEvidenceResponse>
      submit_messages_;
};

}  // namespace starratings::service
