// Cuts that a cohort decides: what may be written, and what is proven whatever the
// cohort.
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kRanked[] = R"(
id: "ranked" version: "1" title: "Ranked"
in_force { from: "2000-01-01" }
scale { id: "s" level: "low" level: "mid" level: "high" }
scale { id: "third" level: "last" level: "middle" level: "first" }
input { code: "a" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "b" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "c" scale: "s" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
sum { id: "S" output: "points" term { value: "a" weight: 1 } term { value: "b" weight: 1 } basis: BASIS_ASSUMED }
quantiles { id: "Q" of: "points" parts: 3 minimum_cohort: 5 basis: BASIS_ASSUMED }
band { id: "B" from: "points" output: "third" to: "third" quantiles: "Q" basis: BASIS_ASSUMED }
cap { id: "C" target: "third" limit: "middle" any { value: "c" level_at_most: "low" } basis: BASIS_ASSUMED }
result { value: "third" title: "third" }
result { value: "points" title: "points" }
property { id: "MON" monotone { result: "third" } basis: BASIS_ASSUMED }
)";

TEST(Quantiles, AreProvenWhateverTheCohort) {
  const Verification verification = Verify(kRanked);
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  // What the proofs used is no table.
  EXPECT_THAT(verification.scheme->bands[0].cuts, IsEmpty());
  EXPECT_THAT(verification.scheme->tables, IsEmpty());
  EXPECT_THAT(verification.report, Contains(HasSubstr("last, middle, first")));
}

TEST(Quantiles, AFaultIsFoundWhateverTheCohort) {
  const std::string text = With(kRanked, "level_at_most: \"low\"", "level_at_least: \"high\"");
  const Verification verification = Verify(text);
  ASSERT_EQ(verification.issues.size(), 1) << Told(verification.issues);
  EXPECT_EQ(verification.issues[0].code, "NOT_MONOTONE");
}

struct Fault {
  const char* code;
  const char* from;
  const char* to;
  const char* at;
};

class QuantilesFault : public testing::TestWithParam<Fault> {};

TEST_P(QuantilesFault, IsFoundAtItsLine) {
  const Fault& fault = GetParam();
  const std::string text = With(kRanked, fault.from, fault.to);
  const Verification verification = Verify(text);
  const int line = LineOf(text, fault.at);
  const bool found =
      std::any_of(verification.issues.begin(), verification.issues.end(), [&](const Issue& issue) {
        return issue.code == fault.code && issue.line == line && !issue.message.empty();
      });
  EXPECT_TRUE(found) << fault.code << " at " << line << " not in:\n" << Told(verification.issues);
}

INSTANTIATE_TEST_SUITE_P(
    All, QuantilesFault,
    testing::Values(
        Fault{"REFERENCE_UNKNOWN", "of: \"points\"", "of: \"pionts\"", "quantiles {"},
        Fault{"TYPE_MISMATCH", "of: \"points\"", "of: \"a\"", "quantiles {"},
        Fault{"NUMBER_INVALID", "parts: 3", "parts: 1", "quantiles {"},
        Fault{"NUMBER_INVALID", "minimum_cohort: 5", "", "quantiles {"},
        Fault{"BASIS_MISSING", "minimum_cohort: 5 basis: BASIS_ASSUMED", "minimum_cohort: 5",
              "quantiles {"},
        Fault{"CUTS_INVALID", "parts: 3", "parts: 4", "band {"},
        Fault{"REFERENCE_UNKNOWN", "quantiles: \"Q\"", "quantiles: \"P\"", "band {"},
        Fault{"TYPE_MISMATCH", "quantiles: \"Q\"", "quantiles: \"Q\" cut { decimal: \"1\" }",
              "band {"},
        // Nothing else may compare the number: where the cuts lie to it nobody knows.
        Fault{"TYPE_MISMATCH", "value: \"c\" level_at_most: \"low\"",
              "value: \"points\" at_most { decimal: \"1\" }", "quantiles {"},
        Fault{"RULE_DEAD", "quantiles: \"Q\"", "cut { decimal: \"1\" } cut { decimal: \"2\" }",
              "quantiles {"},
        // What is derived must not rest on what is derived.
        Fault{
            "CYCLE", "result { value: \"points\" title: \"points\" }",
            R"(sum { id: "S2" output: "more" term { value: "third" weight: 1 } term { value: "b" weight: 1 } basis: BASIS_ASSUMED }
quantiles { id: "Q2" of: "more" parts: 3 minimum_cohort: 5 basis: BASIS_ASSUMED }
band { id: "B2" from: "more" output: "again" to: "third" quantiles: "Q2" basis: BASIS_ASSUMED }
result { value: "again" title: "again" })",
            "quantiles { id: \"Q2\""}));

TEST(Quantiles, OfANumberWithTooManyDigitsAreRefused) {
  const std::string text =
      With(With(kRanked, "input { code: \"a\" scale: \"s\"", "input { code: \"a\" decimal {}"),
           "term { value: \"a\" weight: 1 }", "term { value: \"a\" weight: 1000000 }");
  const Verification verification = Verify(text);
  ASSERT_FALSE(verification.issues.empty());
  EXPECT_EQ(verification.issues[0].code, "NUMBER_INVALID") << Told(verification.issues);
  EXPECT_EQ(verification.issues[0].rule_id, "Q");
}

}  // namespace
}  // namespace starratings::verify
