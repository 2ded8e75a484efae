// Caps, floors and vetoes of one target together, against what they are said to
// be: first the highest floor, then the lowest cap, and unknown exactly where
// deciding what nobody can decide would change the outcome.
#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

using evidence::Level;
using scheme::Limit;
using scheme::OnUnknown;
using scheme::Scheme;
using scheme::StageKind;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int kTarget = 0;
constexpr int kLevels = 4;
constexpr int kUnknownLevel = -1;

Limit Floor(std::string id, int target, int level, std::vector<scheme::Condition> any) {
  Limit limit = Cap(std::move(id), target, level, std::move(any));
  limit.floor = true;
  return limit;
}

// A target on a scale of four levels, and inputs that say whether limits fire.
Scheme LimitsShape(const std::vector<Limit>& limits, int inputs) {
  Scheme scheme;
  scheme.scales = {{"four", {"0", "1", "2", "3"}, 0}, {"flag", {"no", "yes"}, 0}};
  AddInput(scheme, "target", 0, scheme::OnMissing::kAbsent);
  for (int i = 0; i < inputs; ++i) {
    AddInput(scheme, "fires" + std::to_string(i), 1, scheme::OnMissing::kAbsent);
  }
  scheme.limits = limits;
  for (size_t i = 0; i < limits.size(); ++i) {
    scheme.stages.push_back({StageKind::kLimit, static_cast<int>(i)});
  }
  scheme.results = {{kTarget, ""}};
  return scheme;
}

// What these limits, all of them fired, make of a level; kUnknownLevel: absent.
int Limited(int raw, const std::vector<Limit>& fired) {
  int level = raw;
  const auto gives = [&](bool floor) {
    return std::any_of(fired.begin(), fired.end(), [floor](const Limit& limit) {
      return limit.floor == floor && limit.limits_absent;
    });
  };
  if (raw == kUnknownLevel && gives(false)) level = kLevels;
  if (level == kUnknownLevel && !gives(true)) return kUnknownLevel;
  for (const Limit& limit : fired) {
    if (limit.floor) level = std::max(level, limit.level);
  }
  for (const Limit& limit : fired) {
    if (!limit.floor) level = std::min(level, limit.level);
  }
  return level;
}

// The same where `open` are limits that nobody can decide.
int LimitedWith(int raw, const std::vector<Limit>& fired, const std::vector<Limit>& open) {
  const int level = Limited(raw, fired);
  if (level == kUnknownLevel) return level;  // Absent it was, and stays.
  for (size_t chosen = 0; chosen < size_t{1} << open.size(); ++chosen) {
    std::vector<Limit> all = fired;
    for (size_t i = 0; i < open.size(); ++i) {
      if ((chosen >> i & 1) != 0) all.push_back(open[i]);
    }
    if (Limited(raw, all) != level) return kUnknownLevel;
  }
  return level;
}

