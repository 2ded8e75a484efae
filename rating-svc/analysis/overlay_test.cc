#include "rating-svc/analysis/overlay.h"

#include <algorithm>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::analysis {
namespace {

using evidence::Level;
using evidence::Ratio;
using rating::DossierOf;
using rating::Item;
using scheme::Fraction;
using scheme::Scheme;
using testing::SizeIs;

evidence::Date SomeDay() { return *evidence::Date::Parse("2002-05-30"); }

evidence::Dossier Council() {
  return DossierOf({Item("adults.prospects", Level{"promising"}),
                    Item("adults.serving", Level{"most"}),
                    Item("children.prospects", Level{"promising"}),
                    Item("children.serving", Level{"most"}), Item("placements", Ratio{30, 140})});
}

std::string StarsOf(const Scheme& scheme, const evidence::Dossier& dossier) {
  return rating::Rate(scheme, dossier, SomeDay()).results[0].level;
}

TEST(Overlay, ReplacesWhatIsSaidUnderTheSameKeyAndAddsTheRest) {
  const Scheme scheme = [] {
    Scheme england = rating::EnglandShape();
    england.scales[0].levels = {"no", "some", "most", "yes"};
    return england;
  }();
  const evidence::Dossier council = Council();
  const evidence::Dossier overlaid =
      Overlay(scheme, council,
              {{"placements", "", Ratio{28, 140}, std::nullopt},
               {"special_measures.list_state", "", Level{"on_list"}, std::nullopt},
               {"children.serving", "", evidence::MissingReason::kUnreliable, std::nullopt}});
  ASSERT_THAT(overlaid.items, SizeIs(6));
  std::map<std::string, evidence::RecordedItem> by_code;
  for (const auto& item : overlaid.items) by_code[item.item.key.code] = item;
  EXPECT_EQ(std::get<Ratio>(by_code["placements"].item.value), (Ratio{28, 140}));
  EXPECT_EQ(by_code["placements"].item.source->title, "What if");
  EXPECT_EQ(by_code["special_measures.list_state"].item.key.period, "standing");
  EXPECT_EQ(by_code["adults.serving"].item.source->title, "A test");
  EXPECT_TRUE(std::is_sorted(
      overlaid.items.begin(), overlaid.items.end(),
      [](const auto& a, const auto& b) { return a.item.key.code < b.item.key.code; }));
  EXPECT_EQ(std::get<Ratio>(council.items.back().item.value), (Ratio{30, 140}));
}

TEST(Overlay, ChangesTheRatingAsTheEvidenceWould) {
  const Scheme scheme = rating::EnglandShape();
  evidence::Dossier council = Council();
  // Children's serving is capped at "some" by the placements: 6 + 4 points stay
  // two stars; adults at "some" as well would be one.
  EXPECT_EQ(StarsOf(scheme, council), "2");
  const OverlaidItem worse{"adults.serving", "", Level{"some"}, std::nullopt};
  EXPECT_EQ(StarsOf(scheme, Overlay(scheme, council, {worse})), "1");
  const OverlaidItem relieved{"placements", "", Ratio{28, 140}, std::nullopt};
  EXPECT_EQ(StarsOf(scheme, Overlay(scheme, council, {worse, relieved})), "2");
}

TEST(ValueOf, ReadsTextAsTheInputTakesIt) {
  Scheme scheme = rating::EnglandShape();
  scheme.scales[3].levels = {"no", "yes"};
  scheme.inputs[rating::kEquipment].type = scheme::InputType::kDecimal;
  EXPECT_EQ(ValueOf(scheme, "adults.serving", "most"), evidence::Value(Level{"most"}));
  EXPECT_EQ(ValueOf(scheme, "adults.serving", "splendid"), std::nullopt);
  EXPECT_EQ(ValueOf(scheme, "placements", "3/4"), evidence::Value(Ratio{3, 4}));
  EXPECT_EQ(ValueOf(scheme, "placements", "3/4/5"), std::nullopt);
  EXPECT_EQ(ValueOf(scheme, "placements", "0.75"), std::nullopt);
  EXPECT_EQ(ValueOf(scheme, "equipment", "12.5"),
            evidence::Value(evidence::Decimal::FromMicros(12'500'000)));
  EXPECT_EQ(ValueOf(scheme, "equipment", "most"), std::nullopt);
  EXPECT_EQ(ValueOf(scheme, "special_measures.list_state", "yes"), evidence::Value(true));
  EXPECT_EQ(ValueOf(scheme, "special_measures.list_state", "1"), std::nullopt);
  EXPECT_EQ(ValueOf(scheme, "nothing", "1"), std::nullopt);
}

TEST(SetThreshold, MovesOneConditionOfOneRule) {
  Scheme scheme = rating::EnglandShape();
  const OverlaidItem worse{"adults.serving", "", Level{"some"}, std::nullopt};
  const evidence::Dossier council = Overlay(scheme, Council(), {worse});
  EXPECT_EQ(StarsOf(scheme, council), "1");
  // 30 of 140 are 21.4 %.
  ASSERT_EQ(SetThreshold(scheme, {"C-K1", 0, Fraction{22, 100}}), ThresholdFault::kNone);
  EXPECT_EQ(StarsOf(scheme, council), "2");
  // A veto that "some" breaks, on its second condition: children's serving.
  ASSERT_EQ(SetThreshold(scheme, {"V1", 1, std::string("some")}), ThresholdFault::kNone);
  EXPECT_EQ(StarsOf(scheme, council), "2");
  ASSERT_EQ(SetThreshold(scheme, {"V1", 0, std::string("some")}), ThresholdFault::kNone);
  EXPECT_EQ(StarsOf(scheme, council), "0");
}

TEST(SetThreshold, RefusesWhatDoesNotFitAndChangesNothing) {
  Scheme scheme = rating::EnglandShape();
  scheme.bands = {rating::BandWith("B", 0, 1, {{1, 1}, {2, 1}})};
  const Scheme before = scheme;
  EXPECT_EQ(SetThreshold(scheme, {"nothing", 0, Fraction{1, 2}}), ThresholdFault::kRuleUnknown);
  EXPECT_EQ(SetThreshold(scheme, {"C-K1", 1, Fraction{1, 2}}), ThresholdFault::kConditionUnknown);
  EXPECT_EQ(SetThreshold(scheme, {"C-K1", -1, Fraction{1, 2}}), ThresholdFault::kConditionUnknown);
  EXPECT_EQ(SetThreshold(scheme, {"C-K1", 0, std::string("some")}), ThresholdFault::kType);
  EXPECT_EQ(SetThreshold(scheme, {"V1", 0, Fraction{1, 2}}), ThresholdFault::kType);
  EXPECT_EQ(SetThreshold(scheme, {"V1", 0, std::string("splendid")}), ThresholdFault::kType);
  EXPECT_EQ(SetThreshold(scheme, {"B", 2, Fraction{1, 2}}), ThresholdFault::kConditionUnknown);
  EXPECT_EQ(SetThreshold(scheme, {"B", 0, Fraction{2, 1}}), ThresholdFault::kOrder);
  EXPECT_EQ(SetThreshold(scheme, {"B", 0, std::string("some")}), ThresholdFault::kType);
  EXPECT_EQ(scheme.bands[0].cuts[0].numerator, before.bands[0].cuts[0].numerator);
  EXPECT_EQ(scheme.limits[5].any[0].level, before.limits[5].any[0].level);
  EXPECT_EQ(SetThreshold(scheme, {"B", 0, Fraction{3, 2}}), ThresholdFault::kNone);
}

TEST(SetThreshold, ReachesTheListsOfABandAndTheConditionsOfCountsAndAdjustments) {
  Scheme scheme = rating::EnglandShape();
  scheme::Band band = rating::BandWith("B", 0, 1, {});
  band.by = 2;
  band.lists.resize(2);
  band.lists[0].cuts = {{1, 1}, {2, 1}};
  band.lists[1].cuts = {{5, 1}, {6, 1}};
  scheme.bands = {band};
  EXPECT_EQ(SetThreshold(scheme, {"B", 2, Fraction{4, 1}}), ThresholdFault::kNone);
  EXPECT_EQ(scheme.bands[0].lists[1].cuts[0].numerator, 4);
  EXPECT_EQ(SetThreshold(scheme, {"B", 2, Fraction{6, 1}}), ThresholdFault::kOrder);
  EXPECT_EQ(SetThreshold(scheme, {"B", 4, Fraction{7, 1}}), ThresholdFault::kConditionUnknown);
  scheme::Count count;
  count.id = "N";
  count.conditions = {rating::AtMost(rating::kAdultsServing, rating::kNo)};
  scheme.counts = {count};
  EXPECT_EQ(SetThreshold(scheme, {"N", 0, std::string("some")}), ThresholdFault::kNone);
  EXPECT_EQ(scheme.counts[0].conditions[0].level, rating::kSome);
  scheme::Adjust adjust;
  adjust.id = "J";
  adjust.steps = {{rating::AtMost(rating::kAdultsServing, rating::kNo), -1}};
  adjust.bound = rating::AtMost(rating::kChildrenServing, rating::kNo);
  scheme.adjusts = {adjust};
  EXPECT_EQ(SetThreshold(scheme, {"J", 1, std::string("most")}), ThresholdFault::kNone);
  EXPECT_EQ(scheme.adjusts[0].bound->level, rating::kMost);
  EXPECT_EQ(SetThreshold(scheme, {"J", 2, std::string("most")}), ThresholdFault::kConditionUnknown);
}

}  // namespace
}  // namespace starratings::analysis
