// The kinds that kSmall has not: schemes with a planted fault in them, and what they
// prove.
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

// Replaces `from` in kRich by `to`; then there must be an issue with `code` at the
// line of `at`.
struct Fault {
  const char* code;
  const char* from;
  const char* to;
  const char* at;
};

// A scheme that is right and has what kSmall has not: a sum of shares and levels, a
// mean, cuts by kind, a count, an adjustment, a published rating.
constexpr char kRich[] = R"(
id: "rich" version: "2" title: "Rich" supersedes: "rich@1"
in_force { from: "2000-01-01" }
scale { id: "s" level: "low" level: "mid" level: "high" lowest_score: 1 }
scale { id: "kind" level: "small" level: "large" }
input { code: "a" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "b" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "c" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "days" decimal { unit: "days" lower_is_better: true } on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "kind" attribute { of: ATTRIBUTE_KIND scale: "kind" } on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "theirs" published { scheme: "theirs" result: "stars" scale: "s" } on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
sum { id: "MEAN" output: "mean" term { value: "a" weight: 1 } term { value: "b" weight: 2 }
  mean: true need: NEED_AT_LEAST least: 1 basis: BASIS_ASSUMED }
band { id: "B" from: "mean" output: "level" to: "s" cut { decimal: "2" } cut { decimal: "3" } basis: BASIS_ASSUMED }
band { id: "FAST" from: "days" output: "fast" to: "s" direction: DIRECTION_AT_MOST by: "kind"
  list { level: "small" cut { decimal: "10" } cut { decimal: "20" } basis: BASIS_ASSUMED }
  list { level: "large" lowest: "mid" cut { decimal: "5" } basis: BASIS_ASSUMED }
  basis: BASIS_ASSUMED }
count { id: "N" output: "bad" condition { value: "fast" level_at_most: "low" } condition { value: "c" level_at_most: "low" }
  unknown: COUNT_UNKNOWN_SKIP basis: BASIS_ASSUMED }
adjust { id: "J" from: "level" output: "out"
  step { when { value: "bad" at_least { decimal: "1" } } by: -1 }
  step { when { value: "theirs" level_at_least: "high" } by: 1 }
  bound { when { value: "c" level_at_most: "mid" } gain_at_most: 0 }
  basis: BASIS_ASSUMED }
result { value: "out" title: "outcome" }
property { id: "MON" monotone { result: "out" } basis: BASIS_ASSUMED }
)";

TEST(Rich, Verifies) {
  const Verification verification = Verify(kRich);
  EXPECT_NE(verification.scheme, nullptr) << Told(verification.issues);
}

class RichFault : public testing::TestWithParam<Fault> {};

TEST_P(RichFault, IsFoundAtItsLine) {
  const Fault& fault = GetParam();
  const std::string text = With(kRich, fault.from, fault.to);
  const Verification verification = Verify(text);
  const int line = LineOf(text, fault.at);
  const bool found =
      std::any_of(verification.issues.begin(), verification.issues.end(), [&](const Issue& issue) {
        return issue.code == fault.code && issue.line == line && !issue.message.empty();
      });
  EXPECT_TRUE(found) << fault.code << " at " << line << " not in:\n" << Told(verification.issues);
}

