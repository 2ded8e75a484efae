// What one run of starctl works with: the services it was told of, how to call
// them, and where its output goes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/serving/grpc_status.h"
#include "common/status/status_macros.h"
#include "grpcpp/grpcpp.h"
#include "starctl/options.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/assessment/v1/register_service.grpc.pb.h"
#include "starratings/assessment/v1/round_service.grpc.pb.h"
#include "starratings/rating/v1/rating_service.grpc.pb.h"
#include "starratings/rating/v1/scheme_service.grpc.pb.h"

namespace starratings::starctl {

struct Assessment {
  std::unique_ptr<assessment::v1::EvidenceService::Stub> evidence;
  std::unique_ptr<assessment::v1::RegisterService::Stub> registers;
  std::unique_ptr<assessment::v1::RoundService::Stub> rounds;
};

struct Rating {
  std::unique_ptr<rating::v1::RatingService::Stub> ratings;
  std::unique_ptr<rating::v1::SchemeService::Stub> schemes;
};

class Session {
 public:
  explicit Session(GlobalOptions options) : options_(std::move(options)) {}

  bool json() const { return options_.output == "json"; }
  bool has_rating() const { return !options_.rating.empty(); }

  // Stubs, made at the first call. Return BAD_USAGE if the address or the
  // credentials were not given, BAD_FILE if a certificate cannot be used.
  absl::StatusOr<const Assessment*> assessment();
  absl::StatusOr<const Rating*> rating();

  // Puts the deadline and the actor into `context`.
  void Prepare(grpc::ClientContext& context) const;

  // Calls one method once.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) const {
    grpc::ClientContext context;
    Prepare(context);
    return serving::FromGrpcStatus((stub.*method)(&context, request, &response));
  }

  // Prints text for people, or for programs.
  void Print(absl::string_view text) const;

 private:
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel(const std::string& address,
                                                         absl::string_view flag) const;

  const GlobalOptions options_;
  Assessment assessment_;
  Rating rating_;
};

// UNAVAILABLE, CANCELLED (by a service that is stopping), a deadline that
// passed, a service that asks for patience, or has lost its own with us.
bool IsWorthRepeating(const absl::Status& status);

// Calls `attempt` until it succeeds, fails for good, or `patience` is over;
// waits between attempts, longer each time. For calls that are safe to repeat:
// reads, and writes under one request id.
absl::Status Retrying(absl::Duration patience, const std::function<absl::Status()>& attempt);

}  // namespace starratings::starctl
