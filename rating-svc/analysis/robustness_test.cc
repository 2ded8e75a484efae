#include "rating-svc/analysis/robustness.h"

#include <cmath>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/analysis/coupling.h"
#include "rating-svc/analysis/structure.h"
#include "rating-svc/analysis/test_random.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Evaluation;
using rating::Value;
using scheme::Scheme;

constexpr RateModel kModels[] = {RateModel::kJeffreys, RateModel::kObserved};

// Exact, as one fraction of 128 bits: for n up to 13.
long double ExactChance(RateModel model, int64_t x, int64_t n, int64_t k) {
  Int128 top = 1;
  Int128 bottom = 1;
  for (int64_t i = 0; i < k; ++i) {  // n over k: whole at every step.
    top = top * (n - i) / (i + 1);
  }
  if (model == RateModel::kJeffreys) {
    // Rising factorials of x + 1/2, n - x + 1/2 and n + 1, each times 2^n.
    for (int64_t i = 0; i < k; ++i) top *= 2 * x + 1 + 2 * i;
    for (int64_t i = 0; i < n - k; ++i) top *= 2 * (n - x) + 1 + 2 * i;
    for (int64_t i = 0; i < n; ++i) bottom *= 2 * (n + 1 + i);
  } else {
    for (int64_t i = 0; i < k; ++i) top *= x;
    for (int64_t i = 0; i < n - k; ++i) top *= n - x;
    for (int64_t i = 0; i < n; ++i) bottom *= n;
  }
  return static_cast<long double>(top) / static_cast<long double>(bottom);
}

// By another way than the room's: from gamma functions.
long double GammaChance(RateModel model, int64_t x, int64_t n, int64_t k) {
  const auto gamma = [](long double z) { return std::lgamma(z); };
  const long double choose = gamma(n + 1.0L) - gamma(k + 1.0L) - gamma(n - k + 1.0L);
  if (model == RateModel::kObserved) {
    if (x == 0 || x == n) return k == x ? 1 : 0;
    return std::exp(choose + k * std::log(static_cast<long double>(x) / n) +
                    (n - k) * std::log(static_cast<long double>(n - x) / n));
  }
  return std::exp(choose + gamma(k + x + 0.5L) + gamma(2.0L * n - k - x + 0.5L) -
                  gamma(2.0L * n + 1) - gamma(x + 0.5L) - gamma(n - x + 0.5L) + gamma(n + 1.0L));
}

TEST(Chances, AreTheExactFractionsOfFewCases) {
  for (const RateModel model : kModels) {
    for (int64_t n = 1; n <= 13; ++n) {
      std::vector<int64_t> firsts;
      for (int64_t k = 1; k <= n; ++k) firsts.push_back(k);
      for (int64_t x = 0; x <= n; ++x) {
        std::vector<double> parts;
        Chances(model, x, n, firsts, parts);
        for (int64_t k = 0; k <= n; ++k) {
          ASSERT_NEAR(parts[static_cast<size_t>(k)],
                      static_cast<double>(ExactChance(model, x, n, k)), 1e-15)
              << x << " of " << n << ", " << k;
        }
      }
    }
  }
}

TEST(Chances, AreTheSumsOfManyCases) {
  std::mt19937_64 random(1);
  for (const RateModel model : kModels) {
    // On both sides of where long doubles begin.
    for (const int64_t n : {30, 140, 212, 1000, 1024, 1025, 3000}) {
      for (int64_t x : {int64_t{0}, int64_t{1}, n / 5, n / 2, n - 1, n}) {
        std::vector<int64_t> firsts = {-3, 0, x, x + 1, n, n + 1, n + 9};
        for (int i = 0; i < 5; ++i) firsts.push_back(static_cast<int64_t>(random() % (2 * n)));
        std::sort(firsts.begin(), firsts.end());
        std::vector<double> parts;
        Chances(model, x, n, firsts, parts);
        std::vector<long double> wanted(firsts.size() + 1, 0);
        for (int64_t k = 0; k <= n; ++k) {
          const auto part = std::upper_bound(firsts.begin(), firsts.end(), k) - firsts.begin();
          wanted[static_cast<size_t>(part)] += GammaChance(model, x, n, k);
        }
        long double off = 0;
        for (size_t i = 0; i < parts.size(); ++i) off += std::abs(parts[i] - wanted[i]);
        ASSERT_LT(off, 2 * kChancesError) << x << " of " << n;
      }
    }
  }
}

