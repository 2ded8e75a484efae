#include "assessment-svc/service/register_service.h"

#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/register_reads.h"
#include "assessment-svc/service/register_writes.h"
#include "assessment-svc/service/snapshots.h"

namespace starratings::service {

grpc::ServerUnaryReactor* RegisterServiceImpl::Register(
    grpc::CallbackServerContext* context, const assessment::v1::RegisterRequest* request,
    assessment::v1::RegisterResponse* response) {
  return RunWrite(
      parts_, *context,
      [this, request](const Call& call) { return PlanRegister(parts_.store, *request, call); },
      [this, response](const store::Written& written) {
        parts_.registers.Forget();
        *response->mutable_snapshot() = SnapshotAt(parts_.store, written.revision);
        response->set_replayed(written.replayed);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::RegisterScheme(
    grpc::CallbackServerContext* context, const assessment::v1::RegisterSchemeRequest* request,
    assessment::v1::RegisterSchemeResponse* response) {
  return RunWrite(
      parts_, *context,
      [this, request, response](const Call& call) {
        return PlanRegisterScheme(parts_.store, *request, call, *response);
      },
      [this, response](const store::Written& written) {
        *response->mutable_snapshot() = SnapshotAt(parts_.store, written.revision);
        response->set_replayed(written.replayed);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::ApproveScheme(
    grpc::CallbackServerContext* context, const assessment::v1::ApproveSchemeRequest* request,
    assessment::v1::ApproveSchemeResponse* response) {
  return RunWrite(
      parts_, *context,
      [this, request](const Call& call) { return PlanApproveScheme(parts_.store, *request, call); },
      [this, response](const store::Written& written) {
        *response->mutable_snapshot() = SnapshotAt(parts_.store, written.revision);
        response->set_replayed(written.replayed);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::ListOrganisations(
    grpc::CallbackServerContext* context, const assessment::v1::ListOrganisationsRequest* request,
    assessment::v1::ListOrganisationsResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListOrganisations(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::ListPeriods(
    grpc::CallbackServerContext* context, const assessment::v1::ListPeriodsRequest* request,
    assessment::v1::ListPeriodsResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListPeriods(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::ListCodes(
    grpc::CallbackServerContext* context, const assessment::v1::ListCodesRequest* request,
    assessment::v1::ListCodesResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::ListCodes(parts_.store, *request, deadline, *response);
  });
}

grpc::ServerUnaryReactor* RegisterServiceImpl::GetSchemeText(
    grpc::CallbackServerContext* context, const assessment::v1::GetSchemeTextRequest* request,
    assessment::v1::GetSchemeTextResponse* response) {
  return RunRead(parts_, *context, [this, request, response](absl::Time deadline) {
    return service::GetSchemeText(parts_.store, *request, deadline, *response);
  });
}

}  // namespace starratings::service
