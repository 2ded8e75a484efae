#include "rating-svc/wire/analysis_wire.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::wire {
namespace {

using rating::Value;

TEST(AnalysisWireTest, AChangeIsSaidAsEvidenceSaysIt) {
  scheme::Scheme scheme = rating::EnglandShape();
  scheme.values[rating::kPlacements].unit = "children";
  scheme.inputs[rating::kEquipment].type = scheme::InputType::kDecimal;
  analysis::Improvements improvements;
  improvements.rated = true;
  improvements.level = 1;
  improvements.held = {rating::kAdultHomes};
  analysis::Path path;
  Value assumed = Value::Level(1);
  assumed.assumed = true;
  path.changes = {{rating::kAdultsServing, assumed, Value::Level(3), 2},
                  {rating::kPlacements, Value::Number(30, 140), Value::Number(28, 140), 1},
                  {rating::kEquipment, Value::Number(-1'500'000, 1'000'000),
                   Value::Number(250'000, 1'000'000), 1}};
  path.steps = 4;
  path.level = 2;
  improvements.gains.paths = {path};
  improvements.gains.complete = false;
  improvements.gains.complete_steps = 3;
  rating::Readings readings;
  readings.values.assign(10, Value::Missing(rating::Absent::kStale, 0));
  rating::v1::ResultImprovements message;
  Write(improvements, scheme, 0, readings, message);
  EXPECT_EQ(message.result(), "stars");
  EXPECT_EQ(message.level(), "1");
  EXPECT_EQ(message.next_level(), "2");
  EXPECT_FALSE(message.gains().complete());
  EXPECT_EQ(message.gains().complete_steps(), 3);
  EXPECT_TRUE(message.losses().complete());
  ASSERT_EQ(message.gains().sets_size(), 1);
  EXPECT_EQ(message.gains().sets(0).steps(), 4);
  EXPECT_EQ(message.gains().sets(0).level(), "2");
  ASSERT_EQ(message.gains().sets(0).changes_size(), 3);
  const auto& level = message.gains().sets(0).changes(0);
  EXPECT_EQ(level.from().level(), "some");
  EXPECT_EQ(level.to().level(), "yes");
  EXPECT_TRUE(level.from_assumed());
  EXPECT_EQ(level.cases(), 0);
  const auto& ratio = message.gains().sets(0).changes(1);
  EXPECT_EQ(ratio.unit(), "children");
  EXPECT_EQ(ratio.from().ratio().numerator(), 30);
  EXPECT_EQ(ratio.to().ratio().numerator(), 28);
  EXPECT_EQ(ratio.to().ratio().denominator(), 140);
  EXPECT_EQ(ratio.cases(), -2);
  const auto& decimal = message.gains().sets(0).changes(2);
  EXPECT_EQ(decimal.from().decimal(), "-1.5");
  EXPECT_EQ(decimal.to().decimal(), "0.25");
  ASSERT_EQ(message.held_size(), 1);
  EXPECT_EQ(message.held(0).code(), "adult_homes");
  EXPECT_EQ(message.held(0).reason(), "STALE");
}

TEST(AnalysisWireTest, NotRatedIsListedOnlyWhereItIsPossible) {
  const scheme::Scheme scheme = rating::EnglandShape();
  analysis::Odds odds;
  odds.levels = {0.25, 0.75, 0, 0};
  rating::v1::Robustness certain;
  Write(odds, nullptr, scheme, 0, certain);
  ASSERT_EQ(certain.outcomes_size(), 4);
  EXPECT_EQ(certain.outcomes(1).level(), "1");
  EXPECT_EQ(certain.outcomes(1).probability(), 0.75);
  EXPECT_EQ(certain.outcomes(1).most(), 0);
  analysis::Bounds bounds;
  bounds.levels = {{0.1, 0.3}, {0.6, 0.9}, {0, 0}, {0, 0}};
  bounds.not_rated = {0, 0.1};
  rating::v1::Robustness open;
  Write(odds, &bounds, scheme, 0, open);
  ASSERT_EQ(open.outcomes_size(), 5);
  EXPECT_EQ(open.outcomes(1).least(), 0.6);
  EXPECT_EQ(open.outcomes(1).most(), 0.9);
  EXPECT_EQ(open.outcomes(4).level(), "");
  EXPECT_EQ(open.outcomes(4).most(), 0.1);
}

}  // namespace
}  // namespace starratings::wire
