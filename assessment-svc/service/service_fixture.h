// What the tests of the services share: all three of them over a memory store
// behind a double, called through gRPC within the process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "assessment-svc/service/evidence_service.h"
#include "assessment-svc/service/metrics.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/register_service.h"
#include "assessment-svc/service/round_service.h"
#include "assessment-svc/service/store_double.h"
#include "common/digest/bucket.h"
#include "common/digest/sha256.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

namespace starratings::service {

// For short, in tests only.
namespace pb = assessment::v1;
namespace ev = evidence::v1;
namespace rt = rating::v1;

inline constexpr char kScheme[] =
    R"(id: "test" version: "1" title: "T" in_force { from: "2002-01-01" to: "2003-01-01" })";

class ServiceTest : public testing::Test {
 protected:
  // What the services learn of the head is `age` old.
  explicit ServiceTest(absl::Duration age = absl::ZeroDuration(),
                       const StreamSlots::Limits& limits = {},
                       const watch::TailOptions& watching = {})
      : limits_(limits),
        tail_options_(watching),
        store_(std::make_unique<StoreDouble>(*store::OpenStore("memory:"), age)) {
    grpc::ServerBuilder builder;
    for (grpc::Service* service :
         std::vector<grpc::Service*>{&evidence_service_, &register_service_, &round_service_}) {
      builder.RegisterService(service);
    }
    builder.SetMaxReceiveMessageSize(8 << 20);
    server_ = builder.BuildAndStart();
    const auto channel = server_->InProcessChannel({});
    evidence_ = pb::EvidenceService::NewStub(channel);
    register_ = pb::RegisterService::NewStub(channel);
    rounds_ = pb::RoundService::NewStub(channel);
  }

  ~ServiceTest() override { server_->Shutdown(); }

  // A UUID that was not used yet.
  std::string NewId() { return absl::StrFormat("00000000-0000-4000-8000-%012d", ++ids_); }

  // Calls a unary method as `actor_`.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const std::unique_ptr<Stub>& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    if (!actor_.empty()) context.AddMetadata("starratings-actor", actor_);
    response->Clear();
    return serving::FromGrpcStatus(((*stub).*method)(&context, request, response));
  }

