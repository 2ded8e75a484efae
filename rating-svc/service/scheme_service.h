// Answers SchemeService. Errors are described in scheme_service.proto.
#pragma once

#include "common/serving/pool.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/scheme_service.grpc.pb.h"

namespace starratings::service {

// Thread-safe. The server must be shut down before it is destroyed.
class SchemeServiceImpl final : public rating::v1::SchemeService::CallbackService {
 public:
  // `schemes` must outlive the service.
  explicit SchemeServiceImpl(SchemeLibrary& schemes);

  grpc::ServerUnaryReactor* ListSchemes(grpc::CallbackServerContext* context,
                                        const rating::v1::ListSchemesRequest* request,
                                        rating::v1::ListSchemesResponse* response) override;

  grpc::ServerUnaryReactor* GetScheme(grpc::CallbackServerContext* context,
                                      const rating::v1::GetSchemeRequest* request,
                                      rating::v1::GetSchemeResponse* response) override;

  grpc::ServerUnaryReactor* VerifyScheme(grpc::CallbackServerContext* context,
                                         const rating::v1::VerifySchemeRequest* request,
                                         rating::v1::VerifySchemeResponse* response) override;

 private:
  absl::Status Get(const std::string& ref, absl::Time deadline,
                   rating::v1::GetSchemeResponse& response);

  SchemeLibrary& schemes_;
  // A proof takes long; those who rate do not wait for it.
  serving::Pool proofs_;
};

}  // namespace starratings::service
