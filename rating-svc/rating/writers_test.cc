// Sums, bands, counts and adjustments, one by one.
#include "rating-svc/rating/writers.h"

#include <algorithm>
#include <ostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

using evidence::Level;
using evidence::Ratio;
using scheme::Comparison;
using scheme::CountUnknown;
using scheme::Need;
using scheme::Scheme;
using scheme::StageKind;
using ::testing::HasSubstr;

const Value kUnknown = Value::Missing(Absent::kSuppressed, 1);
const Value kExempt = Value::Missing(Absent::kExempt, 2);

// Levels 1 to 5 that count from 1, and numbers.
Scheme Scales(int levels, int numbers) {
  Scheme scheme;
  scheme.scales = {{"rating", {"1", "2", "3", "4", "5"}, 1}};
  for (int i = 0; i < levels; ++i) {
    AddInput(scheme, "level" + std::to_string(i), 0, scheme::OnMissing::kAbsent);
  }
  for (int i = 0; i < numbers; ++i) {
    AddInput(scheme, "number" + std::to_string(i), -1, scheme::OnMissing::kAbsent);
  }
  return scheme;
}

int AddOutput(Scheme& scheme, const std::string& name, int scale) {
  scheme::ValueInfo info;
  info.name = info.title = name;
  info.scale = scale;
  scheme.values.push_back(info);
  return static_cast<int>(scheme.values.size()) - 1;
}

std::string Number(const Value& value) {
  if (value.absent != Absent::kNo) return ToString(value.absent);
  return std::to_string(static_cast<long long>(value.numerator)) + "/" +
         std::to_string(value.denominator);
}

// Four levels of equal weight.
struct NeedCase {
  const char* name;
  Need need;
  int least;
  bool mean;
  std::vector<Value> values;
  const char* want;

  friend void PrintTo(const NeedCase& c, std::ostream* os) { *os << c.name; }
};

class NeedTest : public testing::TestWithParam<NeedCase> {};

TEST_P(NeedTest, DecidesHowManyMustBeKnown) {
  const NeedCase& c = GetParam();
  const Scheme scheme = Scales(4, 0);
  scheme::Sum sum;
  sum.terms = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};
  sum.need = c.need;
  sum.least = c.least;
  sum.mean = c.mean;
  EXPECT_EQ(Number(Add(scheme, sum, c.values)), c.want);
}

Value L(int level) { return Value::Level(level - 1); }

