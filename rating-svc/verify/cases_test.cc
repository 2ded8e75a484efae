// Cases: run through the production evaluator, open levels and all.
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const scheme::Scheme> Small() {
  static const auto kScheme = Verify(kSmall).scheme;
  return kScheme;
}

std::string Case(const std::string& rest) {
  return absl::StrCat("case { id: \"c\" basis: BASIS_ASSUMED ", rest, " }");
}

CaseOutcome Outcome(const std::string& rest) {
  const CaseReport report = RunCases(*Small(), Case(rest));
  EXPECT_THAT(report.issues, IsEmpty()) << Told(report.issues);
  EXPECT_EQ(report.outcomes.size(), 1u);
  return report.outcomes.empty() ? CaseOutcome{} : report.outcomes[0];
}

std::string Code(const std::string& text) {
  const CaseReport report = RunCases(*Small(), text);
  return report.issues.size() == 1 ? report.issues[0].code : Told(report.issues);
}

constexpr char kHighHigh[] =
    "given { code: \"a\" value { level: \"high\" } } given { code: \"b\" value { level: \"high\" } "
    "} ";

TEST(RunCases, PassesWhatComesOut) {
  EXPECT_TRUE(
      Outcome(absl::StrCat(kHighHigh, "expect { result: \"out\" level: \"high\" }")).passed);
}

TEST(RunCases, SaysWhatDiffers) {
  const CaseOutcome outcome =
      Outcome(absl::StrCat(kHighHigh, "expect { result: \"out\" level: \"low\" }"));
  EXPECT_FALSE(outcome.passed);
  EXPECT_EQ(outcome.message, "out must be \"low\" and is \"high\"");
}

TEST(RunCases, AThresholdsEdgeDoesNotCount) {
  for (const auto& [cases, level] :
       {std::pair("20", "high"), std::pair("21", "mid"), std::pair("0", "high")}) {
    EXPECT_TRUE(
        Outcome(absl::StrCat(kHighHigh, "given { code: \"k\" value { ratio { numerator: ", cases,
                             " denominator: 100 } } } expect { result: \"out\" "
                             "level: \"",
                             level, "\" }"))
            .passed)
        << cases;
  }
}

TEST(RunCases, AnOpenLevelMustHoldForEach) {
  const std::string open =
      "given { code: \"a\" value { level: \"mid\" } } "
      "given { code: \"b\" one_of { level: \"mid\" level: \"high\" } } ";
  const CaseOutcome good = Outcome(absl::StrCat(open, "expect { result: \"out\" level: \"mid\" }"));
  EXPECT_TRUE(good.passed) << good.message;
  EXPECT_EQ(good.completions, 2);
  const CaseOutcome bad = Outcome(
      "given { code: \"a\" value { level: \"high\" } } "
      "given { code: \"b\" one_of { level: \"mid\" level: \"high\" } } "
      "expect { result: \"out\" level: \"mid\" }");
  EXPECT_FALSE(bad.passed);
  EXPECT_THAT(bad.message, HasSubstr("with b = \"high\""));
}

TEST(RunCases, WhatIsMissingIsNotRated) {
  EXPECT_TRUE(Outcome("expect { result: \"out\" not_rated {} }").passed);
  const CaseOutcome outcome = Outcome("expect { result: \"out\" level: \"low\" }");
  EXPECT_EQ(outcome.message, "out must be \"low\" and is not rated (a is NOT_REPORTED)");
}

TEST(RunCases, KnowsStatesAndMoves) {
  const std::string low =
      "given { code: \"a\" value { level: \"low\" } } given { code: \"b\" value { level: \"low\" } "
      "} ";
  for (const auto& [was, move] :
       {std::pair("given { code: \"was\" value { level: \"on\" } }", "REMAINED"),
        std::pair("given { code: \"was\" value { level: \"off\" } }", "ENTERED"),
        std::pair("", "UNKNOWN")}) {
    EXPECT_TRUE(Outcome(absl::StrCat(low, was,
                                     "expect { result: \"T\" level: \"on\" } expect { "
                                     "result: \"T\" move: \"",
                                     move, "\" }"))
                    .passed)
        << move;
  }
}

TEST(RunCases, RefusesWhatTheSchemeDoesNotHave) {
  const std::string expect = "expect { result: \"out\" level: \"low\" }";
  EXPECT_EQ(Code("case { colour: 3 }"), "TEXT_SYNTAX");
  EXPECT_EQ(Code(Case("")), "FIELD_MISSING");
  EXPECT_EQ(Code(Case("given { code: \"q\" value { level: \"x\" } } " + expect)),
            "REFERENCE_UNKNOWN");
  EXPECT_EQ(Code(Case("given { code: \"a\" value { level: \"x\" } } " + expect)), "LEVEL_UNKNOWN");
  EXPECT_EQ(Code(Case("given { code: \"a\" one_of { level: \"x\" } } " + expect)), "LEVEL_UNKNOWN");
  EXPECT_EQ(Code(Case("given { code: \"a\" value { decimal: \"1\" } } " + expect)),
            "TYPE_MISMATCH");
  EXPECT_EQ(Code(Case("given { code: \"k\" value { ratio { numerator: 1 } } } " + expect)),
            "VALUE_INVALID");
  EXPECT_EQ(Code(Case("given { code: \"a\" } " + expect)), "FIELD_MISSING");
  EXPECT_EQ(Code(Case("expect { result: \"q\" level: \"low\" }")), "REFERENCE_UNKNOWN");
  EXPECT_EQ(Code(Case("expect { result: \"out\" level: \"bad\" }")), "LEVEL_UNKNOWN");
  EXPECT_EQ(Code(Case("expect { result: \"out\" number: \"1\" }")), "TYPE_MISMATCH");
  EXPECT_EQ(Code(Case("expect { result: \"T\" move: \"GONE\" }")), "VALUE_INVALID");
  EXPECT_EQ(Code(Case("date: \"2010-01-01\" " + expect)), "DATE_INVALID");
  EXPECT_EQ(Code(Case(expect) + Case(expect)), "NAME_TAKEN");
  EXPECT_EQ(Code("case { id: \"c\" " + expect + " }"), "BASIS_MISSING");
  EXPECT_EQ(Code("case { id: \"c\" basis: BASIS_DOCUMENTED " + expect + " }"), "CITATION_MISSING");
}

TEST(RunCases, NamesTheLine) {
  const CaseReport report = RunCases(
      *Small(),
      "\n\ncase { id: \"c\" basis: BASIS_ASSUMED\n  expect { result: \"q\" level: \"\" } }");
  ASSERT_EQ(report.issues.size(), 1u);
  EXPECT_EQ(report.issues[0].line, 4);
  EXPECT_EQ(report.issues[0].rule_id, "c");
}

}  // namespace
}  // namespace starratings::verify
