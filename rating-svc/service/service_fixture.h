// Both services over a record in memory, for the unit tests of this room.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "rating-svc/service/fake_assessment.h"
#include "rating-svc/service/rating_service.h"
#include "rating-svc/service/scheme_service.h"
#include "rating-svc/verify/verify.h"

namespace starratings::service {

class RatingServiceTest : public testing::Test {
 protected:
  // Starts the services with the test scheme at hand, or with none.
  void Start(bool scheme_at_hand = true, RatingLimits limits = {}) {
    StartOn(fake_.Channel(), scheme_at_hand, limits);
  }

  void StartOn(std::shared_ptr<grpc::Channel> channel, bool scheme_at_hand = true,
               RatingLimits limits = {}) {
    std::vector<SchemePtr> loaded;
    if (scheme_at_hand) loaded.push_back(verify::Verify(SchemeText()).scheme);
    client_ = std::make_unique<EvidenceClient>(std::move(channel), "rating-svc");
    schemes_ = std::make_unique<SchemeLibrary>(loaded, RecordOf(*client_));
    metrics_ = std::make_unique<RatingMetrics>(registry_);
    dossiers_ = std::make_unique<DossierReader>(*client_, std::nullopt);
    service_ =
        std::make_unique<RatingServiceImpl>(*client_, *dossiers_, *schemes_, *metrics_, limits);
    scheme_service_ = std::make_unique<SchemeServiceImpl>(*schemes_);
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    builder.RegisterService(scheme_service_.get());
    server_ = builder.BuildAndStart();
    stub_ = rating::v1::RatingService::NewStub(server_->InProcessChannel({}));
    scheme_stub_ = rating::v1::SchemeService::NewStub(server_->InProcessChannel({}));
  }

  ~RatingServiceTest() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  absl::StatusOr<rating::v1::Rating> Rate(const rating::v1::RateOrganisationRequest& request) {
    grpc::ClientContext context;
    rating::v1::RateOrganisationResponse response;
    const grpc::Status status = stub_->RateOrganisation(&context, request, &response);
    if (!status.ok()) return serving::FromGrpcStatus(status);
    return response.rating();
  }

  // A request by scheme that is right in every field.
  static rating::v1::RateOrganisationRequest ByScheme(const std::string& organisation) {
    rating::v1::RateOrganisationRequest request;
    request.set_organisation(organisation);
    request.mutable_scheme()->set_scheme("test@1");
    request.mutable_scheme()->set_period("2001-02");
    request.mutable_scheme()->set_date("2002-05-30");
    return request;
  }

  static rating::v1::RateOrganisationRequest ByRound(const std::string& organisation) {
    rating::v1::RateOrganisationRequest request;
    request.set_organisation(organisation);
    request.set_round("r");
    return request;
  }

  struct Streamed {
    std::vector<rating::v1::Rating> ratings;
    std::vector<rating::v1::RateRoundResponse> messages;
    rating::v1::Summary summary;
    absl::Status status;
  };

  Streamed RateRound(const std::string& round = "r") {
    rating::v1::RateRoundRequest request;
    request.set_round(round);
    return RateRound(request);
  }

  Streamed RateRound(const rating::v1::RateRoundRequest& request) {
    grpc::ClientContext context;
    const auto reader = stub_->RateRound(&context, request);
    Streamed streamed;
    rating::v1::RateRoundResponse message;
    while (reader->Read(&message)) {
      streamed.messages.push_back(message);
      for (const auto& rating : message.ratings().ratings()) streamed.ratings.push_back(rating);
      if (message.has_summary()) streamed.summary = message.summary();
    }
    streamed.status = serving::FromGrpcStatus(reader->Finish());
    return streamed;
  }

  absl::StatusOr<rating::v1::RecordRoundResponse> Record(const std::string& actor = "analyst") {
    grpc::ClientContext context;
    if (!actor.empty()) context.AddMetadata("starratings-actor", actor);
    rating::v1::RecordRoundRequest request;
    request.set_round("r");
    request.set_etag("etag-1");
    request.set_request_id("6f1c0a5e-0d3b-4b6e-9a55-2f8f3f1f9b11");
    rating::v1::RecordRoundResponse response;
    const grpc::Status status = stub_->RecordRound(&context, request, &response);
    if (!status.ok()) return serving::FromGrpcStatus(status);
    return response;
  }

  void AddMany(int count) {
    const std::array<std::string, 4> levels = {"poor", "fair", "good", ""};
    for (int i = 0; i < count; ++i) {
      fake_.Add(absl::StrCat("org-", i), levels[static_cast<size_t>(i % 4)]);
    }
  }

  FakeAssessment fake_;
  const std::string digest_ = SchemeDigestOf(SchemeText());
  prometheus::Registry registry_;
  std::unique_ptr<EvidenceClient> client_;
  std::unique_ptr<DossierReader> dossiers_;
  std::unique_ptr<SchemeLibrary> schemes_;
  std::unique_ptr<RatingMetrics> metrics_;
  std::unique_ptr<RatingServiceImpl> service_;
  std::unique_ptr<SchemeServiceImpl> scheme_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<rating::v1::RatingService::Stub> stub_;
  std::unique_ptr<rating::v1::SchemeService::Stub> scheme_stub_;
};

inline std::string ReasonOf(const absl::Status& status) { return status::DetailOf(status).reason; }

inline std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& field : status::DetailOf(status).fields) fields.push_back(field.field);
  return fields;
}

}  // namespace starratings::service