TEST(LimitsTest, AreWhatTheyAreSaidToBeInAnyOrder) {
  std::mt19937 random(1);
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<uint32_t>(below));
  };
  int unknown = 0;
  for (int run = 0; run < 20'000; ++run) {
    constexpr int kLimits = 4;
    std::vector<Limit> limits;
    std::vector<Value> readings = {Value::Missing(Absent::kStale, kTarget)};
    const int raw = pick(kLevels + 1) - 1;
    if (raw != kUnknownLevel) readings[0] = Value::Level(raw);
    std::vector<Limit> fired;
    std::vector<Limit> open;
    for (int i = 0; i < kLimits; ++i) {
      scheme::Condition yes = AtMost(1 + i, 1);
      Limit limit = pick(2) == 0 ? Floor("L", kTarget, pick(kLevels), {yes})
                                 : Cap("L", kTarget, pick(kLevels), {yes});
      limit.id += std::to_string(i);
      limit.limits_absent = pick(2) == 0;
      limit.unknown = pick(2) == 0 ? OnUnknown::kRefuse : OnUnknown::kSkip;
      const int state = pick(4);
      if (state == 0) {
        readings.push_back(Value::Missing(Absent::kExempt, 1 + i));  // Does not fire.
      } else if (state < 3) {
        readings.push_back(Value::Level(0));
        fired.push_back(limit);
      } else {
        readings.push_back(Value::Missing(Absent::kSuppressed, 1 + i));
        if (limit.unknown == OnUnknown::kRefuse) open.push_back(limit);
      }
      limits.push_back(limit);
    }
    Scheme scheme = LimitsShape(limits, kLimits);
    const int want = LimitedWith(raw, fired, open);
    Evaluation evaluation(scheme);
    for (int order = 0; order < 3; ++order) {
      Evaluate(scheme, readings, evaluation);
      const Value& got = evaluation.values[kTarget];
      ASSERT_EQ(got.absent == Absent::kNo ? got.level : kUnknownLevel, want) << "run " << run;
      std::shuffle(scheme.stages.begin(), scheme.stages.end(), random);
    }
    unknown += want == kUnknownLevel ? 1 : 0;
  }
  EXPECT_GT(unknown, 2'000);
  EXPECT_LT(unknown, 15'000);
}

struct AllCase {
  const char* name;
  Value first;
  Value second;
  int want;  // Of a target at 3 that is capped at 1; kUnknownLevel: nobody knows.
};

class AllTest : public testing::TestWithParam<AllCase> {};

TEST_P(AllTest, FiresOnlyWhereEveryConditionHolds) {
  Limit cap = Cap("C", kTarget, 1, {AtMost(1, 0), AtMost(2, 0)});
  cap.all = true;
  cap.unknown = OnUnknown::kRefuse;
  const Scheme scheme = LimitsShape({cap}, 2);
  for (const bool traced : {false, true}) {
    Evaluation evaluation(scheme);
    const std::vector<Value> readings = {Value::Level(3), GetParam().first, GetParam().second};
    if (traced) {
      EvaluateTraced(scheme, readings, evaluation);
    } else {
      Evaluate(scheme, readings, evaluation);
    }
    const Value& got = evaluation.values[kTarget];
    EXPECT_EQ(got.absent == Absent::kNo ? got.level : kUnknownLevel, GetParam().want);
  }
}

const Value kHolds = Value::Level(0);
const Value kFails = Value::Level(1);
const Value kNobodyKnows = Value::Missing(Absent::kNotReported, 1);
const Value kDoesNotCount = Value::Missing(Absent::kNotApplicable, 1);

INSTANTIATE_TEST_SUITE_P(
    Conditions, AllTest,
    testing::ValuesIn<AllCase>({{"Both", kHolds, kHolds, 1},
                                {"One", kHolds, kFails, 3},
                                {"OneAndUnknown", kHolds, kNobodyKnows, kUnknownLevel},
                                {"FailsAndUnknown", kFails, kNobodyKnows, 3},
                                {"OneDoesNotCount", kHolds, kDoesNotCount, 3},
                                {"UnknownAndDoesNotCount", kNobodyKnows, kDoesNotCount, 3}}),
    [](const auto& test) { return std::string(test.param.name); });

const evidence::Date kDay = evidence::Date::FromDays(11'839);

const StepFinding& StepOf(const Explanation& explanation, const std::string& rule) {
  return *std::find_if(explanation.steps.begin(), explanation.steps.end(),
                       [&](const StepFinding& step) { return step.rule_id == rule; });
}

TEST(FloorTest, ThatRaisedIsBindingAndSaysSo) {
  Limit floor = Floor("F", kTarget, 2, {AtMost(1, 0), AtMost(2, 0)});
  floor.all = true;
  floor.basis = scheme::Basis::kForced;
  const Scheme scheme = LimitsShape({floor}, 2);
  const evidence::Dossier dossier = DossierOf(
      {Item("target", Level{"1"}), Item("fires0", Level{"no"}), Item("fires1", Level{"no"})});
  const Explanation explanation = Explain(scheme, dossier, kDay);
  EXPECT_EQ(explanation.rating.results[0].level, "2");
  const StepFinding& step = StepOf(explanation, "F");
  EXPECT_TRUE(step.floor && step.fired && step.decided && step.binding);
  EXPECT_EQ(step.before, "1");
  EXPECT_EQ(step.after, "2");
  EXPECT_THAT(step.sentence, HasSubstr("Floor F applies"));
  EXPECT_THAT(step.sentence, HasSubstr("limits target from below to \"2\""));
  EXPECT_THAT(explanation.sentences, Contains(HasSubstr("Without F")));
  EXPECT_EQ(explanation.rating.results[0].basis, scheme::Basis::kForced);
}

TEST(FloorTest, WhoseConditionFailedNamesThatOne) {
  Limit floor = Floor("F", kTarget, 2, {AtMost(1, 0), AtMost(2, 0)});
  floor.all = true;
  const Scheme scheme = LimitsShape({floor}, 2);
  const evidence::Dossier dossier = DossierOf(
      {Item("target", Level{"1"}), Item("fires0", Level{"no"}), Item("fires1", Level{"yes"})});
  const Explanation explanation = Explain(scheme, dossier, kDay);
  EXPECT_THAT(StepOf(explanation, "F").sentence,
              HasSubstr("Floor F does not apply: fires1 is \"yes\""));
}

TEST(FloorTest, AndACapBelowItStandOnBothGrounds) {
  Limit floor = Floor("F", kTarget, 3, {AtMost(1, 0)});
  Limit cap = Cap("C", kTarget, 2, {AtMost(2, 0)});
  cap.basis = scheme::Basis::kDocumented;
  floor.basis = scheme::Basis::kForced;
  const Scheme scheme = LimitsShape({cap, floor}, 2);
  const evidence::Dossier dossier = DossierOf(
      {Item("target", Level{"1"}), Item("fires0", Level{"no"}), Item("fires1", Level{"no"})});
  const Explanation explanation = Explain(scheme, dossier, kDay);
  EXPECT_EQ(explanation.rating.results[0].level, "2");
  EXPECT_TRUE(StepOf(explanation, "F").decided);
  EXPECT_TRUE(StepOf(explanation, "C").decided);
  EXPECT_EQ(explanation.rating.results[0].basis, scheme::Basis::kForced);
}

}  // namespace
}  // namespace starratings::rating
