#include "rating-svc/analysis/packed.h"

#include <random>

#include "gtest/gtest.h"
#include "rating-svc/analysis/test_random.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Value;

TEST(Packed, SaysWhatTheEvaluatorSays) {
  int tried = 0, refused = 0;
  for (uint32_t seed = 1; seed <= 6000; ++seed) {
    const Sample sample = Author(seed).Write();
    const auto packed = Packed::Of(sample.scheme, 0, sample.readings);
    if (packed == nullptr) continue;
    std::mt19937 random(seed);
    std::vector<Value> readings = sample.readings;
    rating::Evaluation evaluation(sample.scheme);
    for (int change = 0; change < 30; ++change) {
      const size_t input = random() % readings.size();
      const int scale = sample.scheme.values[input].scale;
      Value next = Value::Missing(Absent::kNotReported, static_cast<int>(input));
      if (scale >= 0) {
        const auto& levels = sample.scheme.scales[static_cast<size_t>(scale)].levels;
        if (random() % 8 > 0) next = Value::Level(static_cast<int>(random() % levels.size()));
      } else if (random() % 4 > 0) {
        const int64_t denominator = 1 + random() % 12;
        next = Value::Number(random() % static_cast<uint64_t>(denominator + 1), denominator);
      }
      if (!packed->Set(input, next)) {
        ++refused;
        continue;
      }
      readings[input] = next;
      Evaluate(sample.scheme, readings, evaluation);
      const Value result = evaluation.ResultOf(sample.scheme, 0);
      ASSERT_EQ(result.absent, Absent::kNo) << "seed " << seed;
      ASSERT_EQ(packed->Level(), result.level) << "seed " << seed;
      ++tried;
    }
  }
  EXPECT_GT(tried, 3000);
  EXPECT_GT(refused, 100);
}

// A number of more digits than a packed one has is for the evaluator.
TEST(Packed, DoesNotHoldWhatIsTooLarge) {
  const scheme::Scheme scheme = rating::EnglandShape();
  std::vector<Value> readings(scheme.inputs.size(), Value::Level(1));
  for (size_t i = 0; i < readings.size(); ++i) {
    if (scheme.values[i].scale < 0) readings[i] = Value::Number(1, 10);
  }
  const auto packed = Packed::Of(scheme, 0, readings);
  ASSERT_NE(packed, nullptr);
  EXPECT_TRUE(packed->Set(rating::kPlacements, Value::Number(4'294'967'295, 4'294'967'295)));
  EXPECT_FALSE(packed->Set(rating::kPlacements, Value::Number(1, 4'294'967'296)));
}

}  // namespace
}  // namespace starratings::analysis
