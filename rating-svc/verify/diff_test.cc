// What changes from one scheme to another, against all evidence tried one by one.
#include "rating-svc/verify/diff.h"

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/verify/replay.h"
#include "rating-svc/verify/verify.h"

namespace starratings::verify {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// Two inputs, a table, and a cap on an indicator.
constexpr char kScheme[] = R"(
  id: "small" version: "1" title: "Small"
  in_force { from: "2000-01-01" }
  scale { id: "quality" level: "poor" level: "fair" level: "good" }
  scale { id: "stars" level: "0" level: "1" level: "2" }
  input { code: "care" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
  input { code: "food" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
  input { code: "falls" ratio {} on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
  cap {
    id: "C" target: "care" limit: "poor" unknown: ON_UNKNOWN_SKIP
    any { value: "falls" above { fraction { numerator: 20 denominator: 100 } } }
    basis: BASIS_ASSUMED
  }
  matrix {
    id: "table" from: "care" from: "food" output: "stars" to: "stars"
    row { when: "poor" when: "any" then: "0" basis: BASIS_ASSUMED }
    row { when: "fair" when: "any" then: "1" basis: BASIS_ASSUMED }
    row { when: "good" when: "poor" then: "1" basis: BASIS_ASSUMED }
    row { when: "good" when: "fair" then: "2" basis: BASIS_ASSUMED }
    row { when: "good" when: "good" then: "2" basis: BASIS_ASSUMED }
  }
  result { value: "stars" title: "Stars" })";

std::shared_ptr<const scheme::Scheme> Proven(const std::string& text) {
  const Verification verification = Verify(text);
  for (const Issue& issue : verification.issues) {
    ADD_FAILURE() << issue.code << " " << issue.line << ": " << issue.message;
  }
  return verification.scheme;
}

std::string Changed(const std::string& from, const std::string& to) {
  const std::string text = absl::StrReplaceAll(kScheme, {{from, to}});
  EXPECT_NE(text, kScheme) << "no such text: " << from;
  return absl::StrReplaceAll(text, {{R"(version: "1")", R"(version: "2")"}});
}

std::map<std::pair<std::string, std::string>, std::string> CountsOf(const SpaceDiff& diff) {
  std::map<std::pair<std::string, std::string>, std::string> counts;
  for (const Shift& shift : diff.shifts)
    counts[{shift.before, shift.after}] = shift.cells.ToString();
  return counts;
}

std::string Rated(const scheme::Scheme& scheme,
                  const std::vector<std::pair<int, evidence::Value>>& given) {
  return rating::Rate(scheme, DossierOf(scheme, given), scheme.from).results[0].level;
}

// The counts by trying: every level of care and food, and these of falls.
std::map<std::pair<std::string, std::string>, int> ByTrying(
    const scheme::Scheme& before, const scheme::Scheme& after,
    const std::vector<evidence::Value>& falls) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const char* care : {"poor", "fair", "good"}) {
    for (const char* food : {"poor", "fair", "good"}) {
      for (const evidence::Value& value : falls) {
        const std::vector<std::pair<int, evidence::Value>> given = {
            {0, evidence::Level{care}}, {1, evidence::Level{food}}, {2, value}};
        ++counts[{Rated(before, given), Rated(after, given)}];
      }
    }
  }
  return counts;
}

void ExpectSame(const std::map<std::pair<std::string, std::string>, std::string>& counted,
                const std::map<std::pair<std::string, std::string>, int>& tried) {
  EXPECT_EQ(counted.size(), tried.size());
  for (const auto& [move, count] : tried) {
    const auto found = counted.find(move);
    ASSERT_NE(found, counted.end()) << move.first << " to " << move.second;
    EXPECT_EQ(found->second, absl::StrCat(count)) << move.first << " to " << move.second;
  }
}

const evidence::Value kGaps[] = {evidence::MissingReason::kNotReported,
                                 evidence::MissingReason::kNotApplicable};

TEST(SchemeDiffTest, AThresholdThatMovedMovesWhatLiesBetween) {
  const auto before = Proven(kScheme);
  const auto after = Proven(Changed("numerator: 20", "numerator: 30"));
  const SpaceDiff diff = DiffSpace(*before, *after);
  EXPECT_TRUE(diff.complete);
  EXPECT_THAT(diff.notes, IsEmpty());
  // At most 20 %, above 20 and up to 30, above 30; and two gaps.
  ExpectSame(CountsOf(diff), ByTrying(*before, *after,
                                      {evidence::Ratio{20, 100}, evidence::Ratio{30, 100},
                                       evidence::Ratio{31, 100}, kGaps[0], kGaps[1]}));
  EXPECT_EQ(CountsOf(diff).count({"0", "2"}), 1u);
}

TEST(SchemeDiffTest, ACellThatChangedIsCountedAndShown) {
  const auto before = Proven(kScheme);
  const auto after = Proven(
      Changed(R"(when: "good" when: "fair" then: "2")", R"(when: "good" when: "fair" then: "1")"));
  const SpaceDiff diff = DiffSpace(*before, *after);
  ExpectSame(CountsOf(diff),
             ByTrying(*before, *after,
                      {evidence::Ratio{20, 100}, evidence::Ratio{21, 100}, kGaps[0], kGaps[1]}));
  for (const Shift& shift : diff.shifts) {
    if (shift.before == shift.after) {
      EXPECT_EQ(shift.example, "");
      continue;
    }
    EXPECT_EQ(shift.before, "2");
    EXPECT_EQ(shift.after, "1");
    EXPECT_THAT(shift.example, HasSubstr("small@1"));
    // What is shown is a case of each scheme, and passes there.
    const size_t split = shift.example.rfind("case {");
    ASSERT_NE(split, std::string::npos) << shift.example;
    EXPECT_TRUE(RunCases(*before, shift.example.substr(0, split)).outcomes.at(0).passed);
    EXPECT_TRUE(RunCases(*after, shift.example.substr(split)).outcomes.at(0).passed);
  }
}

TEST(SchemeDiffTest, TheSameSchemeMovesNobody) {
  const auto scheme = Proven(kScheme);
  const SpaceDiff diff = DiffSpace(*scheme, *scheme);
  EXPECT_TRUE(diff.complete);
  for (const Shift& shift : diff.shifts) EXPECT_EQ(shift.before, shift.after);
}

TEST(SchemeDiffTest, AnInputThatOnlyOneReadsIsSaid) {
  const auto before = Proven(kScheme);
  const auto after = Proven(Changed(
      R"(input { code: "falls")",
      R"(input { code: "fires" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
                 veto { id: "V" target: "stars" unknown: ON_UNKNOWN_SKIP
                        any { value: "fires" level_at_most: "poor" } basis: BASIS_ASSUMED }
                 input { code: "falls")"));
  const SpaceDiff diff = DiffSpace(*before, *after);
  EXPECT_TRUE(diff.complete);
  EXPECT_THAT(diff.notes, Contains(HasSubstr("only one of the two reads fires")));
  EXPECT_EQ(CountsOf(diff).count({"2", "0"}), 1u);
}

TEST(SchemeDiffTest, GapsThatAreReadDifferentlyAreLeftOutAndSaid) {
  const auto before = Proven(kScheme);
  const auto after = Proven(Changed(R"("falls" ratio {} on_missing: ON_MISSING_ABSENT)",
                                    R"("falls" ratio {} on_missing: ON_MISSING_REFUSE)"));
  const SpaceDiff diff = DiffSpace(*before, *after);
  EXPECT_THAT(diff.notes, Contains(HasSubstr("gaps of falls")));
  for (const Shift& shift : diff.shifts) EXPECT_EQ(shift.before, shift.after);
  ExpectSame(CountsOf(diff),
             ByTrying(*before, *after, {evidence::Ratio{20, 100}, evidence::Ratio{21, 100}}));
}

TEST(SchemeDiffTest, OtherLevelsCannotBeCompared) {
  const auto before = Proven(kScheme);
  const auto after = Proven(absl::StrReplaceAll(
      kScheme, {{R"("poor")", R"("bad")"}, {R"(limit: "poor")", R"(limit: "bad")"}}));
  const SpaceDiff diff = DiffSpace(*before, *after);
  EXPECT_FALSE(diff.complete);
  EXPECT_THAT(diff.shifts, IsEmpty());
  EXPECT_THAT(diff.notes, Contains(HasSubstr("care")));
}

std::string Shipped(const std::string& id) {
  std::ifstream in(SOURCE_ROOT "/rating-svc/schemes/" + id + "/scheme.textproto");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(SchemeDiffTest, ShippedSchemesAreComparedWhole) {
  for (const char* id : {"england-social-services-2002", "au-aged-care-2023"}) {
    const auto scheme = Proven(Shipped(id));
    ASSERT_NE(scheme, nullptr);
    const SpaceDiff diff = DiffSpace(*scheme, *scheme);
    EXPECT_TRUE(diff.complete) << (diff.notes.empty() ? "" : diff.notes[0]);
    for (const Shift& shift : diff.shifts) EXPECT_EQ(shift.before, shift.after);
    EXPECT_FALSE(diff.shifts.empty());
  }
}

TEST(SchemeDiffTest, CountsBeyondSixtyFourBitsAreExact) {
  EXPECT_EQ((Count{0, 0, false}).ToString(), "0");
  EXPECT_EQ((Count{1, 0, false}).ToString(), "18446744073709551616");
  EXPECT_EQ((Count{0, 0, true}).ToString(), "more than 10^38");
}

}  // namespace
}  // namespace starratings::verify
