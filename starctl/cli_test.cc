// The command line as a whole: what it answers without any service.
#include "starctl/cli.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "starctl/session.h"

namespace starratings::starctl {
namespace {

using testing::HasSubstr;

struct Ended {
  int code = 0;
  std::string out;
  std::string err;
};

Ended Starctl(std::vector<std::string> arguments) {
  unsetenv("STARRATINGS_ASSESSMENT");
  unsetenv("STARRATINGS_RATING");
  arguments.insert(arguments.begin(), "starctl");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ended ended;
  ended.code = starctl::Run(static_cast<int>(argv.size()), argv.data());
  ended.out = testing::internal::GetCapturedStdout();
  ended.err = testing::internal::GetCapturedStderr();
  return ended;
}

std::string Scheme() {
  return SOURCE_ROOT "/rating-svc/schemes/england-social-services-2002/scheme.textproto";
}

TEST(CliTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(Starctl({"--help"}).code, 0);
  EXPECT_THAT(Starctl({"--version"}).out, HasSubstr("starctl "));
  EXPECT_THAT(Starctl({"rounds", "freeze", "--help"}).out, HasSubstr("--token"));
}

TEST(CliTest, WhatMakesNoSenseExitsTwoAndSaysWhy) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "subcommand"},
      {{"bogus"}, "`bogus`"},
      {{"rounds", "show", "r", "--colour"}, "`--colour`"},
      {{"rounds", "show"}, "ROUND is required"},
      {{"--output", "xml", "rounds", "list"}, "--output"},
      {{"--insecure", "rounds", "list"}, "--assessment"},
      {{"--assessment", "a:1", "rounds", "list"}, "--tls-directory or --insecure"},
      {{"--assessment", "a:1", "--tls-directory", "d", "--actor", "me", "rounds", "list"},
       "--actor is for --insecure"},
      {{"--insecure", "--assessment", "a:1", "rounds", "publish", "r"}, "--digest HEX"},
      {{"--insecure", "--rating", "a:1", "rate"}, "ROUND must be given"},
      {{"--insecure", "--rating", "a:1", "explain", "hull"}, "a round must be given"},
      {{"import", "f.csv", "--batch", "0"}, "--batch"},
      {{"import", "f.csv", "--constant", "period"}, "--constant"},
      {{"store", "migrate", "--store", "nowhere"}, "--store"},
  };
  for (const auto& [arguments, words] : cases) {
    const Ended ended = Starctl(arguments);
    EXPECT_EQ(ended.code, 2) << words;
    EXPECT_THAT(ended.err, HasSubstr("starctl: ")) << words;
    EXPECT_THAT(ended.err, HasSubstr(words));
    EXPECT_EQ(ended.out, "") << words;
  }
}

TEST(CliTest, ABadFileExitsThreeBeforeAnyServiceIsAsked) {
  EXPECT_EQ(Starctl({"import", "/nowhere/f.csv"}).code, 3);
  EXPECT_EQ(Starctl({"register", "scheme", "/nowhere/s.textproto"}).code, 3);
  EXPECT_EQ(Starctl({"schemes", "verify", "/nowhere/s.textproto"}).code, 3);
  EXPECT_EQ(Starctl({"--assessment", "a:1", "--tls-directory", "/nowhere", "rounds", "list"}).code,
            3);
}

TEST(CliTest, AServiceThatIsNotThereExitsFive) {
  const Ended ended =
      Starctl({"--insecure", "--assessment", "127.0.0.1:1", "rounds", "list", "--timeout", "5"});
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("starctl: cannot reach the service"));
}

TEST(CliTest, ASchemeThatVerifiesExitsZeroAndAnotherOne) {
  EXPECT_THAT(Starctl({"schemes", "verify", Scheme()}).out, HasSubstr("verifies\n"));
  const auto broken =
      std::filesystem::path(testing::TempDir()) / absl::StrCat("broken-", getpid(), ".textproto");
  std::ofstream(broken) << "id: \"x\"\ncolour: 3\n";
  const Ended ended = Starctl({"schemes", "verify", broken.string()});
  std::filesystem::remove(broken);
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr(broken.string() + ":2: "));
}

TEST(CliTest, MigratingTwiceIsHarmless) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / absl::StrCat("record-", getpid(), ".db");
  const std::string store = absl::StrCat("sqlite:", path.string());
  EXPECT_THAT(Starctl({"store", "migrate", "--store", store}).out, HasSubstr("applied 0001"));
  EXPECT_THAT(Starctl({"store", "migrate", "--store", store}).out, HasSubstr("nothing to do"));
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + part);
}

TEST(RetryingTest, WhatMayPassIsTriedAgain) {
  for (const absl::Status& error :
       {absl::UnavailableError("x"), absl::DeadlineExceededError("x"),
        status::Error(absl::StatusCode::kResourceExhausted, "TOO_BUSY", "x")}) {
    int attempts = 0;
    const absl::Status status =
        Retrying(absl::Seconds(10), [&] { return ++attempts < 3 ? error : absl::OkStatus(); });
    EXPECT_TRUE(status.ok()) << error;
    EXPECT_EQ(attempts, 3) << error;
  }
}

TEST(RetryingTest, WhatIsForGoodIsNot) {
  for (const absl::Status& error : {absl::AbortedError("x"), absl::InvalidArgumentError("x"),
                                    absl::ResourceExhaustedError("message too long")}) {
    int attempts = 0;
    EXPECT_EQ(Retrying(absl::Seconds(10),
                       [&] {
                         ++attempts;
                         return error;
                       }),
              error);
    EXPECT_EQ(attempts, 1) << error;
  }
}

TEST(RetryingTest, PatienceEnds) {
  int attempts = 0;
  EXPECT_FALSE(Retrying(absl::Milliseconds(200), [&] {
                 ++attempts;
                 return absl::UnavailableError("x");
               }).ok());
  EXPECT_GE(attempts, 2);
  attempts = 0;
  EXPECT_FALSE(Retrying(absl::ZeroDuration(), [&] {
                 ++attempts;
                 return absl::UnavailableError("x");
               }).ok());
  EXPECT_EQ(attempts, 1);
}

}  // namespace
}  // namespace starratings::starctl
