#include "rating-svc/rating/evaluate.h"

#include <algorithm>
#include <ostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

using scheme::Comparison;
using scheme::OnUnknown;
using scheme::Scheme;
using scheme::StageKind;

int StarsOf(const Scheme& scheme, const std::vector<Value>& readings) {
  Evaluation evaluation(scheme);
  Evaluate(scheme, readings, evaluation);
  const Value stars = evaluation.ResultOf(scheme, 0);
  return stars.absent == Absent::kNo ? stars.level : -1;
}

// Children's serving, capped at "some" by one indicator with one comparison.
struct EdgeCase {
  const char* name;
  Comparison comparison;
  scheme::Fraction threshold;
  Value reading;
  int want;

  friend void PrintTo(const EdgeCase& c, std::ostream* os) { *os << c.name; }
};

class EdgeTest : public testing::TestWithParam<EdgeCase> {};

TEST_P(EdgeTest, FiresOnItsSideOfTheThreshold) {
  const EdgeCase& c = GetParam();
  Scheme scheme = EnglandShape();
  scheme.limits[0].any = {Compared(kPlacements, c.comparison, c.threshold)};
  std::vector<Value> readings = Judgements(kMost, 2, kYes, 2);
  readings[kPlacements] = c.reading;
  Evaluation evaluation(scheme);
  Evaluate(scheme, readings, evaluation);
  EXPECT_EQ(evaluation.values[kChildrenServing].level, c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Edges, EdgeTest,
    testing::ValuesIn<EdgeCase>({
        // clang-format off
        {"AboveAtThresholdHolds",    Comparison::kAbove,   {20, 100}, Value::Number(20, 100),      kYes},
        {"AboveAtEqualShareHolds",   Comparison::kAbove,   {20, 100}, Value::Number(7, 35),        kYes},
        {"AboveJustOverFires",       Comparison::kAbove,   {20, 100}, Value::Number(200'001, 1'000'000), kSome},
        {"BelowAtThresholdHolds",    Comparison::kBelow,   {80, 100}, Value::Number(4, 5),         kYes},
        {"BelowJustUnderFires",      Comparison::kBelow,   {80, 100}, Value::Number(799, 1'000),   kSome},
        {"AtLeastAtThresholdFires",  Comparison::kAtLeast, {1, 3},    Value::Number(2, 6),         kSome},
        {"AtLeastJustUnderHolds",    Comparison::kAtLeast, {1, 3},    Value::Number(333'333, 1'000'000), kYes},
        {"AtMostAtThresholdFires",   Comparison::kAtMost,  {1, 1},    Value::Number(5, 5),         kSome},
        {"AtMostJustOverHolds",      Comparison::kAtMost,  {1, 1},    Value::Number(6, 5),         kYes},
        {"LargestNumbersCompare",    Comparison::kAbove,   {999'999'999'999, 1'000'000'000'000},
                                     Value::Number(1'000'000'000'000, 1'000'000'000'000), kSome},
        {"MissingIsSkipped",         Comparison::kAbove,   {20, 100}, Value::Missing(Absent::kNotReported, kPlacements), kYes},
        {"ExemptNeverFires",         Comparison::kAbove,   {20, 100}, Value::Missing(Absent::kExempt, kPlacements), kYes},
        // clang-format on
    }),
    [](const auto& test) { return test.param.name; });

TEST(EvaluateTest, ATableOfPointsGivesThePublishedCells) {
  const Scheme scheme = EnglandShape();
  EXPECT_EQ(StarsOf(scheme, Judgements(kNo, 0, kNo, 0)), 0);      // Walsall
  EXPECT_EQ(StarsOf(scheme, Judgements(kSome, 2, kMost, 2)), 2);  // Hull
  EXPECT_EQ(StarsOf(scheme, Judgements(kMost, 2, kSome, 2)), 2);  // Isle of Wight
  EXPECT_EQ(StarsOf(scheme, Judgements(kYes, 3, kYes, 3)), 3);
}

TEST(EvaluateTest, AVetoIsZeroHoweverGoodTheRestIs) {
  const Scheme scheme = EnglandShape();
  EXPECT_EQ(StarsOf(scheme, Judgements(kNo, 3, kYes, 3)), 0);
  EXPECT_EQ(StarsOf(scheme, Judgements(kYes, 3, kYes, 0)), 0);
}

TEST(EvaluateTest, WhoReadsACappedValueSeesItCapped) {
  const Scheme scheme = EnglandShape();
  std::vector<Value> readings = Judgements(kSome, 2, kMost, 2);
  EXPECT_EQ(StarsOf(scheme, readings), 2);
  readings[kPlacements] = Value::Number(48, 212);
  EXPECT_EQ(StarsOf(scheme, readings), 1);
}

TEST(EvaluateTest, WhatRefusesLeavesNothingRated) {
  const Scheme scheme = EnglandShape();
  std::vector<Value> readings = Judgements(kSome, 2, kMost, 2);
  readings[kAdultsProspects] = Value::Missing(Absent::kSuppressed, kAdultsProspects);
  readings[kAdultsProspects].refused = true;
  Evaluation evaluation(scheme);
  Evaluate(scheme, readings, evaluation);
  const Value stars = evaluation.ResultOf(scheme, 0);
  EXPECT_EQ(stars.absent, Absent::kSuppressed);
  EXPECT_EQ(stars.origin, kAdultsProspects);
}

TEST(EvaluateTest, AnUndecidedLimitMattersOnlyWhereItLiesLower) {
  Scheme scheme = EnglandShape();
  for (scheme::Limit& limit : scheme.limits) limit.unknown = OnUnknown::kRefuse;
  std::vector<Value> readings = Judgements(kMost, 2, kSome, 2);
  for (int i = kPlacements; i <= kEquipment; ++i)
    readings[static_cast<size_t>(i)] = Value::Number(1, 2);
  readings[kPlacements] = Value::Number(0, 100);
  readings[kReRegistrations] = Value::Number(0, 100);
  readings[kChildrensHomes] = readings[kAdultHomes] = readings[kEquipment] = Value::Number(40, 40);
  EXPECT_EQ(StarsOf(scheme, readings), 2);
  // "some" already: a cap at "some" that nobody can decide changes nothing.
  readings[kPlacements] = Value::Missing(Absent::kNotReported, kPlacements);
  EXPECT_EQ(StarsOf(scheme, readings), 2);
  // "most": nobody can say whether it is to be lowered.
  readings[kChildrenServing] = Value::Level(kMost);
  EXPECT_EQ(StarsOf(scheme, readings), -1);
  // But another cap at the same level has fired, and that decides.
  readings[kReRegistrations] = Value::Number(30, 100);
  EXPECT_EQ(StarsOf(scheme, readings), 2);
  // A veto decides whatever else nobody knows.
  readings[kReRegistrations] = Value::Number(0, 100);
  readings[kAdultsProspects] = Value::Level(0);
  EXPECT_EQ(StarsOf(scheme, readings), 0);
}

TEST(EvaluateTest, TheOrderOfRulesDoesNotMatter) {
  Scheme scheme = EnglandShape();
  scheme.limits[0].level = kMost;  // Three limits of one target, at three levels,
  scheme.limits[1].unknown = OnUnknown::kRefuse;
  scheme.limits[2].level = kNo;
  const std::vector<Value> states = {
      Value::Number(0, 100), Value::Number(1, 1), Value::Number(30, 100),
      Value::Missing(Absent::kNotReported, 0), Value::Missing(Absent::kExempt, 0)};
  int compared = 0;
  for (const Value& a : states) {
    for (const Value& b : states) {
      for (const Value& c : states) {
        std::vector<Value> readings = Judgements(kYes, 2, kYes, 2);
        readings[kPlacements] = a;
        readings[kReRegistrations] = b;
        readings[kChildrensHomes] = c;
        std::vector<int> order = {0, 1, 2};
        const int first = StarsOf(scheme, readings);
        while (std::next_permutation(order.begin(), order.end())) {
          Scheme shuffled = scheme;
          for (size_t i = 0; i < 3; ++i) shuffled.stages[i].index = order[i];
          EXPECT_EQ(StarsOf(shuffled, readings), first);
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, 125 * 5);
}

TEST(EvaluateTest, WithoutARuleIsAsIfItDidNotExist) {
  const Scheme scheme = EnglandShape();
  std::vector<Value> readings = Judgements(kSome, 2, kMost, 2);
  readings[kPlacements] = Value::Number(48, 212);
  Evaluation evaluation(scheme);
  Evaluate(scheme, readings, evaluation, /*skip_limit=*/0);
  EXPECT_EQ(evaluation.ResultOf(scheme, 0).level, 2);
}

TEST(EvaluateTest, ATraceSaysWhatEachRuleDidOnItsOwn) {
  const Scheme scheme = EnglandShape();
  std::vector<Value> readings = Judgements(kNo, 0, kYes, 3);
  Evaluation evaluation(scheme);
  EvaluateTraced(scheme, readings, evaluation);
  EXPECT_EQ(evaluation.stages[5].cell, 15);
  EXPECT_EQ(evaluation.stages[5].after.level, 1);  // 0 + 0 + 6 + 3 points.
  EXPECT_TRUE(evaluation.stages[6].fired);
  EXPECT_EQ(evaluation.stages[6].held, 1u);
  EXPECT_EQ(evaluation.stages[6].before.level, 1);
  EXPECT_EQ(evaluation.stages[6].after.level, 0);
  EXPECT_FALSE(evaluation.stages[0].fired);
}

// A sum of three scored values, rounded, banded, and capped where absent.
Scheme SumShape(int64_t over) {
  Scheme scheme;
  scheme.scales = {{"rating", {"1", "2", "3", "4", "5"}, 1}};
  for (const char* code : {"a", "b", "c"}) {
    AddInput(scheme, code, 0, scheme::OnMissing::kAbsent);
  }
  scheme::ValueInfo score;
  score.name = "score";
  scheme.values.push_back(score);
  scheme::ValueInfo overall;
  overall.name = "overall";
  overall.scale = 0;
  scheme.values.push_back(overall);
  scheme.sums.resize(1);
  scheme.sums[0].id = "S";
  scheme.sums[0].output = 3;
  scheme.sums[0].terms = {{0, 2}, {1, 1}, {2, 1}};
  scheme.sums[0].over = over;
  scheme.sums[0].round_to = scheme::Fraction{1, 1};
  scheme.bands.resize(1);
  scheme.bands[0].id = "B";
  scheme.bands[0].from = 3;
  scheme.bands[0].output = 4;
  scheme.bands[0].cuts = {{2, 1}, {3, 1}, {4, 1}, {5, 1}};
  scheme.limits = {Cap("C", 4, 0, {AtMost(0, 0)})};
  scheme.limits[0].limits_absent = true;
  scheme.stages = {{StageKind::kSum, 0}, {StageKind::kBand, 0}, {StageKind::kLimit, 0}};
  scheme.results = {{4, ""}, {3, ""}};
  return scheme;
}

TEST(SumTest, RoundsHalfUp) {
  const Scheme scheme = SumShape(4);
  Evaluation evaluation(scheme);
  const auto score = [&](int a, int b, int c) {
    Evaluate(scheme, std::vector<Value>{Value::Level(a), Value::Level(b), Value::Level(c)},
             evaluation);
    const Value value = evaluation.values[3];
    return static_cast<double>(value.numerator) / static_cast<double>(value.denominator);
  };
  EXPECT_EQ(score(1, 1, 1), 2);  // 8 / 4
  EXPECT_EQ(score(1, 1, 2), 2);  // 9 / 4 = 2.25
  EXPECT_EQ(score(1, 2, 2), 3);  // 10 / 4 = 2.5 goes up
  EXPECT_EQ(evaluation.values[4].level, 2);
}

TEST(SumTest, ATermThatIsAbsentMakesItAbsentAndALimitMayStillAct) {
  const Scheme scheme = SumShape(4);
  Evaluation evaluation(scheme);
  const Value missing = Value::Missing(Absent::kNotReported, 1);
  Evaluate(scheme, std::vector<Value>{Value::Level(1), missing, Value::Level(1)}, evaluation);
  EXPECT_EQ(evaluation.values[4].absent, Absent::kNotReported);
  EXPECT_EQ(evaluation.values[4].origin, 1);
  Evaluate(scheme, std::vector<Value>{Value::Level(0), missing, Value::Level(1)}, evaluation);
  EXPECT_EQ(evaluation.values[4].absent, Absent::kNo);
  EXPECT_EQ(evaluation.values[4].level, 0);
  EXPECT_EQ(evaluation.values[3].absent, Absent::kNotReported);
}

}  // namespace
}  // namespace starratings::rating
