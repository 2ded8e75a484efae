#include "starctl/certificates.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "common/serving/policy.h"
#include "common/serving/tls.h"
#include "gmock/gmock.h"
#include "starctl/commands.h"
#include "starctl/csv.h"
#include "starctl/session.h"

namespace starratings::starctl {
namespace {

namespace fs = std::filesystem;

class DevCertsTest : public testing::Test {
 protected:
  DevCertsTest() : session_(GlobalOptions()) {
    std::string pattern = testing::TempDir() + "/certs-XXXXXX";
    directory_ = fs::path(mkdtemp(pattern.data())) / "certs";
  }
  ~DevCertsTest() override { fs::remove_all(directory_.parent_path()); }

  ExitCode Make(std::vector<std::string> actors = {}) {
    const auto outcome = MakeDevCerts(session_, {directory_.string(), std::move(actors), {}});
    return outcome.ok() ? *outcome : ExitCodeOf(outcome.status());
  }

  Session session_;
  fs::path directory_;
};

TEST_F(DevCertsTest, EachIdentityHasWhatAServiceReads) {
  ASSERT_EQ(Make(), ExitCode::kOk);
  for (const char* name : {"assessment-svc", "rating-svc", "analyst", "chief-inspector"}) {
    const auto material = serving::ReadKeyMaterial((directory_ / name).string(), absl::Now());
    EXPECT_TRUE(material.ok()) << material.status();
  }
}

TEST_F(DevCertsTest, ThePolicyIsOneThatAServiceReads) {
  ASSERT_EQ(Make({}), ExitCode::kOk);
  const auto policy = serving::Policy::Read((directory_ / "policy.textproto").string());
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(serving::NamesOf(policy->RolesOf("spiffe://starratings/rating-svc")), "rating service");
  EXPECT_THAT(serving::NamesOf(policy->RolesOf("spiffe://starratings/analyst")),
              testing::HasSubstr("round manager"));
  EXPECT_EQ(policy->RolesOf("spiffe://starratings/somebody"), 0u);
}

TEST_F(DevCertsTest, KeysAreForTheirOwnerAlone) {
  ASSERT_EQ(Make({"spiffe://elsewhere/people/anna"}), ExitCode::kOk);
  for (const char* key : {"ca.key", "rating-svc/tls.key", "anna/tls.key"}) {
    struct stat found {};
    ASSERT_EQ(stat((directory_ / key).c_str(), &found), 0) << key;
    EXPECT_EQ(found.st_mode & 0777u, 0600u) << key;
  }
  EXPECT_FALSE(fs::exists(directory_ / "analyst"));
}

TEST_F(DevCertsTest, NothingIsOverwritten) {
  ASSERT_EQ(Make(), ExitCode::kOk);
  const auto before = ReadFile((directory_ / "ca.key").string());
  EXPECT_EQ(Make(), ExitCode::kBadFile);
  EXPECT_EQ(*ReadFile((directory_ / "ca.key").string()), *before);
}

TEST_F(DevCertsTest, WhatIsNoUriIsRefusedAndNothingIsMade) {
  for (const char* bad : {"anna", "spiffe://", "spiffe://x", "spiffe://x/", "spiffe://x/..",
                          "spiffe://x/a,URI:y", "spiffe://x/a b", "spiffe://x/rating-svc"}) {
    EXPECT_EQ(Make({bad}), ExitCode::kUsage) << bad;
  }
  EXPECT_FALSE(fs::exists(directory_));
}

}  // namespace
}  // namespace starratings::starctl