TEST(Chances, AreSymmetricForTheLargestDenominators) {
  for (const RateModel model : kModels) {
    for (const int64_t n : {int64_t{1'000'000}, kDenominatorMost}) {
      const int64_t x = n / 2;
      std::vector<double> parts;
      Chances(model, x, n, {x - 1'000, x, x + 1, x + 1'001}, parts);
      EXPECT_NEAR(parts[0], parts[4], kChancesError);
      EXPECT_NEAR(parts[1], parts[3], kChancesError);
      EXPECT_NEAR(parts[0] + parts[1] + parts[2] + parts[3] + parts[4], 1, kChancesError);
      EXPECT_GT(parts[1], 0.001);
    }
  }
}

TEST(Chances, OfNoCaseOutOfTwelveAreNoCertaintyUnlessTheRateIsTheObservedOne) {
  std::vector<double> parts;
  Chances(RateModel::kJeffreys, 0, 12, {1}, parts);
  EXPECT_LT(parts[0], 0.8);
  Chances(RateModel::kObserved, 0, 12, {1}, parts);
  EXPECT_EQ(parts[0], 1);
}

// Every number of cases of every ratio that varies, with the probability that it has.
class BruteForce {
 public:
  BruteForce(const Sample& sample, const Assessor& assessor, RateModel model)
      : scheme_(sample.scheme),
        model_(model),
        readings_(sample.readings),
        evaluation_(scheme_),
        odds(5, 0) {
    for (size_t i = 0; i < readings_.size(); ++i) {
      if (assessor.TreatmentOf(i, readings_[i]) == Treatment::kVaries) varied_.push_back(i);
    }
    Draw(0, 1);
  }

 private:
  void Draw(size_t i, long double chance) {
    if (i == varied_.size()) {
      Evaluate(scheme_, readings_, evaluation_);
      const Value got = evaluation_.ResultOf(scheme_, 0);
      odds[got.absent == Absent::kNo ? static_cast<size_t>(got.level) : 4] += chance;
      return;
    }
    const Value from = readings_[varied_[i]];
    const auto x = static_cast<int64_t>(from.numerator);
    for (int64_t k = 0; k <= from.denominator; ++k) {
      readings_[varied_[i]].numerator = k;
      Draw(i + 1, chance * ExactChance(model_, x, from.denominator, k));
    }
    readings_[varied_[i]] = from;
  }

  const Scheme& scheme_;
  const RateModel model_;
  std::vector<Value> readings_;
  Evaluation evaluation_;
  std::vector<size_t> varied_;

 public:
  std::vector<long double> odds;  // Of levels; the last: not rated.
};

TEST(Odds, AreThoseOfEveryPossibleYear) {
  int uncertain = 0, not_rated = 0, several = 0;
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    const Sample sample = Author(seed).Write();
    for (const RateModel model : kModels) {
      Assessor assessor(sample.scheme, 0, model);
      const BruteForce brute(sample, assessor, model);
      const Odds first = assessor.Assess(sample.readings);
      const Odds again = assessor.Assess(sample.readings);  // By the plan it has kept.
      ASSERT_TRUE(first.possible);
      ASSERT_EQ(first.levels, again.levels);
      for (size_t level = 0; level < first.levels.size(); ++level) {
        ASSERT_NEAR(first.levels[level], static_cast<double>(brute.odds[level]), kErrorBound)
            << "seed " << seed;
      }
      ASSERT_NEAR(first.not_rated, static_cast<double>(brute.odds[4]), kErrorBound);
      size_t open = 0;
      for (const double odds : first.levels) open += odds > 0.01 && odds < 0.99;
      uncertain += open > 0;
      several += open > 2;
      not_rated += first.not_rated > 0.01 && first.not_rated < 0.99;
    }
  }
  EXPECT_GT(uncertain, 500);
  EXPECT_GT(several, 10);
  EXPECT_GT(not_rated, 20);
}

