#include "rating-svc/analysis/comparison.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::analysis {
namespace {

using evidence::Dossier;
using evidence::Level;
using rating::DossierOf;
using rating::Item;
using scheme::Scheme;
using testing::ElementsAre;
using testing::IsEmpty;

evidence::Date Day(const char* text) { return *evidence::Date::Parse(text); }

std::vector<evidence::RecordedItem> Judged(const std::string& adults, const std::string& children,
                                           const std::string& period = "2001-02") {
  return {Item("adults.prospects", Level{"promising"}, period),
          Item("adults.serving", Level{adults}, period),
          Item("children.prospects", Level{"promising"}, period),
          Item("children.serving", Level{children}, period)};
}

Dossier In(const std::string& period, std::vector<evidence::RecordedItem> items) {
  Dossier dossier = DossierOf(std::move(items));
  dossier.period = period;
  return dossier;
}

std::vector<std::string> StarsOf(const Comparison& comparison) {
  std::vector<std::string> stars;
  for (const rating::Rating& rating : comparison.path) stars.push_back(rating.results[0].level);
  return stars;
}

class CompareTest : public testing::Test {
 protected:
  Comparison Run(const Dossier& before, const Dossier& later, const Dossier& after,
                 const Scheme& by) const {
    return Compare({scheme_, Day("2002-05-30"), before}, later, {by, Day("2002-11-30"), after});
  }

  const Scheme scheme_ = rating::EnglandShape();
};

TEST_F(CompareTest, NothingChangesWhereNothingDiffers) {
  const Dossier dossier = DossierOf(Judged("some", "some"));
  const Comparison same = Run(dossier, dossier, dossier, scheme_);
  EXPECT_THAT(StarsOf(same), ElementsAre("1", "1", "1", "1"));
  EXPECT_THAT(same.corrected, IsEmpty());
  EXPECT_THAT(same.added, IsEmpty());
}

// A refresh in the same period: a judgement was corrected, an indicator came in.
TEST_F(CompareTest, OfOnePeriodALaterStatementIsACorrectionAndAnotherKeyIsNew) {
  const Dossier before = DossierOf(Judged("most", "some"));
  std::vector<evidence::RecordedItem> items = Judged("most", "most");
  items.push_back(Item("placements", evidence::Ratio{30, 140}));
  items.push_back(Item("adults.serving", evidence::MissingReason::kUnreliable, "2001-02", "old"));
  const Dossier after = DossierOf(items);
  // 6 + 4 points, then 6 + 6, then capped to 6 + 4: two stars always. One group
  // at "some" in adults: one star, two, one.
  Dossier low_before = DossierOf(Judged("some", "some"));
  items[1].item.value = Level{"some"};
  const Dossier low_after = DossierOf(items);
  const Comparison low = Run(low_before, low_after, low_after, scheme_);
  EXPECT_THAT(StarsOf(low), ElementsAre("1", "2", "1", "1"));
  EXPECT_THAT(low.corrected, ElementsAre("children.serving"));
  EXPECT_THAT(low.added, ElementsAre("adults.serving", "placements"));
  EXPECT_THAT(StarsOf(Run(before, after, after, scheme_)), ElementsAre("2", "2", "2", "2"));
}

TEST_F(CompareTest, OfTwoPeriodsTheEarlierIsCorrectedBeforeTheLaterCounts) {
  const Dossier before = In("2001-02", Judged("some", "some"));
  const Dossier later = In("2001-02", Judged("no", "some"));
  const Dossier after = In("2002-03", Judged("most", "most", "2002-03"));
  const Comparison compared = Run(before, later, after, scheme_);
  EXPECT_THAT(StarsOf(compared), ElementsAre("1", "0", "2", "2"));
  EXPECT_THAT(compared.corrected, ElementsAre("adults.serving"));
  EXPECT_THAT(compared.added, ElementsAre("adults.prospects", "adults.serving",
                                          "children.prospects", "children.serving"));
}

TEST_F(CompareTest, AnotherSchemeIsTheLastCause) {
  Scheme strict = scheme_;
  strict.limits.push_back(rating::Cap("L", rating::kStars, 1,
                                      {rating::AtMost(rating::kChildrenServing, rating::kMost)}));
  strict.stages.push_back({scheme::StageKind::kLimit, 7});
  const Dossier dossier = DossierOf(Judged("most", "most"));
  EXPECT_THAT(StarsOf(Run(dossier, dossier, dossier, strict)), ElementsAre("2", "2", "2", "1"));
}

TEST_F(CompareTest, AListStateThatMovedIsNewEvidence) {
  std::vector<evidence::RecordedItem> items = Judged("some", "some");
  items.push_back(Item("special_measures.list_state", Level{"on_list"}, "standing"));
  const Dossier before = DossierOf(items);
  items.back().item.value = Level{"off_list"};
  const Dossier after = DossierOf(items);
  const Comparison compared = Run(before, after, after, scheme_);
  EXPECT_THAT(compared.corrected, IsEmpty());
  EXPECT_THAT(compared.added, ElementsAre("special_measures.list_state"));
  EXPECT_EQ(compared.path[kCorrected].decisions[0].move, rating::Move::kLeft);
  EXPECT_EQ(compared.path[kNewEvidence].decisions[0].move, rating::Move::kNone);
}

}  // namespace
}  // namespace starratings::analysis
