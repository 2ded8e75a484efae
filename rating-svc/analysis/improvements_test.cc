#include "rating-svc/analysis/improvements.h"

#include <map>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/analysis/ladder.h"
#include "rating-svc/analysis/structure.h"
#include "rating-svc/analysis/test_random.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Evaluation;
using rating::Judgements;
using rating::Value;
using scheme::Scheme;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Where a path leads, as steps of each input.
using Steps = std::vector<int>;

Steps StepsOf(const Scheme& scheme, const Path& path) {
  Steps steps(scheme.inputs.size(), 0);
  for (const Change& change : path.changes) steps[change.input] = change.steps;
  return steps;
}

bool IsWithin(const Steps& a, const Steps& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
  }
  return true;
}

// Tries every combination of steps, also of inputs that do not matter.
class BruteForce {
 public:
  BruteForce(const Sample& sample, bool better)
      : scheme_(sample.scheme), better_(better), from_(sample.readings), evaluation_(scheme_) {
    for (size_t i = 0; i < scheme_.inputs.size(); ++i) {
      ladders_.push_back(LadderOf(scheme_, from_, i, better));
    }
    level_ = Outcome(from_).level;
    Steps steps;
    std::vector<Value> readings = from_;
    Try(steps, readings);
  }

  // The minimal ones of those that suffice.
  std::set<Steps> Minimal() const {
    std::set<Steps> minimal;
    for (const Steps& one : sufficient_) {
      const bool least =
          std::none_of(sufficient_.begin(), sufficient_.end(),
                       [&](const Steps& other) { return other != one && IsWithin(other, one); });
      if (least) minimal.insert(one);
    }
    return minimal;
  }

  // Whether more steps never came to less.
  bool IsMonotone() const {
    for (const auto& [a, level_a] : levels_) {
      for (const auto& [b, level_b] : levels_) {
        if (!IsWithin(a, b)) continue;
        if (better_ ? level_a > level_b : level_a < level_b) return false;
      }
    }
    return true;
  }

 private:
  Value Outcome(const std::vector<Value>& readings) {
    Evaluate(scheme_, readings, evaluation_);
    return evaluation_.ResultOf(scheme_, 0);
  }

  void Try(Steps& steps, std::vector<Value>& readings) {
    const size_t i = steps.size();
    if (i == from_.size()) {
      const Value outcome = Outcome(readings);
      const bool rated = outcome.absent == Absent::kNo;
      // As improvements see it: not rated is neither better nor worse.
      levels_.emplace_back(steps, rated ? outcome.level : (better_ ? -1 : 99));
      if (rated && (better_ ? outcome.level > level_ : outcome.level < level_)) {
        sufficient_.push_back(steps);
      }
      return;
    }
    for (size_t at = 0; at <= ladders_[i].size(); ++at) {
      steps.push_back(static_cast<int>(at));
      readings[i] = at == 0 ? from_[i] : ladders_[i][at - 1];
      Try(steps, readings);
      steps.pop_back();
    }
    readings[i] = from_[i];
  }

  const Scheme& scheme_;
  const bool better_;
  const std::vector<Value> from_;
  std::vector<std::vector<Value>> ladders_;
  Evaluation evaluation_;
  int level_ = 0;
  std::vector<Steps> sufficient_;
  std::vector<std::pair<Steps, int>> levels_;
};

std::set<Steps> Found(const Scheme& scheme, const Search& search) {
  std::set<Steps> found;
  for (const Path& path : search.paths) found.insert(StepsOf(scheme, path));
  EXPECT_EQ(found.size(), search.paths.size()) << "a path came twice";
  return found;
}