INSTANTIATE_TEST_SUITE_P(
    Sums, NeedTest,
    testing::ValuesIn<NeedCase>({
        // clang-format off
        {"AllKnown",               Need::kAll, 0, false, {L(1), L(2), L(3), L(5)}, "11/1"},
        {"AllAndOneUnknown",       Need::kAll, 0, false, {L(1), kUnknown, L(3), L(5)}, "SUPPRESSED"},
        {"WhatDoesNotCountLeaves", Need::kAll, 0, false, {L(1), L(2), kExempt, L(5)}, "8/1"},
        {"AndLeavesTheMean",       Need::kAll, 0, true,  {L(1), L(2), kExempt, L(5)}, "8/3"},
        {"NothingCounts",          Need::kAll, 0, true,  {kExempt, kExempt, kExempt, kExempt}, "EXEMPT"},
        {"UnknownIsTheReason",     Need::kAll, 0, true,  {kExempt, kUnknown, kExempt, kExempt}, "SUPPRESSED"},
        {"AtLeastTwo",             Need::kAtLeast, 2, true, {L(1), kUnknown, kUnknown, L(4)}, "5/2"},
        {"AtLeastTwoAndOneKnown",  Need::kAtLeast, 2, true, {L(1), kUnknown, kUnknown, kExempt}, "SUPPRESSED"},
        {"AtLeastTwoAndOneCounts", Need::kAtLeast, 2, true, {L(1), kExempt, kExempt, kExempt}, "EXEMPT"},
        {"HalfIsNotMore",          Need::kMoreThanHalf, 0, true, {L(1), L(1), kUnknown, kUnknown}, "SUPPRESSED"},
        {"ThreeOfFour",            Need::kMoreThanHalf, 0, true, {L(1), L(1), L(2), kUnknown}, "4/3"},
        {"TwoOfThreeThatCount",    Need::kMoreThanHalf, 0, true, {L(1), L(2), kExempt, kUnknown}, "3/2"},
        {"OneOfOneThatCounts",     Need::kMoreThanHalf, 0, true, {kExempt, L(2), kExempt, kExempt}, "2/1"},
        // clang-format on
    }),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SumTest, AddsLevelsDecimalsAndAShareExactly) {
  const Scheme scheme = Scales(1, 2);
  scheme::Sum sum;
  sum.terms = {{0, 2}, {1, 3}, {2, 1}};
  sum.over = 7;
  const Value value =
      Add(scheme, sum, {L(4), Value::Number(500'000, 1'000'000), Value::Number(1, 3)});
  // (8 + 1.5 + 1/3) / 7 = 59/42.
  EXPECT_EQ(value.numerator * 42, 59 * static_cast<Int128>(value.denominator));
}

TEST(SumTest, AMeanIsRoundedAfterItIsDivided) {
  const Scheme scheme = Scales(2, 0);
  scheme::Sum sum;
  sum.terms = {{0, 1}, {1, 1}};
  sum.mean = true;
  sum.round_to = scheme::Fraction{1, 1};
  EXPECT_EQ(Number(Add(scheme, sum, {L(3), L(4)})), "4/1");  // 3.5 goes up.
  EXPECT_EQ(Number(Add(scheme, sum, {L(3), L(3)})), "3/1");
}

// Cuts at 10, 20, 30 and 40.
struct BandCase {
  const char* name;
  bool at_most;
  int number;
  int want;

  friend void PrintTo(const BandCase& c, std::ostream* os) { *os << c.name; }
};

class BandTest : public testing::TestWithParam<BandCase> {};

TEST_P(BandTest, TheEdgeBelongsToTheBetterLevel) {
  scheme::Band band;
  band.at_most = GetParam().at_most;
  band.cuts = {{10, 1}, {20, 1}, {30, 1}, {40, 1}};
  EXPECT_EQ(BandOf(band, {Value::Number(GetParam().number, 1)}).level, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Edges, BandTest,
                         testing::ValuesIn<BandCase>({{"HigherBelowAll", false, 9, 0},
                                                      {"HigherOnTheFirst", false, 10, 1},
                                                      {"HigherBetween", false, 29, 2},
                                                      {"HigherOnTheLast", false, 40, 4},
                                                      {"LowerOnTheFirst", true, 10, 4},
                                                      {"LowerJustAbove", true, 11, 3},
                                                      {"LowerOnTheLast", true, 40, 1},
                                                      {"LowerAboveAll", true, 41, 0}}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(BandTest, TakesTheCutsOfWhatSelectsThem) {
  scheme::Band band;
  band.from = 1;
  band.by = 0;
  band.lists = {{0, {{1, 1}, {2, 1}}, scheme::Basis::kAssumed, {}},
                {1, {{5, 1}}, scheme::Basis::kAssumed, {}}};
  band.list_of = {0, 1, 0};
  const auto level = [&](int by, int number) {
    return BandOf(band, {Value::Level(by), Value::Number(number, 1)}).level;
  };
  EXPECT_EQ(level(0, 2), 2);
  EXPECT_EQ(level(1, 2), 1);  // The second list gives no level below 1.
  EXPECT_EQ(level(1, 5), 2);
  EXPECT_EQ(level(2, 0), 0);
  EXPECT_EQ(BandOf(band, {kUnknown, Value::Number(2, 1)}).absent, Absent::kSuppressed);
}

TEST(CountTest, CountsWhatHoldsAndAnswersWhatIsUnknown) {
  scheme::Count count;
  count.conditions = {AtMost(0, 1), AtMost(1, 1), Compared(2, Comparison::kAbove, {1, 2})};
  const auto counted = [&](CountUnknown unknown, std::vector<Value> values, uint64_t want_held) {
    count.unknown = unknown;
    uint64_t held = 0;
    const Value value = CountOf(count, values, held);
    EXPECT_EQ(held, want_held);
    return Number(value);
  };
  const std::vector<Value> known = {L(1), L(5), Value::Number(2, 3)};
  EXPECT_EQ(counted(CountUnknown::kAbsent, known, 5), "2/1");
  const std::vector<Value> gap = {L(1), kUnknown, kExempt};
  EXPECT_EQ(counted(CountUnknown::kAbsent, gap, 1), "SUPPRESSED");
  EXPECT_EQ(counted(CountUnknown::kSkip, gap, 1), "1/1");
  EXPECT_EQ(counted(CountUnknown::kAsTrue, gap, 1), "2/1");
}

// An inspection level, moved by two others: 5 is one up, 1 is one down.
Scheme AdjustShape() {
  Scheme scheme = Scales(4, 0);
  const int output = AddOutput(scheme, "overall", 0);
  const auto at_least = [](int value, int level) {
    scheme::Condition condition = AtMost(value, level);
    condition.comparison = Comparison::kLevelAtLeast;
    condition.text = "at least level " + std::to_string(level);
    return condition;
  };
  scheme::Adjust adjust;
  adjust.id = "A";
  adjust.output = output;
  adjust.steps = {{at_least(1, 4), 1}, {AtMost(1, 0), -1}, {at_least(2, 4), 1}, {AtMost(2, 0), -1}};
  scheme.adjusts = {adjust};
  scheme.stages = {{StageKind::kAdjust, 0}};
  scheme.results = {{output, ""}};
  return scheme;
}

int Adjusted(const Scheme& scheme, int inspection, int staffing, int quality, int bounded = 5) {
  Evaluation evaluation(scheme);
  Evaluate(scheme, std::vector<Value>{L(inspection), L(staffing), L(quality), L(bounded)},
           evaluation);
  return evaluation.ResultOf(scheme, 0).level + 1;
}

TEST(AdjustTest, StaysWithinTheScaleAfterEachStep) {
  const Scheme scheme = AdjustShape();
  EXPECT_EQ(Adjusted(scheme, 3, 3, 3), 3);
  EXPECT_EQ(Adjusted(scheme, 3, 5, 5), 5);
  EXPECT_EQ(Adjusted(scheme, 1, 1, 5), 2);  // Not 1: the first step could not go below.
  EXPECT_EQ(Adjusted(scheme, 5, 5, 1), 4);
}

TEST(AdjustTest, ABoundHoldsTheGainOfAllStepsTogether) {
  Scheme scheme = AdjustShape();
  scheme.adjusts[0].bound = AtMost(3, 0);
  scheme.adjusts[0].gain_at_most = 1;
  EXPECT_EQ(Adjusted(scheme, 1, 5, 5, 1), 2);
  EXPECT_EQ(Adjusted(scheme, 1, 5, 5, 2), 3);
  EXPECT_EQ(Adjusted(scheme, 3, 1, 1, 1), 1);  // It bounds no loss.
}

TEST(AdjustTest, AnUnknownConditionLeavesNothing) {
  const Scheme scheme = AdjustShape();
  Evaluation evaluation(scheme);
  Evaluate(scheme, std::vector<Value>{L(3), kUnknown, L(5), L(5)}, evaluation);
  EXPECT_EQ(evaluation.ResultOf(scheme, 0).absent, Absent::kSuppressed);
  Evaluate(scheme, std::vector<Value>{L(3), kExempt, L(5), L(5)}, evaluation);
  EXPECT_EQ(evaluation.ResultOf(scheme, 0).level, 3);
}

const evidence::Date kDay = evidence::Date::FromDays(11'839);

TEST(ExplainTest, AnAdjustmentShowsItsSteps) {
  const Scheme scheme = AdjustShape();
  const evidence::Dossier dossier = DossierOf(
      {Item("level0", Level{"2"}), Item("level1", Level{"5"}), Item("level2", Level{"3"})});
  const Explanation explanation = Explain(scheme, dossier, kDay);
  const StepFinding& step = explanation.steps[0];
  EXPECT_EQ(step.before, "2");
  EXPECT_EQ(step.after, "3");
  EXPECT_TRUE(step.decided && step.binding);
  ASSERT_EQ(step.tests.size(), 4u);
  EXPECT_TRUE(step.tests[0].held);
  EXPECT_FALSE(step.tests[1].held);
}

TEST(ExplainTest, ABandShowsTheCutsNextToTheNumberAndTheMargins) {
  for (const bool at_most : {false, true}) {
    Scheme scheme = Scales(0, 1);
    const int output = AddOutput(scheme, "band", 0);
    scheme::Band band;
    band.id = "B";
    band.output = output;
    band.at_most = at_most;
    band.cuts = {{10, 100}, {20, 100}, {30, 100}, {40, 100}};
    scheme.bands = {band};
    scheme.stages = {{StageKind::kBand, 0}};
    scheme.results = {{output, ""}};
    const evidence::Dossier dossier = DossierOf({Item("number0", Ratio{25, 100})});
    const StepFinding step = Explain(scheme, dossier, kDay).steps[0];
    EXPECT_EQ(step.after, "3");
    ASSERT_EQ(step.tests.size(), 2u);
    EXPECT_EQ(step.tests[0].condition, at_most ? "at most 30 %: \"3\"" : "at least 20 %: \"3\"");
    EXPECT_TRUE(step.tests[0].held);
    // So many more or fewer, and the test would come out otherwise.
    EXPECT_EQ(step.tests[0].margin, at_most ? "-5 percentage points, 6 more cases"
                                            : "-5 percentage points, 6 fewer cases");
    EXPECT_EQ(step.tests[1].condition, at_most ? "at most 20 %: \"4\"" : "at least 30 %: \"4\"");
    EXPECT_FALSE(step.tests[1].held);
    EXPECT_EQ(step.tests[1].margin,
              at_most ? "5 percentage points, 5 fewer cases" : "5 percentage points, 5 more cases");
  }
}

TEST(ExplainTest, ASumThatLacksValuesSaysHowMany) {
  Scheme scheme = Scales(3, 0);
  const int output = AddOutput(scheme, "score", -1);
  scheme::Sum sum;
  sum.id = "S";
  sum.output = output;
  sum.terms = {{0, 1}, {1, 1}, {2, 1}};
  sum.need = Need::kMoreThanHalf;
  scheme.sums = {sum};
  scheme.stages = {{StageKind::kSum, 0}};
  scheme.results = {{output, ""}};
  const evidence::Dossier dossier = DossierOf({Item("level0", Level{"2"})});
  const Explanation explanation = Explain(scheme, dossier, kDay);
  EXPECT_THAT(explanation.steps[0].sentence,
              HasSubstr("it needs 2 of the 3 values that count, and 1 is known"));
  ASSERT_TRUE(explanation.rating.results[0].not_rated);
  EXPECT_EQ(explanation.rating.results[0].not_rated->code, "level1");
}

// A scheme that reads what is no evidence.
Scheme ElsewhereShape() {
  Scheme scheme;
  scheme.digest = "d";
  scheme.scales = {{"kind", {"home", "trust"}, 0}, {"stars", {"0", "1"}, 0}};
  AddInput(scheme, "kind", 0, scheme::OnMissing::kAbsent);
  AddInput(scheme, "their.stars", 1, scheme::OnMissing::kAbsent);
  scheme.inputs[0].from = scheme::InputFrom::kAttribute;
  scheme.inputs[1].from = scheme::InputFrom::kPublished;
  scheme.inputs[1].published_scheme = "theirs";
  scheme.inputs[1].published_result = "stars";
  scheme.results = {{0, ""}, {1, ""}};
  return scheme;
}

TEST(ElsewhereTest, AttributesAndPublishedRatingsAreReadAsLevels) {
  const Scheme scheme = ElsewhereShape();
  evidence::Dossier dossier = DossierOf({});
  dossier.organisation.kind = "trust";
  dossier.published = {{"others", "1", "stars", "0", "aa"}, {"theirs", "2", "stars", "1", "bb"}};
  const Explanation explanation = Explain(scheme, dossier, kDay);
  EXPECT_EQ(explanation.rating.results[0].level, "trust");
  EXPECT_EQ(explanation.rating.results[1].level, "1");
  EXPECT_EQ(explanation.readings[0].from, "kind");
  EXPECT_EQ(explanation.readings[1].from, "theirs@2 bb");
  dossier.organisation.kind = "shop";
  dossier.published.clear();
  const Rating rating = Rate(scheme, dossier, kDay);
  EXPECT_EQ(rating.results[0].not_rated->reason, Absent::kUnreliable);
  EXPECT_EQ(rating.results[1].not_rated->reason, Absent::kNotReported);
}

TEST(ElsewhereTest, TheDigestIsOfWhatWasReadThere) {
  Scheme scheme = ElsewhereShape();
  scheme.results.clear();  // So that nothing but what was read can tell them apart.
  evidence::Dossier dossier = DossierOf({});
  dossier.organisation.kind = "trust";
  dossier.published = {{"theirs", "2", "stars", "1", "bb"}};
  const digest::Digest digest = Rate(scheme, dossier, kDay).digest;
  evidence::Dossier other = dossier;
  other.organisation.region = "north";  // Not read.
  other.published.push_back({"others", "1", "stars", "0", "aa"});
  EXPECT_EQ(Rate(scheme, other, kDay).digest, digest);
  other.organisation.kind = "home";
  EXPECT_NE(Rate(scheme, other, kDay).digest, digest);
  other = dossier;
  other.published[0].digest = "cc";
  EXPECT_NE(Rate(scheme, other, kDay).digest, digest);
}

}  // namespace
}  // namespace starratings::rating
