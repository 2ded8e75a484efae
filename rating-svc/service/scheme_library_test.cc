#include "rating-svc/service/scheme_library.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/service/fake_assessment.h"
#include "rating-svc/verify/verify.h"

namespace starratings::service {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SchemeFolderTest : public testing::Test {
 protected:
  SchemeFolderTest() { fs::create_directories(directory_); }
  ~SchemeFolderTest() override { fs::remove_all(directory_); }

  void Put(const std::string& folder, const std::string& file, const std::string& text) {
    fs::create_directories(directory_ / folder);
    std::ofstream(directory_ / folder / file) << text;
  }

  std::string Refusal() const {
    return std::string(LoadSchemes(directory_.string()).status().message());
  }

  const fs::path directory_ =
      fs::path(testing::TempDir()) /
      absl::StrCat("schemes-", testing::UnitTest::GetInstance()->random_seed(), "-", getpid());
};

TEST_F(SchemeFolderTest, AMissingDirectoryIsAnErrorAndAnEmptyOneIsNot) {
  EXPECT_EQ(LoadSchemes((directory_ / "nowhere").string()).status().code(),
            absl::StatusCode::kNotFound);
  const auto empty = LoadSchemes(directory_.string());
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_THAT(*empty, IsEmpty());
}

TEST_F(SchemeFolderTest, SchemesComeInTheOrderOfTheirNames) {
  Put("a", "scheme.textproto", SchemeText("test", "2"));
  Put("b", "scheme.textproto", SchemeText("test", "1"));
  Put("..data", "nothing", "");
  const auto schemes = LoadSchemes(directory_.string());
  ASSERT_TRUE(schemes.ok()) << schemes.status();
  ASSERT_THAT(*schemes, SizeIs(2));
  EXPECT_EQ((*schemes)[0]->Name(), "test@1");
  EXPECT_EQ((*schemes)[1]->Name(), "test@2");
}

TEST_F(SchemeFolderTest, ASchemeThatDoesNotVerifyIsRefusedByFileAndLine) {
  Put("good", "scheme.textproto", SchemeText());
  Put("hole", "scheme.textproto",
      absl::StrReplaceAll(SchemeText("hole"),
                          {{"row { when: \"fair\" then: \"1\" basis: BASIS_ASSUMED }", ""}}));
  Put("typo", "scheme.textproto", "id: \"typo\" version: \"1\"\nnonsense: 1\n");
  const std::string refusal = Refusal();
  EXPECT_THAT(refusal, HasSubstr("hole/scheme.textproto:"));
  EXPECT_THAT(refusal, HasSubstr(": MATRIX_HOLE "));
  EXPECT_THAT(refusal, HasSubstr("typo/scheme.textproto:2: "));
  EXPECT_THAT(refusal, testing::Not(HasSubstr("good/scheme.textproto")));
}

TEST_F(SchemeFolderTest, ACaseThatFailsRefusesTheScheme) {
  Put("test", "scheme.textproto", SchemeText());
  Put("test", "cases.textproto", R"(
    case {
      id: "wrong" basis: BASIS_ASSUMED
      given { code: "quality" value { level: "poor" } }
      expect { result: "stars" level: "2" }
    })");
  EXPECT_THAT(Refusal(), HasSubstr("test/cases.textproto:0: CASE_FAILED wrong"));
}

TEST_F(SchemeFolderTest, OneNameInTwoFoldersIsRefused) {
  Put("a", "scheme.textproto", SchemeText());
  Put("b", "scheme.textproto", SchemeText());
  EXPECT_THAT(Refusal(), HasSubstr("SCHEME_TWICE test@1"));
}

TEST_F(SchemeFolderTest, AFolderWithoutASchemeIsRefused) {
  Put("a", "shceme.textproto", SchemeText());
  EXPECT_THAT(Refusal(), HasSubstr("a/scheme.textproto: cannot be read"));
}

// A library over a record of texts, which counts what it is asked.
class SchemeLibraryTest : public testing::Test {
 protected:
  SchemeLibrary Library(const std::vector<std::string>& at_hand = {}) {
    std::vector<SchemePtr> loaded;
    for (const std::string& text : at_hand) loaded.push_back(verify::Verify(text).scheme);
    return SchemeLibrary(loaded, [this](const std::string& ref, absl::Time) {
      asked_.push_back(ref);
      const auto found = record_.find(ref);
      return found == record_.end() ? absl::StatusOr<RecordedText>(absl::NotFoundError("none"))
                                    : found->second;
    });
  }

  // Puts a text into the record, under its name and its digest.
  std::string Record(const std::string& name, const std::string& text) {
    const std::string digest = SchemeDigestOf(text);
    record_[digest] = record_[name] = {text, digest};
    return digest;
  }