TEST(Improvements, AreAllThatTryingEverythingFinds) {
  int rated = 0, gains = 0, losses = 0, proven = 0, unproven = 0, several = 0, not_monotone = 0;
  for (uint32_t seed = 1; seed <= 4000; ++seed) {
    const Sample sample = Author(seed).Write();
    SearchLimits limits;
    if (seed % 2 == 0) limits.tables_after = 0;
    const Improvements got = FindImprovements(sample.scheme, sample.readings, 0, limits);
    if (!got.rated) continue;
    ++rated;
    const BruteForce better(sample, true);
    const BruteForce worse(sample, false);
    ASSERT_TRUE(got.gains.complete && got.losses.complete);
    ASSERT_EQ(Found(sample.scheme, got.gains), better.Minimal()) << "seed " << seed;
    ASSERT_EQ(Found(sample.scheme, got.losses), worse.Minimal()) << "seed " << seed;
    gains += !got.gains.paths.empty();
    losses += !got.losses.paths.empty();
    several += got.gains.paths.size() > 1;
    const bool monotone = better.IsMonotone() && worse.IsMonotone();
    not_monotone += !monotone;
    if (IsProvenRising(sample.scheme, sample.scheme.results[0].value, sample.readings)) {
      ++proven;
      ASSERT_TRUE(monotone) << "proven and not so: seed " << seed;
    } else {
      ++unproven;
    }
  }
  // Worth something only if they are of all sorts.
  EXPECT_GT(rated, 1000);
  for (const int count : {gains, losses, proven, unproven, several, not_monotone}) {
    EXPECT_GT(count, 100);
  }
}

TEST(Improvements, OfTheEngland2002TableAreThoseCounted) {
  const Scheme scheme = rating::EnglandShape();
  std::map<int, int> fewest;
  for (int profile = 0; profile < 256; ++profile) {
    const auto readings = Judgements(profile / 64, profile / 16 % 4, profile / 4 % 4, profile % 4);
    const Improvements got = FindImprovements(scheme, readings, 0);
    ASSERT_TRUE(got.rated && got.gains.complete);
    ++fewest[got.at_top ? 0 : got.gains.paths.at(0).steps];
  }
  EXPECT_EQ(fewest, (std::map<int, int>{{0, 14}, {1, 139}, {2, 80}, {3, 22}, {4, 1}}));
}

// "Minimal profiles" of the worked scheme: from the bottom of what is no
// failure, the sets that reach two stars are known.
TEST(Improvements, FromSomeAndUncertainReachTwoStarsByTheKnownProfiles) {
  const Improvements got = FindImprovements(rating::EnglandShape(), Judgements(1, 1, 1, 1), 0);
  std::set<Steps> ends;
  for (const Path& path : got.gains.paths) {
    Steps end = {1, 1, 1, 1};
    for (const Change& change : path.changes) end[change.input] += change.steps;
    ends.insert(end);
  }
  std::set<Steps> wanted;
  for (const Steps& one : std::vector<Steps>{
           {1, 1, 2, 3}, {1, 1, 3, 1}, {1, 2, 2, 2}, {1, 3, 1, 3}, {1, 3, 2, 1}, {2, 1, 2, 1}}) {
    wanted.insert(one);
    wanted.insert({one[2], one[3], one[0], one[1]});
  }
  EXPECT_EQ(ends, wanted);
}

TEST(Improvements, CountWholeCasesAtTheSameDenominator) {
  const Scheme scheme = [] {
    Scheme shape = rating::EnglandShape();
    shape.values[rating::kPlacements].lower_is_better = true;
    return shape;
  }();
  auto readings = Judgements(2, 2, 2, 2);
  readings[rating::kPlacements] = Value::Number(30, 140);  // Capped: more than 28.
  readings[rating::kAdultsServing] = Value::Level(1);
  const Improvements got = FindImprovements(scheme, readings, 0);
  EXPECT_EQ(got.level, 1);
  const auto relieved = std::find_if(
      got.gains.paths.begin(), got.gains.paths.end(),
      [](const Path& path) { return path.changes.at(0).input == rating::kPlacements; });
  ASSERT_NE(relieved, got.gains.paths.end());
  ASSERT_THAT(relieved->changes, SizeIs(1));
  EXPECT_EQ(static_cast<int64_t>(relieved->changes[0].to.numerator), 28);
  EXPECT_EQ(relieved->changes[0].to.denominator, 140);
  EXPECT_EQ(relieved->changes[0].steps, 1);
  EXPECT_EQ(relieved->level, 2);
}