// All five indicators near their thresholds, judgements as high as they get.
std::vector<Value> NearTheEdges() {
  std::vector<Value> readings = rating::Judgements(3, 2, 3, 2);
  readings[rating::kPlacements] = Value::Number(48, 240);
  readings[rating::kReRegistrations] = Value::Number(20, 90);
  readings[rating::kChildrensHomes] = Value::Number(44, 44);
  readings[rating::kAdultHomes] = Value::Number(119, 120);
  readings[rating::kEquipment] = Value::Number(4'100, 5'000);
  return readings;
}

TEST(Odds, AgreeWithAMillionDrawsOfTheYear) {
  const Scheme scheme = rating::EnglandShape();
  const std::vector<Value> readings = NearTheEdges();
  std::mt19937_64 random(20020530);
  for (const RateModel model : kModels) {
    const Odds odds = Assessor(scheme, 0, model).Assess(readings);
    constexpr int kDraws = 1'000'000;
    std::vector<int> counts(4, 0);
    std::vector<Value> drawn = readings;
    Evaluation evaluation(scheme);
    for (int draw = 0; draw < kDraws; ++draw) {
      for (size_t i = rating::kPlacements; i <= rating::kEquipment; ++i) {
        const auto x = static_cast<double>(readings[i].numerator);
        const auto n = static_cast<double>(readings[i].denominator);
        double rate = x / n;
        if (model == RateModel::kJeffreys) {
          const double a = std::gamma_distribution<double>(x + 0.5)(random);
          const double b = std::gamma_distribution<double>(n - x + 0.5)(random);
          rate = a / (a + b);
        }
        drawn[i].numerator =
            std::binomial_distribution<int64_t>(readings[i].denominator, rate)(random);
      }
      Evaluate(scheme, drawn, evaluation);
      ++counts[static_cast<size_t>(evaluation.ResultOf(scheme, 0).level)];
    }
    int open = 0;
    for (size_t level = 0; level < 4; ++level) {
      const double p = odds.levels[level];
      const double deviation = std::sqrt(p * (1 - p) / kDraws);
      EXPECT_NEAR(static_cast<double>(counts[level]) / kDraws, p, 5 * deviation + 1e-9);
      open += p > 0.01 && p < 0.99;
    }
    EXPECT_GT(open, 1);
  }
}

TEST(Odds, OfARatingThatRefusesAreCertain) {
  std::vector<Value> readings = NearTheEdges();
  readings[0] = Value::Missing(Absent::kNotReported, 0);
  readings[0].refused = true;
  const Odds odds = Assessor(rating::EnglandShape(), 0, RateModel::kJeffreys).Assess(readings);
  EXPECT_EQ(odds.not_rated, 1);
  EXPECT_THAT(odds.levels, testing::Each(0));
}

TEST(Odds, SayWhatVariesAndWhyTheRestDoesNot) {
  Scheme scheme = rating::EnglandShape();
  scheme.inputs[rating::kEquipment].fold = scheme::Fold::kWorst;
  std::vector<Value> readings = NearTheEdges();
  readings[rating::kPlacements] = Value::Missing(Absent::kExempt, rating::kPlacements);
  readings[rating::kReRegistrations] = Value::Number(200, 90);
  readings[rating::kChildrensHomes] = Value::Number(1, kDenominatorMost + 1);
  const Assessor assessor(scheme, 0, RateModel::kJeffreys);
  const auto treatment = [&](size_t i) { return assessor.TreatmentOf(i, readings[i]); };
  EXPECT_EQ(treatment(rating::kAdultsServing), Treatment::kNoRatio);
  EXPECT_EQ(treatment(rating::kPlacements), Treatment::kAbsent);
  EXPECT_EQ(treatment(rating::kReRegistrations), Treatment::kAboveOne);
  EXPECT_EQ(treatment(rating::kChildrensHomes), Treatment::kTooLarge);
  EXPECT_EQ(treatment(rating::kAdultHomes), Treatment::kVaries);
  EXPECT_EQ(treatment(rating::kEquipment), Treatment::kFolded);
  EXPECT_EQ(treatment(rating::kListState), Treatment::kOutside);
  readings[rating::kAdultHomes].decided = true;
  EXPECT_EQ(treatment(rating::kAdultHomes), Treatment::kOverride);
}

