// Answers EvidenceService. Each method hands its request to a function of
// evidence_writes.h, evidence_reads.h or dossier_export.h; errors are described
// in evidence_service.proto and docs/errors.md.
#pragma once

#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/watch_stream.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"

namespace starratings::service {

// Thread-safe: holds nothing that changes.
class EvidenceServiceImpl final : public assessment::v1::EvidenceService::CallbackService {
 public:
  // Both must outlive the service.
  EvidenceServiceImpl(const Parts& parts, const WatchParts& watching)
      : parts_(parts), watching_(watching) {}

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
};

}  // namespace starratings::service
