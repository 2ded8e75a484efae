// Schemes that are right: what is proven and counted of them.
#include "rating-svc/verify/verify.h"

#include <filesystem>

#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Verify, EveryShippedSchemeVerifiesAndItsCasesPass) {
  int schemes = 0;
  for (const auto& folder :
       std::filesystem::directory_iterator(absl::StrCat(SOURCE_ROOT, "/rating-svc/schemes"))) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename().string();
    const Verification verification = Verify(ShippedText(name, "scheme.textproto"));
    ASSERT_THAT(verification.issues, IsEmpty()) << name << "\n" << Told(verification.issues);
    EXPECT_EQ(verification.id, name);
    EXPECT_EQ(verification.scheme->digest, verification.digest);
    const CaseReport report = RunCases(*verification.scheme, ShippedText(name, "cases.textproto"));
    EXPECT_THAT(report.issues, IsEmpty()) << name << "\n" << Told(report.issues);
    EXPECT_THAT(report.outcomes, Not(IsEmpty())) << name;
    for (const CaseOutcome& outcome : report.outcomes) {
      EXPECT_TRUE(outcome.passed) << name << " " << outcome.id << ": " << outcome.message;
    }
    ++schemes;
  }
  EXPECT_GE(schemes, 2);
}

TEST(Verify, CountsEnglandAsItWasWorkedOut) {
  const Verification verification = Verify(ShippedText(kEngland, "scheme.textproto"));
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  EXPECT_THAT(verification.report,
              Contains("175 of 256 cells of M are masked by vetoes V1, V2; 81 are live: 14 of "
                       "\"1\", 53 of \"2\", 14 of \"3\""));
  EXPECT_THAT(verification.report,
              Contains("results by basis: DOCUMENTED 3, FORCED 112, ASSUMED 141"));
}

TEST(Verify, PutsLimitsRightBehindTheWriterOfTheirTarget) {
  const Verification verification = Verify(kSmall);
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  std::vector<std::pair<scheme::StageKind, int>> stages;
  for (const scheme::Stage& stage : verification.scheme->stages) {
    stages.emplace_back(stage.kind, stage.index);
  }
  EXPECT_THAT(stages, ElementsAre(std::pair(scheme::StageKind::kLimit, 0),
                                  std::pair(scheme::StageKind::kMatrix, 0),
                                  std::pair(scheme::StageKind::kLimit, 1)));
}

TEST(Verify, SaysWhatItProved) {
  const Verification verification = Verify(kSmall);
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  for (const char* id : {"SYM", "OUT", "PTS", "MON", "VET"}) {
    EXPECT_THAT(verification.report, Contains(HasSubstr(absl::StrCat(id, ": ")))) << id;
  }
}

TEST(Verify, CommentsAndLayoutDoNotChangeTheDigest) {
  EXPECT_EQ(Verify(kSmall).digest, Verify(absl::StrCat("# A comment\n\n", kSmall)).digest);
  EXPECT_NE(Verify(kSmall).digest, Verify(With(kSmall, "\"Freedom\"", "\"Freedoms\"")).digest);
}

TEST(Verify, WritesThresholdsForPeople) {
  const Verification verification = Verify(kSmall);
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  EXPECT_EQ(verification.scheme->limits[0].any[0].text, "above 20 %");
  EXPECT_EQ(verification.scheme->limits[1].any[0].text, "at most \"low\"");
}

}  // namespace
}  // namespace starratings::verify