TEST(Improvements, LeaveAPersonsDecisionAlone) {
  auto readings = Judgements(1, 1, 1, 1);
  readings[rating::kAdultsServing].decided = true;
  const Improvements got = FindImprovements(rating::EnglandShape(), readings, 0);
  EXPECT_THAT(got.held, testing::Contains(rating::kAdultsServing));
  ASSERT_FALSE(got.gains.paths.empty());
  for (const Path& path : got.gains.paths) {
    for (const Change& change : path.changes) EXPECT_NE(change.input, rating::kAdultsServing);
  }
}

TEST(Improvements, HoldWhatIsAbsentAndSaySo) {
  auto readings = Judgements(1, 1, 1, 1);
  const Improvements got = FindImprovements(rating::EnglandShape(), readings, 0);
  EXPECT_THAT(got.held,
              ElementsAre(rating::kPlacements, rating::kReRegistrations, rating::kChildrensHomes,
                          rating::kAdultHomes, rating::kEquipment));
  readings[rating::kAdultsServing] = Value::Missing(Absent::kNotReported, rating::kAdultsServing);
  readings[rating::kAdultsServing].refused = true;
  const Improvements none = FindImprovements(rating::EnglandShape(), readings, 0);
  EXPECT_FALSE(none.rated);
  EXPECT_THAT(none.gains.paths, IsEmpty());
}

TEST(Improvements, AtTheTopThereIsNoNextLevelButALoss) {
  const Improvements got = FindImprovements(rating::EnglandShape(), Judgements(3, 3, 3, 3), 0);
  EXPECT_TRUE(got.at_top);
  EXPECT_THAT(got.gains.paths, IsEmpty());
  EXPECT_THAT(got.losses.paths, testing::Not(IsEmpty()));
}

// A cap that nothing can lift: the indicator that breaks it is not an input.
TEST(Improvements, SayThatNoneExists) {
  Scheme scheme = rating::EnglandShape();
  scheme.limits.push_back(
      rating::Cap("L", rating::kStars, 1, {rating::AtMost(rating::kListState, 1)}));
  scheme.stages.push_back({scheme::StageKind::kLimit, 7});
  auto readings = Judgements(2, 2, 2, 2);
  readings[rating::kListState] = Value::Level(1);
  const Improvements got = FindImprovements(scheme, readings, 0);
  EXPECT_EQ(got.level, 1);
  EXPECT_FALSE(got.at_top);
  EXPECT_TRUE(got.gains.complete);
  EXPECT_THAT(got.gains.paths, IsEmpty());
}

TEST(Improvements, ThatMeetALimitSayHowFarTheyAreComplete) {
  const Scheme scheme = rating::EnglandShape();
  const Improvements all = FindImprovements(scheme, Judgements(1, 1, 1, 1), 0);
  SearchLimits few;
  few.paths_most = 3;
  const Improvements some = FindImprovements(scheme, Judgements(1, 1, 1, 1), 0, few);
  EXPECT_THAT(some.gains.paths, SizeIs(3));
  EXPECT_FALSE(some.gains.complete);
  SearchLimits little;
  little.work_most = 20;
  const Improvements begun = FindImprovements(scheme, Judgements(1, 1, 1, 1), 0, little);
  EXPECT_FALSE(begun.gains.complete);
  for (const Search* search : {&some.gains, &begun.gains}) {
    size_t promised = 0;
    for (const Path& path : all.gains.paths) promised += path.steps <= search->complete_steps;
    size_t kept = 0;
    for (const Path& path : search->paths) kept += path.steps <= search->complete_steps;
    EXPECT_EQ(kept, promised);
  }
}