// Any of three, where nobody knows whether they go together.
TEST(Bounds, OfAUnionAreThoseOfFrechet) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> chance(0, 0.6);
    std::vector<std::vector<double>> marginals;
    double most = 0, sum = 0;
    for (int i = 0; i < 3; ++i) {
      const double p = chance(random);
      marginals.push_back({p, 1 - p});
      most = std::max(most, p);
      sum += p;
    }
    std::vector<bool> any(8, true);
    any[7] = false;
    ASSERT_NEAR(GreatestChance(marginals, any), std::min(1.0, sum), 1e-12);
    any.flip();  // None of them.
    ASSERT_NEAR(GreatestChance(marginals, any), 1 - most, 1e-12);
  }
}

// Of two marginals the greatest chance of an event is known: by a cut through
// it, over all sets of parts of the first (Strassen).
TEST(Bounds, OfTwoMarginalsAreTheSmallestCut) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::vector<double>> marginals(2);
    for (auto& marginal : marginals) {
      double total = 0;
      const size_t parts = 2 + random() % 3;
      for (size_t i = 0; i < parts; ++i) {
        marginal.push_back(static_cast<double>(random() % 100));
        total += marginal.back();
      }
      marginal[0] += 1;
      for (double& part : marginal) part /= total + 1;
    }
    const size_t m = marginals[0].size();
    const size_t n = marginals[1].size();
    std::vector<bool> event;
    for (size_t i = 0; i < m * n; ++i) event.push_back(random() % 2 == 0);
    double wanted = 1;
    for (size_t set = 0; set < size_t{1} << m; ++set) {
      double cut = 0;
      for (size_t i = 0; i < m; ++i) cut += (set >> i & 1) != 0 ? 0 : marginals[0][i];
      for (size_t j = 0; j < n; ++j) {
        bool met = false;
        for (size_t i = 0; i < m; ++i) met = met || ((set >> i & 1) != 0 && event[i * n + j]);
        cut += met ? marginals[1][j] : 0;
      }
      wanted = std::min(wanted, cut);
    }
    ASSERT_NEAR(GreatestChance(marginals, event), wanted, 1e-12) << "seed " << seed;
  }
}

TEST(Bounds, HoldTheOddsOfIndependentInputs) {
  int wide = 0;
  for (uint32_t seed = 1; seed <= 1000; ++seed) {
    const Sample sample = Author(seed).Write();
    Assessor assessor(sample.scheme, 0, RateModel::kJeffreys);
    const Odds odds = assessor.Assess(sample.readings);
    const std::optional<Bounds> bounds = assessor.BoundsOf(sample.readings);
    ASSERT_TRUE(bounds.has_value());
    for (size_t level = 0; level < odds.levels.size(); ++level) {
      ASSERT_LE(bounds->levels[level].least, odds.levels[level] + 1e-9) << "seed " << seed;
      ASSERT_GE(bounds->levels[level].most, odds.levels[level] - 1e-9) << "seed " << seed;
      wide += bounds->levels[level].most - bounds->levels[level].least > 0.05;
    }
    ASSERT_LE(bounds->not_rated.least, odds.not_rated + 1e-9);
    ASSERT_GE(bounds->not_rated.most, odds.not_rated - 1e-9);
  }
  EXPECT_GT(wide, 20);
}

TEST(CountDistribution, IsThatOfEveryCombination) {
  const std::vector<double> chances = {0.1, 0.5, 0, 1, 0.25, 0.9, 0.33};
  std::vector<double> wanted(chances.size() + 1, 0);
  for (size_t set = 0; set < size_t{1} << chances.size(); ++set) {
    double chance = 1;
    size_t count = 0;
    for (size_t i = 0; i < chances.size(); ++i) {
      const bool happens = (set >> i & 1) != 0;
      chance *= happens ? chances[i] : 1 - chances[i];
      count += happens;
    }
    wanted[count] += chance;
  }
  EXPECT_THAT(CountDistribution(chances), testing::Pointwise(testing::DoubleNear(1e-15), wanted));
}

}  // namespace
}  // namespace starratings::analysis