  template <typename Response, typename Stub, typename Request>
  Response Must(const std::unique_ptr<Stub>& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    Response response;
    const absl::Status status = Call(stub, method, request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  // Three councils (one closed before the round), a period, codes, a scheme.
  void RegisterAll() {
    pb::RegisterRequest request;
    request.set_request_id(NewId());
    for (const char* id : {"Leeds", "Hull", "Closed"}) {
      auto& organisation = *request.add_organisations();
      organisation.set_id(id);
      organisation.set_name(std::string("The ") + id);
      organisation.set_kind("council");
    }
    request.mutable_organisations(2)->set_to("2002-01-01");
    auto& period = *request.add_periods();
    period.set_id("2001-02");
    period.set_from("2001-04-01");
    period.set_to("2002-04-01");
    AddCode(request, "judgement", ev::VALUE_TYPE_LEVEL)
        .mutable_levels()
        ->Assign(kLevels.begin(), kLevels.end());
    AddCode(request, "rate", ev::VALUE_TYPE_DECIMAL).set_maximum("100");
    AddCode(request, "special_measures.list_state", ev::VALUE_TYPE_LEVEL)
        .mutable_levels()
        ->Assign(kStates.begin(), kStates.end());
    Must(register_, &pb::RegisterService::Stub::Register, request);
    pb::RegisterSchemeRequest scheme;
    scheme.set_request_id(NewId());
    scheme.set_text(kScheme);
    scheme_digest_ = Must(register_, &pb::RegisterService::Stub::RegisterScheme, scheme).digest();
    const std::string author = std::exchange(actor_, "approver");
    EXPECT_TRUE(TryApprove(scheme_digest_).ok());
    actor_ = author;
  }

  absl::Status TryApprove(const std::string& digest) {
    pb::ApproveSchemeRequest request;
    request.set_request_id(NewId());
    request.set_digest(digest);
    pb::ApproveSchemeResponse response;
    return Call(register_, &pb::RegisterService::Stub::ApproveScheme, request, &response);
  }

  static ev::Code& AddCode(pb::RegisterRequest& request, const std::string& id,
                           ev::ValueType type) {
    ev::Code& code = *request.add_codes();
    code.set_id(id);
    code.set_title(id);
    code.set_kind(ev::KIND_INDICATOR);
    code.set_value_type(type);
    return code;
  }

  // A batch of one item; change it before it is sent.
  pb::SubmitEvidenceRequest OneItem(const std::string& organisation, const std::string& level) {
    pb::SubmitEvidenceRequest request;
    request.set_request_id(NewId());
    auto& source = *request.add_sources();
    source.set_id("a");
    source.set_title("Inspection");
    ev::EvidenceItem& item = *request.add_items()->mutable_item();
    item.set_organisation(organisation);
    item.set_period("2001-02");
    item.set_code("judgement");
    item.mutable_value()->set_level(level);
    item.set_source_id("a");
    return request;
  }

  pb::SubmitEvidenceResponse Submit(const pb::SubmitEvidenceRequest& request) {
    return Must(evidence_, &pb::EvidenceService::Stub::SubmitEvidence, request);
  }
  absl::Status TrySubmit(const pb::SubmitEvidenceRequest& request) {
    pb::SubmitEvidenceResponse response;
    return Call(evidence_, &pb::EvidenceService::Stub::SubmitEvidence, request, &response);
  }

  // All places of streams but `left`, until they are let go.
  std::vector<std::unique_ptr<StreamSlot>> TakePlaces(int left) {
    struct Nobody final : StreamHolder {
      void OnTooSlow() override {}
      void OnStuck() override {}
    };
    static Nobody* const nobody = new Nobody;
    std::vector<std::unique_ptr<StreamSlot>> places;
    for (int i = left; i < kStreamsMost; ++i) {
      places.push_back(std::make_unique<StreamSlot>(slots_, *nobody, absl::Hours(1)));
      EXPECT_TRUE(places.back()->taken());
    }
    return places;
  }

  int64_t Head() { return *store_->Head(absl::InfiniteFuture()); }

  static std::string ReasonOf(const absl::Status& status) {
    return status::DetailOf(status).reason;
  }
  static std::vector<std::string> FieldsOf(const absl::Status& status) {
    std::vector<std::string> fields;
    for (const auto& field : status::DetailOf(status).fields) fields.push_back(field.field);
    return fields;
  }

  const std::vector<std::string> kLevels = {"no", "some", "most", "yes"};
  const std::vector<std::string> kStates = {"on", "off"};

  const StreamSlots::Limits limits_;
  const watch::TailOptions tail_options_;
  std::string actor_ = "analyst";
  std::string scheme_digest_;
  prometheus::Registry registry_;
  Metrics metrics_{registry_};
  const std::unique_ptr<StoreDouble> store_;
  store::Committer committer_{*store_, {}, &metrics_};
  RegisterCache registers_{*store_};
  serving::Pool calls_{2, 1'000};
  serving::Pool streams_{2, kStreamStepsMost};
  serving::Pool notes_{1, kStreamStepsMost};
  StreamSlots slots_{limits_};
  Attempts attempts_;
  const Parts parts_{*store_, committer_, registers_, calls_,  streams_,
                     notes_,  slots_,     attempts_,  metrics_};
  watch::Tail tail_{*store_, 0, tail_options_, &metrics_};
  serving::Pool watchers_{1, watch::TailOptions().watchers_most};
  const WatchParts watching_{*store_, tail_, watchers_};
  EvidenceServiceImpl evidence_service_{parts_, watching_};
  RegisterServiceImpl register_service_{parts_};
  RoundServiceImpl round_service_{parts_, watching_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<pb::EvidenceService::Stub> evidence_;
  std::unique_ptr<pb::RegisterService::Stub> register_;
  std::unique_ptr<pb::RoundService::Stub> rounds_;
  int ids_ = 0;
};

}  // namespace starratings::service