const Fault kRichFaults[] = {
    {"NAME_MALFORMED", "rich@1", "rich", "supersedes"},
    {"NAME_TAKEN", "rich@1", "rich@2", "supersedes"},
    {"FIELD_MISSING", "of: ATTRIBUTE_KIND ", "", "attribute"},
    {"REFERENCE_UNKNOWN", "of: ATTRIBUTE_KIND scale: \"kind\"", "of: ATTRIBUTE_KIND scale: \"q\"",
     "\"q\""},
    {"FIELD_MISSING", "published { scheme: \"theirs\" ", "published { ", "published"},
    {"TYPE_MISMATCH", "input { code: \"theirs\"", "input { standing: true code: \"theirs\"",
     "standing"},
    {"NUMBER_INVALID", "need: NEED_AT_LEAST least: 1", "need: NEED_AT_LEAST least: 3", "least: 3"},
    {"TYPE_MISMATCH", "need: NEED_AT_LEAST least: 1", "least: 1", "least: 1"},
    {"REFERENCE_UNKNOWN", "term { value: \"a\" weight: 1 }", "term { value: \"q\" weight: 1 }",
     "\"q\""},
    {"CUTS_INVALID", "list { level: \"large\"", "list { level: \"small\"", "band { id: \"FAST\""},
    {"NAME_TAKEN", "list { level: \"large\"", "list { level: \"small\"", "lowest: \"mid\""},
    {"CUTS_INVALID", "lowest: \"mid\" ", "", "list { level: \"large\""},
    {"LEVEL_UNKNOWN", "lowest: \"mid\"", "lowest: \"middle\"", "middle"},
    {"TYPE_MISMATCH", "by: \"kind\"", "by: \"mean\"", "by: \"mean\""},
    {"TYPE_MISMATCH", "by: \"kind\"", "by: \"kind\" cut { decimal: \"1\" }", "band { id: \"FAST\""},
    {"BASIS_MISSING", "cut { decimal: \"5\" } basis: BASIS_ASSUMED", "cut { decimal: \"5\" }",
     "list { level: \"large\""},
    {"FIELD_MISSING",
     "condition { value: \"fast\" level_at_most: \"low\" } condition { value: "
     "\"c\" level_at_most: \"low\" }",
     "", "count {"},
    {"NUMBER_INVALID", "} by: -1 }", "} by: 0 }", "by: 0"},
    {"NUMBER_INVALID", "gain_at_most: 0", "gain_at_most: 64", "gain_at_most: 64"},
    {"TYPE_MISMATCH", "adjust { id: \"J\" from: \"level\"", "adjust { id: \"J\" from: \"mean\"",
     "adjust {"},
    {"SAY_UNKNOWN", "adjust { id: \"J\"", "adjust { say: \"{margin}\" id: \"J\"", "margin"},
    // Two shares whose denominators may each have twelve digits.
    {"NUMBER_INVALID", "sum { id: \"MEAN\" output: \"mean\"",
     "input { code: \"x\" ratio {} on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }\n"
     "input { code: \"y\" ratio {} on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }\n"
     "sum { id: \"MEAN\" output: \"mean\" term { value: \"x\" weight: 1 } term { value: \"y\" "
     "weight: 1 }",
     "sum {"},
    // A mean of one to three never reaches this cut.
    {"RULE_DEAD", "cut { decimal: \"3\" }", "cut { decimal: \"4\" }", "band { id: \"B\""},
    // What 1 or more of two is, more than two never are.
    {"RULE_DEAD", "at_least { decimal: \"1\" }", "at_least { decimal: \"3\" }", "by: -1"},
    // A gain of one that never exceeds one is no bound.
    {"RULE_DEAD", "gain_at_most: 0", "gain_at_most: 1", "bound {"},
    {"NOT_MONOTONE", "} by: -1 }", "} by: 1 }", "property"},
    {"NOT_MONOTONE", "direction: DIRECTION_AT_MOST ", "", "property"},
};

INSTANTIATE_TEST_SUITE_P(Each, RichFault, testing::ValuesIn(kRichFaults), [](const auto& each) {
  return absl::StrCat(each.param.code, "_", each.index);
});

// So many statements of four levels, each known, unknown or not applicable.
std::string Statements(int count, const std::string& rest) {
  std::string text =
      "id: \"many\" version: \"1\" title: \"Many\" in_force { from: \"2000-01-01\" }\n"
      "scale { id: \"s\" level: \"1\" level: \"2\" level: \"3\" level: \"4\" lowest_score: 1 }\n";
  std::string sum = "sum { id: \"S\" output: \"sum\" ";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "input { code: \"q", i,
                    "\" scale: \"s\" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }\n");
    absl::StrAppend(&sum, "term { value: \"q", i, "\" weight: ", 1 + i % 3, " } ");
  }
  return absl::StrCat(text, sum, rest);
}

