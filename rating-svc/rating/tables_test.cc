#include "rating-svc/rating/tables.h"

#include <cstring>
#include <random>

#include "gtest/gtest.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

constexpr size_t kBytes = 64;

// Judgements in the first four bytes, indicators from the eighth on.
Packing EnglandPacking() { return {kBytes, {0, 1, 2, 3, 8, 16, 24, 32, 40, 4}}; }

void Pack(std::span<const Value> readings, uint8_t* dossier) {
  const Packing packing = EnglandPacking();
  std::memset(dossier, 0, kBytes);
  for (size_t i = 0; i < readings.size(); ++i) {
    if (readings[i].absent != Absent::kNo) continue;
    uint8_t* const to = dossier + packing.offsets[i];
    if (i < kPlacements || i == kListState) {
      *to = static_cast<uint8_t>(readings[i].level);
    } else {
      const uint32_t words[] = {static_cast<uint32_t>(readings[i].numerator),
                                static_cast<uint32_t>(readings[i].denominator)};
      std::memcpy(to, words, sizeof words);
    }
  }
}

// Every profile with every combination of indicators that are missing, at the edge of
// a threshold, or on either side: tables say what the evaluator says, also why.
void ExpectSame(const scheme::Scheme& scheme) {
  const auto tables = Tables::Of(scheme, EnglandPacking());
  ASSERT_TRUE(tables);
  std::mt19937 random(1);
  Evaluation want(scheme), got(scheme);
  for (int i = 0; i < 50'000; ++i) {
    auto readings = Judgements(i / 64 % 4, i / 16 % 4, i / 4 % 4, i % 4);
    for (size_t k = kPlacements; k <= kEquipment; ++k) {
      const int64_t shares[] = {0, 19, 20, 21, 23, 24, 25, 79, 80, 81, 99, 100};
      const auto pick = static_cast<uint32_t>(random() % 14);
      if (pick < 12) readings[k] = Value::Number(7 * shares[pick], 700);
      if (pick == 12) readings[k] = Value::Missing(Absent::kExempt, static_cast<int>(k));
    }
    ASSERT_TRUE(tables->Fits(readings));
    uint8_t dossier[kBytes], level = 9;
    uint64_t trace = 0;
    Pack(readings, dossier);
    tables->Evaluate(dossier, {&level, 1});
    EvaluateTraced(scheme, readings, want);
    ASSERT_EQ(level, want.ResultOf(scheme, 0).level);
    tables->EvaluateTraced(dossier, {&level, 1}, {&trace, 1});
    tables->Expand(trace, got);
    for (size_t s = 0; s < scheme.stages.size(); ++s) {
      ASSERT_EQ(got.stages[s].fired, want.stages[s].fired);
      ASSERT_EQ(got.stages[s].held, want.stages[s].held);
      ASSERT_EQ(got.stages[s].cell, want.stages[s].cell);
      ASSERT_EQ(got.stages[s].after.level, want.stages[s].after.level);
      if (scheme.stages[s].kind != scheme::StageKind::kLimit) continue;
      ASSERT_EQ(got.stages[s].before.level, want.stages[s].before.level);
    }
  }
}

TEST(TablesTest, SayWhatTheEvaluatorSays) { ExpectSame(EnglandShape()); }

TEST(TablesTest, EdgesCountWhereTheyShould) {
  scheme::Scheme scheme = EnglandShape();
  for (auto& limit : scheme.limits) {
    for (auto& condition : limit.any) {
      if (condition.comparison == scheme::Comparison::kAbove) {
        condition.comparison = scheme::Comparison::kAtLeast;
      } else if (condition.comparison == scheme::Comparison::kBelow) {
        condition.comparison = scheme::Comparison::kAtMost;
      }
    }
  }
  ExpectSame(scheme);
}

TEST(TablesTest, TwoThresholdsOfOneIndicator) {
  scheme::Scheme scheme = EnglandShape();
  scheme.limits[1].any = {Compared(kPlacements, scheme::Comparison::kBelow, {24, 100}),
                          Compared(kReRegistrations, scheme::Comparison::kAtLeast, {81, 100})};
  scheme.limits[1].level = kNo;
  ExpectSame(scheme);
}

TEST(TablesTest, ThereAreNoneWhereAnUnknownNumberCouldMatter) {
  scheme::Scheme scheme = EnglandShape();
  scheme.limits[0].unknown = scheme::OnUnknown::kRefuse;
  EXPECT_FALSE(Tables::Of(scheme, EnglandPacking()));
}

TEST(TablesTest, AMissingJudgementDoesNotFit) {
  const scheme::Scheme scheme = EnglandShape();
  auto readings = Judgements(3, 3, 3, 3);
  readings[kAdultsServing] = Value::Missing(Absent::kNotReported, kAdultsServing);
  EXPECT_FALSE(Tables::Of(scheme, EnglandPacking())->Fits(readings));
}

}  // namespace
}  // namespace starratings::rating
