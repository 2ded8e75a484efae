// Answers RegisterService. Errors are described in register_service.proto and
// docs/errors.md.
#pragma once

#include "assessment-svc/service/parts.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/register_service.grpc.pb.h"

namespace starratings::service {

// Thread-safe: holds nothing that changes.
class RegisterServiceImpl final : public assessment::v1::RegisterService::CallbackService {
 public:
  // `parts` must outlive the service.
  explicit RegisterServiceImpl(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context,
                                     const assessment::v1::RegisterRequest* request,
                                     assessment::v1::RegisterResponse* response) override;
  grpc::ServerUnaryReactor* RegisterScheme(
      grpc::CallbackServerContext* context, const assessment::v1::RegisterSchemeRequest* request,
      assessment::v1::RegisterSchemeResponse* response) override;
  grpc::ServerUnaryReactor* ApproveScheme(grpc::CallbackServerContext* context,
                                          const assessment::v1::ApproveSchemeRequest* request,
                                          assessment::v1::ApproveSchemeResponse* response) override;
  grpc::ServerUnaryReactor* ListOrganisations(
      grpc::CallbackServerContext* context, const assessment::v1::ListOrganisationsRequest* request,
      assessment::v1::ListOrganisationsResponse* response) override;
  grpc::ServerUnaryReactor* ListPeriods(grpc::CallbackServerContext* context,
                                        const assessment::v1::ListPeriodsRequest* request,
                                        assessment::v1::ListPeriodsResponse* response) override;
  grpc::ServerUnaryReactor* ListCodes(grpc::CallbackServerContext* context,
                                      const assessment::v1::ListCodesRequest* request,
                                      assessment::v1::ListCodesResponse* response) override;
  grpc::ServerUnaryReactor* GetSchemeText(grpc::CallbackServerContext* context,
                                          const assessment::v1::GetSchemeTextRequest* request,
                                          assessment::v1::GetSchemeTextResponse* response) override;

 private:
  const Parts& parts_;
};

}  // namespace starratings::service
