// Policies, the roles of rpcs, throttles and what is watched.
#include "common/serving/policy.h"

#include <atomic>

#include "absl/time/clock.h"
#include "common/serving/throttle.h"
#include "common/serving/watched.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/assessment/v1/register_service.grpc.pb.h"
#include "starratings/assessment/v1/round_service.grpc.pb.h"
#include "starratings/rating/v1/rating_service.grpc.pb.h"
#include "starratings/rating/v1/scheme_service.grpc.pb.h"

namespace starratings::serving {
namespace {

using testing::HasSubstr;

constexpr char kPolicy[] = R"(
grants { identity: "spiffe://ssi/anna" roles: [ROLE_INSPECTOR, ROLE_PUBLISHER] }
grants { identity: "spiffe://ssi/councils/*" roles: ROLE_READER }
grants {
  identity: "spiffe://ssi/councils/camden"
  roles: ROLE_SUPPLIER
  organisations: "camden"
}
)";

TEST(PolicyTest, WhoIsNotNamedMayDoNothing) {
  const auto policy = Policy::Parse(kPolicy);
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(NamesOf(policy->RolesOf("spiffe://ssi/anna")), "inspector, publisher");
  for (const char* nobody : {"", "spiffe://ssi/ann", "spiffe://ssi/anna/x", "spiffe://ssi",
                             "spiffe://ssi/", "spiffe://ssi/councils", "spiffe://ssi/councils/",
                             "spiffe://ssi/councilsX/y", "http://ssi/anna"}) {
    EXPECT_EQ(policy->RolesOf(nobody), 0u) << nobody;
  }
}

TEST(PolicyTest, GrantsOfAFamilyAddUp) {
  const auto policy = Policy::Parse(kPolicy);
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(NamesOf(policy->RolesOf("spiffe://ssi/councils/camden")), "supplier, reader");
  EXPECT_EQ(NamesOf(policy->RolesOf("spiffe://ssi/councils/barnet")), "reader");
  EXPECT_EQ(NamesOf(policy->RolesOf("spiffe://ssi/councils/london/barnet")), "reader");
  EXPECT_TRUE(policy->Supplies("spiffe://ssi/councils/camden", "camden"));
  EXPECT_FALSE(policy->Supplies("spiffe://ssi/councils/camden", "barnet"));
  EXPECT_FALSE(policy->Supplies("spiffe://ssi/councils/barnet", "camden"));
}

TEST(PolicyTest, EveryFaultIsNamedWithItsLine) {
  const std::pair<const char*, const char*> faults[] = {
      {"", "1: grants: must have 1 to"},
      {"grants {\n  identity: \"anna\" roles: ROLE_READER }", "1: identity: must be a URI"},
      {"grants { identity: \"a://b/*/c\" roles: ROLE_READER }", "* may only be the last part"},
      {"grants { identity: \"a://*\" roles: ROLE_READER }", "* may only be the last part"},
      {"\ngrants { identity: \"a://b\" }", "2: roles: must have one at least"},
      {"grants { identity: \"a://b\" roles: ROLE_UNSPECIFIED }", "roles: must say a role"},
      {"grants { identity: \"a://b\" roles: ROLE_SUPPLIER }", "must say for whom"},
      {"grants { identity: \"a://b\" roles: ROLE_READER organisations: \"x\" }",
       "must be empty without ROLE_SUPPLIER"},
      {"grants { identity: \"a://b\" role: ROLE_READER }", "no field named \"role\""},
      {"grants { identity: \"a://b\" roles: ROLE_KING }", "ROLE_KING"}};
  for (const auto& [text, fault] : faults) {
    const auto policy = Policy::Parse(text);
    ASSERT_FALSE(policy.ok()) << text;
    EXPECT_THAT(policy.status().message(), HasSubstr(fault)) << text;
  }
}

// A new rpc without a rule fails here, and keeps the service from starting.
TEST(AccessRulesTest, EveryRpcSaysWhoMayCallIt) {
  const auto rules = AccessRules::Of({assessment::v1::EvidenceService::service_full_name(),
                                      assessment::v1::RegisterService::service_full_name(),
                                      assessment::v1::RoundService::service_full_name(),
                                      rating::v1::RatingService::service_full_name(),
                                      rating::v1::SchemeService::service_full_name()});
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(NamesOf(rules->OpenTo("/starratings.assessment.v1.RoundService/PublishRound")),
            "publisher");
  EXPECT_EQ(rules->OpenTo("/starratings.assessment.v1.RoundService/Nothing"), 0u);
  EXPECT_EQ(rules->OpenTo(""), 0u);
}

TEST(AccessRulesTest, AServiceWithoutRulesIsRefused) {
  const auto rules = AccessRules::Of({"grpc.health.v1.Health"});
  EXPECT_FALSE(rules.ok());
}

TEST(ThrottleTest, AnAverageWithABurst) {
  Throttle throttle(10);
  absl::Time now = absl::UnixEpoch();
  int let_in = 0;
  const auto ask = [&] {
    if (throttle.Wait("anna", now) > absl::ZeroDuration()) return;
    throttle.Take("anna", 1, now);
    ++let_in;
  };
  for (int i = 0; i < 100; ++i) ask();
  EXPECT_EQ(let_in, 20);  // Two seconds' worth.
  EXPECT_EQ(throttle.Wait("bert", now), absl::ZeroDuration());
  for (int tenth = 0; tenth < 100; ++tenth) {
    now += absl::Milliseconds(100);
    ask();
    ask();
  }
  EXPECT_EQ(let_in, 120);
}

TEST(ThrottleTest, WhatIsOwedIsWaitedFor) {
  Throttle throttle(100);
  const absl::Time now = absl::UnixEpoch();
  EXPECT_EQ(throttle.Wait("anna", now), absl::ZeroDuration());
  throttle.Take("anna", 1'200, now);  // 200 were there.
  EXPECT_GT(throttle.Wait("anna", now), absl::Seconds(9));
  EXPECT_EQ(throttle.Wait("anna", now + absl::Seconds(11)), absl::ZeroDuration());
}

TEST(ThrottleTest, NoLimit) {
  Throttle throttle(0);
  throttle.Take("anna", 1e9, absl::UnixEpoch());
  EXPECT_EQ(throttle.Wait("anna", absl::UnixEpoch()), absl::ZeroDuration());
}

// Waits until `what` holds.
template <typename What>
void Eventually(What what) {
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (!what() && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(what());
}

TEST(WatchedTest, WhatIsNoGoodIsToldOnceAndNeverTaken) {
  std::mutex mutex;
  absl::StatusOr<int> there = 1;
  std::atomic<int> loaded = 0, refused = 0, restored = 0, looks = 0;
  const auto put = [&](absl::StatusOr<int> what) {
    const std::lock_guard lock(mutex);
    there = std::move(what);
  };
  const Watched<int> watched(
      1,
      [&] {
        const std::lock_guard lock(mutex);
        ++looks;
        return there;
      },
      absl::Milliseconds(1),
      {[&] { ++loaded; }, [&](const absl::Status&) { ++refused; }, [&] { ++restored; }});
  put(2);
  Eventually([&] { return *watched.current() == 2; });
  put(absl::InternalError("garbage"));
  Eventually([&] { return refused == 1; });
  const int before = looks;
  Eventually([&] { return looks > before + 5; });
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(*watched.current(), 2);
  put(2);
  Eventually([&] { return restored == 1; });
  put(absl::InternalError("garbage"));
  Eventually([&] { return refused == 2; });
  put(3);
  Eventually([&] { return *watched.current() == 3; });
  EXPECT_EQ(loaded, 2);
}

}  // namespace
}  // namespace starratings::serving