// Thirty-four statements of four levels, of which a hundred and two are reached:
// without the proof, four to the power of thirty-four would have to be tried.
TEST(Improvements, OfManyStatementsThatCannotReachTheNextLevelAreFoundAtOnce) {
  Scheme scheme;
  scheme.scales = {{"four", {"1", "2", "3", "4"}, 1}, {"two", {"l0", "l1"}, 0}};
  scheme::Sum sum;
  sum.output = 34;
  std::vector<Value> readings;
  for (int i = 0; i < 34; ++i) {
    rating::AddInput(scheme, "s" + std::to_string(i), 0, scheme::OnMissing::kAbsent);
    sum.terms.push_back({i, 1});
    readings.push_back(Value::Level(1));
  }
  scheme.values.resize(36);
  scheme.values[34].scale = -1;
  scheme.values[35].scale = 1;
  scheme.sums = {sum};
  scheme.bands = {rating::BandWith("B", 34, 35, {{137, 1}})};
  scheme.stages = {{scheme::StageKind::kSum, 0}, {scheme::StageKind::kBand, 0}};
  scheme.results = {{35, "r"}};
  const Improvements none = FindImprovements(scheme, readings, 0);
  EXPECT_TRUE(none.gains.complete);
  EXPECT_THAT(none.gains.paths, IsEmpty());
  scheme.bands[0].cuts[0] = {70, 1};
  const Improvements two = FindImprovements(scheme, readings, 0);
  EXPECT_TRUE(two.gains.complete);
  EXPECT_THAT(two.gains.paths, SizeIs(34 + 34 * 33 / 2));
}

// Every number of cases, one by one.
TEST(Ladder, OfARatioHasTheFirstNumberOfCasesOfEachCell) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    const Sample sample = Author(seed).Write();
    for (size_t i = 0; i < sample.scheme.inputs.size(); ++i) {
      const Value from = sample.readings[i];
      if (sample.scheme.inputs[i].type != scheme::InputType::kRatio || from.absent != Absent::kNo) {
        continue;
      }
      for (const bool better : {true, false}) {
        const int step = better != sample.scheme.values[i].lower_is_better ? 1 : -1;
        std::vector<int64_t> wanted;
        std::vector<int> last;
        AppendTests(sample.scheme, static_cast<int>(i), from, last);
        for (auto x = static_cast<int64_t>(from.numerator) + step; x >= 0 && x <= from.denominator;
             x += step) {
          std::vector<int> here;
          AppendTests(sample.scheme, static_cast<int>(i), Value::Number(x, from.denominator), here);
          if (here != last) wanted.push_back(x);
          last = here;
        }
        std::vector<int64_t> got;
        for (const Value& value : LadderOf(sample.scheme, sample.readings, i, better)) {
          got.push_back(static_cast<int64_t>(value.numerator));
        }
        ASSERT_EQ(got, wanted) << "seed " << seed;
      }
    }
  }
}

TEST(Ladder, OfADecimalInASumStopsWhereTheRoundedSumMeetsACut) {
  Scheme scheme;
  scheme.scales = {{"three", {"l0", "l1", "l2"}, 0}};
  rating::AddInput(scheme, "d", -1, scheme::OnMissing::kAbsent);
  rating::AddInput(scheme, "a", 0, scheme::OnMissing::kAbsent);
  scheme.inputs[0].type = scheme::InputType::kDecimal;
  scheme.values.resize(4);
  scheme.values[2].scale = -1;
  scheme.values[3].scale = 0;
  scheme::Sum sum;
  sum.output = 2;
  sum.terms = {{0, 1}, {1, 1}};
  sum.over = 2;
  sum.round_to = scheme::Fraction{1, 2};  // To halves, half up.
  scheme.sums = {sum};
  scheme.bands = {rating::BandWith("B", 2, 3, {{1, 1}, {2, 1}})};
  scheme.stages = {{scheme::StageKind::kSum, 0}, {scheme::StageKind::kBand, 0}};
  const std::vector<Value> readings = {Value::Number(0, 1'000'000), Value::Level(1)};
  // (d + 1) / 2 rounds to 1 from 0.75 on, to 2 from 1.75 on.
  std::vector<int64_t> up;
  for (const Value& value : LadderOf(scheme, readings, 0, true)) {
    up.push_back(static_cast<int64_t>(value.numerator));
  }
  EXPECT_THAT(up, ElementsAre(500'000, 2'500'000));
  EXPECT_THAT(LadderOf(scheme, readings, 0, false), IsEmpty());
}

}  // namespace
}  // namespace starratings::analysis
