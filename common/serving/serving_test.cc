// Errors, identity and the pool, over an in-process server.
#include <atomic>
#include <memory>
#include <string>

#include "common/serving/channel.h"
#include "common/serving/grpc_status.h"
#include "common/serving/identity.h"
#include "common/serving/pool.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "starratings/rating/v1/scheme_service.grpc.pb.h"

namespace starratings::serving {
namespace {

TEST(GrpcStatusTest, DetailsCrossTheWire) {
  status::ErrorDetail detail;
  detail.reason = "QUEUE_FULL";
  detail.metadata = {{"limit", "1000"}};
  detail.fields = {{"items[3].value", "must be better"}};
  detail.preconditions = {{"ROUND_STATE", "rounds/x", "freeze it"}};
  detail.retry_after = absl::Milliseconds(1'250);
  const absl::Status error =
      status::ErrorWithDetail(absl::StatusCode::kResourceExhausted, "full", detail);

  const absl::Status back = FromGrpcStatus(ToGrpcStatus(error));

  EXPECT_EQ(back.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(back.message(), "full");
  EXPECT_EQ(status::DetailOf(back), detail);
}

TEST(GrpcStatusTest, WhatIsNoneOfTheCallersBusinessStaysHere) {
  const grpc::Status status = ToGrpcStatus(absl::InternalError("no such table: /var/lib/record"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), testing::Not(testing::HasSubstr("table")));
}

TEST(GrpcStatusTest, EveryErrorHasAReason) {
  const absl::Status back = FromGrpcStatus(ToGrpcStatus(absl::NotFoundError("no")));
  EXPECT_EQ(status::DetailOf(back).reason, "NOT_FOUND");
}

TEST(PoolTest, RunsWhatItTookAndRefusesWhatIsTooMuch) {
  std::atomic<int> ran = 0;
  int taken = 0;
  {
    absl::Mutex gate;
    Pool pool(1, 3);
    {
      const absl::MutexLock lock(&gate);  // Holds the one thread up.
      for (int i = 0; i < 10; ++i) {
        const bool took = pool.Run([&] {
          const absl::MutexLock inner(&gate);
          ++ran;
        });
        taken += took ? 1 : 0;
      }
      // Three that wait, and perhaps the one that is being run.
      EXPECT_GE(taken, 3);
      EXPECT_LE(taken, 4);
    }
  }
  EXPECT_EQ(ran, taken);
}

TEST(ChannelTest, AsksForPlaintextOrTlsAndNotBoth) {
  EXPECT_FALSE(NewChannel({.address = "localhost:1", .insecure = false, .tls_directory = ""}).ok());
  EXPECT_FALSE(NewChannel({.address = "localhost:1", .insecure = true, .tls_directory = "x"}).ok());
  EXPECT_TRUE(NewChannel({.address = "localhost:1", .insecure = true, .tls_directory = ""}).ok());
  const auto missing =
      NewChannel({.address = "localhost:1", .insecure = false, .tls_directory = "/nowhere"});
  EXPECT_THAT(std::string(missing.status().message()), testing::HasSubstr("/nowhere/tls.crt"));
}

// Answers with the caller's actor as the scheme's title.
class Echo final : public rating::v1::SchemeService::Service {
  grpc::Status GetScheme(grpc::ServerContext* context, const rating::v1::GetSchemeRequest*,
                         rating::v1::GetSchemeResponse* response) override {
    const auto actor = ActorOf(*context);
    if (!actor.ok()) return ToGrpcStatus(actor.status());
    response->set_text(*actor);
    return grpc::Status::OK;
  }
};

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&echo_);
    server_ = builder.BuildAndStart();
    stub_ = rating::v1::SchemeService::NewStub(server_->InProcessChannel({}));
  }

  grpc::Status Ask(const std::vector<std::string>& actors, std::string& answer) {
    grpc::ClientContext context;
    for (const std::string& actor : actors) context.AddMetadata("starratings-actor", actor);
    rating::v1::GetSchemeResponse response;
    const grpc::Status status = stub_->GetScheme(&context, {}, &response);
    answer = response.text();
    return status;
  }

  Echo echo_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<rating::v1::SchemeService::Stub> stub_;
};

TEST_F(IdentityTest, OnPlaintextTheActorIsWhoeverItSays) {
  std::string answer;
  EXPECT_TRUE(Ask({"analyst"}, answer).ok());
  EXPECT_EQ(answer, "analyst");
}

TEST_F(IdentityTest, NobodyAndTwoAtOnceAreRefused) {
  std::string answer;
  for (const std::vector<std::string>& actors :
       {std::vector<std::string>{}, {"a", "b"}, {std::string(201, 'x')}}) {
    const grpc::Status status = Ask(actors, answer);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(status::DetailOf(FromGrpcStatus(status)).reason, "ACTOR_REQUIRED");
  }
}

}  // namespace
}  // namespace starratings::serving
