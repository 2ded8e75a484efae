#include <iostream>

#include "grpcpp/grpcpp.h"
#include "starratings/rating/v1/rating_service.grpc.pb.h"

// Prints what a round makes of an organisation: rate ADDRESS ROUND ORGANISATION
int main(int argc, char** argv) {
  namespace v1 = starratings::rating::v1;
  if (argc != 4) return 2;
  const auto stub =
      v1::RatingService::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  v1::RateOrganisationRequest request;
  request.set_round(argv[2]);
  request.set_organisation(argv[3]);
  request.set_trace(v1::TRACE_DETAIL_FULL);
  v1::RateOrganisationResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub->RateOrganisation(&context, request, &response);
  if (!status.ok()) {
    std::cerr << status.error_message() << "\n";
    return 1;
  }
  for (const std::string& sentence : response.rating().trace().sentences()) {
    std::cout << sentence << "\n";
  }
}
