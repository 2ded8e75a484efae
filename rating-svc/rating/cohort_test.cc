#include "rating-svc/rating/cohort.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

using evidence::Decimal;
using evidence::MissingReason;
using scheme::Scheme;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const evidence::Date kDay = *evidence::Date::Parse("2025-05-30");

// Quarters of a score; lower is better.
Scheme Quarters(int64_t least) {
  Scheme scheme;
  scheme.id = "quarters";
  scheme.version = "1";
  scheme.digest = "d";
  scheme.scales = {{"quarter", {"4", "3", "2", "1"}, 0}};
  AddInput(scheme, "score", -1, scheme::OnMissing::kAbsent);
  scheme.inputs[0].type = scheme::InputType::kDecimal;
  scheme.values[0].share = false;
  scheme.values[0].lower_is_better = true;
  scheme.values.push_back({"quarter", "quarter", "", 0});
  scheme::Quantiles quantiles;
  quantiles.id = "Q";
  quantiles.of = 0;
  quantiles.parts = 4;
  quantiles.least = least;
  quantiles.basis = scheme::Basis::kAssumed;
  scheme.quantiles = {quantiles};
  scheme::Band band = BandWith("B", 0, 1, {});
  band.at_most = true;
  band.quantiles = 0;
  band.basis = scheme::Basis::kDocumented;
  scheme.bands = {band};
  scheme.stages = {{scheme::StageKind::kBand, 0}};
  scheme.results = {{1, "Quarter"}};
  return scheme;
}

evidence::Dossier Scored(const std::string& score) {
  return DossierOf({Item("score", *Decimal::Parse(score))});
}

evidence::Dossier Unscored() { return DossierOf({Item("score", MissingReason::kSuppressed)}); }

std::vector<std::string> CutsOf(const scheme::CutTable& table) {
  std::vector<std::string> cuts;
  for (const auto& cut : table.cuts) cuts.push_back(PrintNumber(cut.numerator, cut.denominator));
  return cuts;
}

std::vector<scheme::CutTable> Derived(const Scheme& scheme,
                                      const std::vector<std::string>& scores) {
  Cohort cohort(scheme);
  for (const std::string& score : scores) cohort.Add(Scored(score), kDay);
  return cohort.Derive();
}

TEST(Cohort, CutsAreTheSmallestNumbersWithEnoughAtOrBelowThem) {
  const Scheme scheme = Quarters(1);
  EXPECT_THAT(CutsOf(Derived(scheme, {"4", "1", "3", "2"})[0]), ElementsAre("1", "2", "3"));
  // Ranks 2, 3 and 4 of five: the parts that are rounded up come first.
  EXPECT_THAT(CutsOf(Derived(scheme, {"1", "2", "3", "4", "5"})[0]), ElementsAre("2", "3", "4"));
  EXPECT_THAT(CutsOf(Derived(scheme, {"1.5", "1.25", "3", "3", "3", "3"})[0]),
              ElementsAre("1.5", "3", "3"));
  EXPECT_THAT(CutsOf(Derived(scheme, {"2"})[0]), ElementsAre("2", "2", "2"));
}

TEST(Cohort, EqualNumbersAreNeverPartedAndTheEdgeIsTheBetterPart) {
  const Scheme scheme = Quarters(1);
  const Scheme bound = Bind(scheme, Derived(scheme, {"2", "2", "2", "2", "2"}));
  EXPECT_EQ(Rate(bound, Scored("2"), kDay).results[0].level, "1");
  const Scheme spread = Bind(scheme, Derived(scheme, {"1", "2", "3", "4"}));
  EXPECT_EQ(Rate(spread, Scored("1"), kDay).results[0].level, "1");
  EXPECT_EQ(Rate(spread, Scored("1.000001"), kDay).results[0].level, "2");
  EXPECT_EQ(Rate(spread, Scored("9"), kDay).results[0].level, "4");
  // A table stands on a ground of its own.
  EXPECT_EQ(Rate(spread, Scored("1"), kDay).results[0].basis, scheme::Basis::kAssumed);
}

TEST(Cohort, WhoseNumberIsNotKnownCountsAmongTheOrganisationsOnly) {
  const Scheme scheme = Quarters(3);
  Cohort cohort(scheme);
  cohort.Add(Unscored(), kDay);
  cohort.Add(Scored("1"), kDay);
  cohort.Add(Scored("2"), kDay);
  const std::vector<scheme::CutTable> tables = cohort.Derive();
  EXPECT_EQ(tables[0].organisations, 3);
  EXPECT_EQ(tables[0].known, 2);
  EXPECT_THAT(tables[0].cuts, IsEmpty());
  // Too few: there is no result, and it says so.
  const Explanation why = Explain(Bind(scheme, tables), Scored("1"), kDay);
  const NotRated& not_rated = *why.rating.results[0].not_rated;
  EXPECT_EQ(not_rated.reason, Absent::kUnreliable);
  EXPECT_EQ(not_rated.rule_id, "Q");
  EXPECT_EQ(not_rated.code, "");
  EXPECT_THAT(why.steps[0].sentence, HasSubstr("Q has no cuts: it needs 3 organisations with the "
                                               "number, and 2 of 3 have it"));
}

TEST(Cohort, AMemberWithoutTheNumberIsNotRatedForItsOwnReason) {
  const Scheme scheme = Quarters(1);
  const Scheme bound = Bind(scheme, Derived(scheme, {"1", "2"}));
  const Rating rating = Rate(bound, Unscored(), kDay);
  EXPECT_EQ(rating.results[0].not_rated->reason, Absent::kSuppressed);
  EXPECT_EQ(rating.results[0].not_rated->code, "score");
}

TEST(Cohort, ASchemeThatIsNotBoundGivesNothing) {
  const Rating rating = Rate(Quarters(1), Scored("1"), kDay);
  EXPECT_EQ(rating.results[0].not_rated->rule_id, "Q");
}

TEST(Cohort, ARatingIsIdentifiedByItsTableToo) {
  const Scheme scheme = Quarters(1);
  const Scheme bound = Bind(scheme, Derived(scheme, {"1", "2", "3", "4"}));
  const Scheme other = Bind(scheme, Derived(scheme, {"1", "2", "3", "5"}));
  EXPECT_EQ(CutsOf(bound.tables[0]), CutsOf(other.tables[0]));
  // The same cuts of the same numbers: the same table.
  EXPECT_EQ(bound.tables[0].digest, other.tables[0].digest);
  const Scheme larger = Bind(scheme, Derived(scheme, {"1", "2", "3", "4", "1"}));
  EXPECT_NE(bound.tables[0].digest, larger.tables[0].digest);
  EXPECT_NE(Rate(bound, Scored("1"), kDay).digest, Rate(larger, Scored("1"), kDay).digest);
}

}  // namespace
}  // namespace starratings::rating