constexpr char kMeanBand[] =
    " basis: BASIS_ASSUMED }\n"
    "band { id: \"B\" from: \"sum\" output: \"out\" to: \"s\" cut { decimal: \"2\" } cut { "
    "decimal: \"3\" } cut { decimal: \"4\" } basis: BASIS_ASSUMED }\n"
    "result { value: \"out\" }\n"
    "property { id: \"MON\" monotone { result: \"out\" } basis: BASIS_ASSUMED }\n";

// Four to the power of 34 combinations, and as many gaps: factored it is a matter of
// milliseconds, or this test would not end.
TEST(Verify, ASumOfManyStatementsIsProven) {
  const Verification verification =
      Verify(Statements(34, absl::StrCat("mean: true round { unit: \"1\" }", kMeanBand)));
  EXPECT_NE(verification.scheme, nullptr) << Told(verification.issues);
}

TEST(Verify, AMeanOfMoreThanHalfIsProven) {
  const Verification verification = Verify(Statements(
      12, absl::StrCat("mean: true need: NEED_MORE_THAN_HALF round { unit: \"1\" }", kMeanBand)));
  EXPECT_NE(verification.scheme, nullptr) << Told(verification.issues);
}

// What comes out of a sum of decimals is taken to be anything, so that they need not
// be known all at once.
TEST(Verify, ManyDecimalsInASumAreProven) {
  std::string text =
      "id: \"many\" version: \"1\" title: \"Many\" in_force { from: \"2000-01-01\" }\n"
      "scale { id: \"s\" level: \"1\" level: \"2\" }\n";
  std::string sum = "sum { id: \"S\" output: \"sum\" mean: true need: NEED_AT_LEAST least: 10 ";
  for (int i = 0; i < 30; ++i) {
    absl::StrAppend(&text, "input { code: \"m", i,
                    "\" decimal {} on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }\n");
    absl::StrAppend(&sum, "term { value: \"m", i, "\" weight: 1 } ");
  }
  const Verification verification = Verify(absl::StrCat(
      text, sum,
      "basis: BASIS_ASSUMED }\nband { id: \"B\" from: \"sum\" output: \"out\" to: \"s\" cut { "
      "decimal: \"2.5\" } basis: BASIS_ASSUMED }\nresult { value: \"out\" }\nproperty { id: "
      "\"MON\" "
      "monotone { result: \"out\" } basis: BASIS_ASSUMED }\n"));
  EXPECT_NE(verification.scheme, nullptr) << Told(verification.issues);
}

TEST(RunCases, GiveAttributesAndPublishedRatingsAsLevels) {
  const Verification verification = Verify(kRich);
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  const std::string given =
      "given { code: \"a\" value { level: \"mid\" } } given { code: \"kind\" value { level: "
      "\"large\" } } given { code: \"days\" value { decimal: \"30\" } } given { code: \"c\" value "
      "{ "
      "level: \"high\" } } ";
  const CaseReport report = RunCases(
      *verification.scheme,
      absl::StrCat("case { id: \"one\" basis: BASIS_ASSUMED ", given,
                   "given { code: \"theirs\" value { level: \"high\" } } expect { result: \"out\" "
                   "level: \"high\" } } case { id: \"two\" basis: BASIS_ASSUMED ",
                   given,
                   "given { code: \"theirs\" value { level: \"mid\" } } expect { result: \"out\" "
                   "level: \"mid\" } }"));
  EXPECT_TRUE(report.issues.empty()) << Told(report.issues);
  for (const CaseOutcome& outcome : report.outcomes) EXPECT_TRUE(outcome.passed) << outcome.message;
  EXPECT_EQ(report.outcomes.size(), 2u);
}

}  // namespace
}  // namespace starratings::verify