  std::map<std::string, RecordedText> record_;
  std::vector<std::string> asked_;
};

std::string ReasonOf(const absl::Status& status) { return status::DetailOf(status).reason; }

constexpr absl::Time kDeadline = absl::InfiniteFuture();

TEST_F(SchemeLibraryTest, WhatIsAtHandIsFoundByNameAndDigestWithoutTheRecord) {
  SchemeLibrary library = Library({SchemeText()});
  EXPECT_TRUE(library.Find("test@1", kDeadline).ok());
  EXPECT_TRUE(library.Find(SchemeDigestOf(SchemeText()), kDeadline).ok());
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(SchemeLibraryTest, ADigestIsAskedForOnce) {
  SchemeLibrary library = Library();
  const std::string digest = Record("test@1", SchemeText());
  const auto first = library.Find(digest, kDeadline);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->digest, digest);
  EXPECT_EQ(*library.Find(digest, kDeadline), *first);
  EXPECT_THAT(asked_, ElementsAre(digest));
  EXPECT_EQ(*library.Find("test@1", kDeadline), *first);
}

TEST_F(SchemeLibraryTest, WhatDoesNotVerifyIsRefusedAndNotProvenAgain) {
  SchemeLibrary library = Library();
  const std::string bad = absl::StrReplaceAll(
      SchemeText(), {{"row { when: \"poor\" then: \"0\" basis: BASIS_ASSUMED }", ""}});
  const std::string digest = Record("test@1", bad);
  const absl::Status status = library.Find(digest, kDeadline).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "SCHEME_NOT_VERIFIED");
  EXPECT_EQ(library.Find(digest, kDeadline).status(), status);
  EXPECT_THAT(asked_, SizeIs(1));
}

TEST_F(SchemeLibraryTest, ATextThatIsAnotherSchemeIsNeverUsed) {
  SchemeLibrary library = Library();
  const std::string digest = Record("test@1", SchemeText());
  record_[digest].text = SchemeText("test", "2");
  EXPECT_EQ(ReasonOf(library.Find(digest, kDeadline).status()), "SCHEME_DIGEST_MISMATCH");
  record_["test@3"] = {SchemeText(), digest};
  EXPECT_FALSE(library.Find("test@3", kDeadline).ok());
}

TEST_F(SchemeLibraryTest, AnOpenRoundGetsWhatTheFreezeWouldBind) {
  const std::string at_hand = SchemeText();
  const std::string recorded = absl::StrReplaceAll(SchemeText(), {{"A test", "Another test"}});
  SchemeLibrary library = Library({at_hand});
  EXPECT_EQ((*library.FindForOpenRound("test@1", kDeadline))->digest, SchemeDigestOf(at_hand));
  const std::string digest = Record("test@1", recorded);
  EXPECT_EQ((*library.FindForOpenRound("test@1", kDeadline))->digest, digest);
  EXPECT_EQ(ReasonOf(library.FindForOpenRound("test@2", kDeadline).status()), "SCHEME_NOT_FOUND");
}

TEST_F(SchemeLibraryTest, TheOneUnusedLongestGoes) {
  SchemeLibrary library = Library();
  std::vector<std::string> digests;
  for (size_t i = 0; i <= SchemeLibrary::kKeptMost; ++i) {
    const std::string version = absl::StrCat(i);
    digests.push_back(Record("test@" + version, SchemeText("test", version)));
  }
  const SchemePtr second = *library.Find(digests[1], kDeadline);
  for (const std::string& digest : digests) {
    ASSERT_TRUE(library.Find(digest, kDeadline).ok());
    ASSERT_TRUE(library.Find(digests[0], kDeadline).ok());
  }
  EXPECT_EQ(second->version, "1");  // What was handed out stays.
  asked_.clear();
  ASSERT_TRUE(library.Find(digests[0], kDeadline).ok());
  EXPECT_THAT(asked_, IsEmpty());
  ASSERT_TRUE(library.Find(digests[1], kDeadline).ok());
  EXPECT_THAT(asked_, ElementsAre(digests[1]));
}

TEST_F(SchemeLibraryTest, ManyThreadsGetTheSameScheme) {
  const std::string digest = Record("test@1", SchemeText());
  SchemeLibrary library({}, [this](const std::string& ref, absl::Time) {
    return absl::StatusOr<RecordedText>(record_.at(ref));
  });
  std::array<SchemePtr, 8> found;
  std::vector<std::thread> threads;
  for (SchemePtr& scheme : found) {
    threads.emplace_back([&] { scheme = *library.Find(digest, kDeadline); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const SchemePtr& scheme : found) EXPECT_EQ(scheme, found[0]);
}

TEST(SchemeRefTest, IsANameWithAVersionOrADigest) {
  for (const char* ref : {"a@1", "england-social-services-2002@2002.1"}) {
    EXPECT_TRUE(CheckSchemeRef(ref).ok()) << ref;
  }
  EXPECT_TRUE(CheckSchemeRef(SchemeDigestOf(SchemeText())).ok());
  for (const char* ref : {"", "a", "a@", "@1", "a@1@2", "A@1", "a b@1", "a@1 ", "abcdef"}) {
    EXPECT_FALSE(CheckSchemeRef(ref).ok()) << ref;
  }
}

}  // namespace
}  // namespace starratings::service
