#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

using evidence::Dossier;
using evidence::Level;
using evidence::MissingReason;
using evidence::Ratio;
using scheme::Fold;
using scheme::Scheme;
using testing::Contains;
using testing::HasSubstr;

const evidence::Date kDay = *evidence::Date::Parse("2002-05-30");

Dossier Walsall() {
  return DossierOf({Item("adults.serving", Level{"no"}), Item("adults.prospects", Level{"poor"}),
                    Item("children.serving", Level{"no"}),
                    Item("children.prospects", Level{"poor"})});
}

Dossier Capped() {
  return DossierOf(
      {Item("adults.serving", Level{"some"}), Item("adults.prospects", Level{"promising"}),
       Item("children.serving", Level{"most"}), Item("children.prospects", Level{"promising"}),
       Item("placements", Ratio{48, 212})});
}

const StepFinding& StepOf(const Explanation& explanation, const std::string& rule) {
  return *std::find_if(explanation.steps.begin(), explanation.steps.end(),
                       [&](const StepFinding& step) { return step.rule_id == rule; });
}

TEST(ReadTest, GapsHaveReasons) {
  Scheme scheme = EnglandShape();
  scheme.inputs[kEquipment].stale_after_days = 100;
  evidence::RecordedItem old = Item("equipment", Ratio{9, 90});
  old.item.observed_on = evidence::Date::FromDays(kDay.days() - 101);
  const Dossier dossier = DossierOf(
      {Item("placements", Ratio{29, 29}), Item("re_registrations", MissingReason::kSuppressed), old,
       Item("childrens_homes", Level{"yes"}), Item("adult_homes", Ratio{30, 30})});
  const Readings readings = Read(scheme, dossier, kDay);
  EXPECT_EQ(readings.values[kPlacements].absent, Absent::kExempt);
  EXPECT_EQ(readings.values[kReRegistrations].absent, Absent::kSuppressed);
  EXPECT_EQ(readings.values[kEquipment].absent, Absent::kStale);
  EXPECT_EQ(readings.values[kChildrensHomes].absent, Absent::kUnreliable);
  EXPECT_EQ(readings.values[kAdultHomes].absent, Absent::kNo);
  EXPECT_EQ(readings.values[kAdultsServing].absent, Absent::kNotReported);
  EXPECT_TRUE(readings.values[kAdultsServing].refused);
  EXPECT_EQ(readings.read.size(), 5u);
  old.item.observed_on = evidence::Date::FromDays(kDay.days() - 100);
  EXPECT_EQ(Read(scheme, DossierOf({old}), kDay).values[kEquipment].absent, Absent::kNo);
}

evidence::RecordedItem Overriding(evidence::RecordedItem item, int days_left) {
  item.item.overriding = {"The minister", evidence::Date::FromDays(kDay.days() + days_left)};
  item.reason = "An inquiry found otherwise";
  return item;
}

TEST(ReadTest, AnOverrideExpiresOnItsDay) {
  const Scheme scheme = EnglandShape();
  const auto read = [&](int days_left, Overrides overrides = Overrides::kRead) {
    const Dossier dossier =
        DossierOf({Overriding(Item("adults.serving", Level{"most"}), days_left)});
    const Readings readings = Read(scheme, dossier, kDay, overrides);
    return std::pair(readings.values[kAdultsServing].absent, readings.overridden);
  };
  EXPECT_EQ(read(1), std::pair(Absent::kNo, true));
  EXPECT_EQ(read(0), std::pair(Absent::kExpired, false));
  EXPECT_EQ(read(-1), std::pair(Absent::kExpired, false));
  EXPECT_EQ(read(1, Overrides::kPassedOver), std::pair(Absent::kNotReported, false));
}

TEST(RateTest, TheMechanicalResultStandsBesideAnOverride) {
  const Scheme scheme = EnglandShape();
  Dossier dossier = Capped();
  const Rating plain = Rate(scheme, dossier, kDay);
  ASSERT_EQ(plain.results[0].mechanical, nullptr);
  for (evidence::RecordedItem& item : dossier.items) {
    if (item.item.key.code == "adults.serving") item = Overriding(item, 1);
  }

  const Explanation overridden = Explain(scheme, dossier, kDay);

  const ResultOutcome& result = overridden.rating.results[0];
  EXPECT_EQ(result.level, plain.results[0].level);
  ASSERT_NE(result.mechanical, nullptr);
  // Without the override the value is not reported, and nothing is rated.
  ASSERT_TRUE(result.mechanical->not_rated);
  EXPECT_EQ(result.mechanical->not_rated->code, "adults.serving");
  EXPECT_NE(overridden.rating.digest, plain.digest);
  EXPECT_EQ(Rate(scheme, dossier, kDay).digest, overridden.rating.digest);
  using testing::HasSubstr;
  EXPECT_THAT(overridden.sentences,
              testing::Contains(testing::AllOf(HasSubstr("adults.serving is an override"),
                                               HasSubstr("The minister"),
                                               HasSubstr("An inquiry found otherwise"))));
  EXPECT_THAT(overridden.sentences, testing::Contains(HasSubstr("Without overrides, ")));
}

TEST(RateTest, AnOverrideThatDoesNotCountSaysWhy) {
  Scheme scheme = EnglandShape();
  scheme.inputs[kAdultsServing].on_missing = scheme::OnMissing::kAssume;
  scheme.inputs[kAdultsServing].assume = 1;
  scheme.inputs[kAdultsServing].stale_after_days = 10;
  const auto told = [&](evidence::RecordedItem item) {
    const Dossier dossier = DossierOf({std::move(item)});
    return absl::StrJoin(Explain(scheme, dossier, kDay).sentences, " ");
  };
  evidence::RecordedItem stale = Overriding(Item("adults.serving", Level{"most"}), 100);
  stale.item.observed_on = evidence::Date::FromDays(kDay.days() - 11);
  for (const auto& [item, why] :
       {std::pair(stale, "STALE"),
        std::pair(Overriding(Item("adults.serving", Level{"splendid"}), 100), "UNRELIABLE")}) {
    EXPECT_THAT(told(item), testing::HasSubstr(absl::StrCat(
                                "The override of adults.serving by The minister does not count: "
                                "it is ",
                                why, ".")));
    EXPECT_THAT(told(item), testing::HasSubstr(
                                absl::StrCat("adults.serving is ", why, "; the scheme assumes")));
  }
  EXPECT_THAT(told(Overriding(Item("adults.serving", Level{"most"}), 0)),
              testing::HasSubstr("counts no more: it expired on 2002-05-30."));
}

TEST(ReadTest, StandingFactsAreReadFromTheirOwnPeriod) {
  const Scheme scheme = EnglandShape();
  const std::string code = "special_measures.list_state";
  EXPECT_EQ(Read(scheme, DossierOf({Item(code, Level{"on_list"}, "standing")}), kDay)
                .values[kListState]
                .absent,
            Absent::kNo);
  EXPECT_EQ(Read(scheme, DossierOf({Item(code, Level{"on_list"})}), kDay).values[kListState].absent,
            Absent::kNotReported);
}

TEST(ReadTest, OfSeveralInstancesTheSchemeSaysWhichCounts) {
  Scheme scheme = EnglandShape();
  const Dossier dossier = DossierOf(
      {Item("adults.serving", Level{"most"}), Item("adults.serving", Level{"some"}, "2001-02", "a"),
       Item("adults.serving", Level{"yes"}, "2001-02", "b"),
       Item("adults.serving", MissingReason::kUnreliable, "2001-02", "c")});
  const auto level = [&](Fold fold) {
    scheme.inputs[kAdultsServing].fold = fold;
    return Read(scheme, dossier, kDay).values[kAdultsServing].level;
  };
  EXPECT_EQ(level(Fold::kEmptyInstance), kMost);
  EXPECT_EQ(level(Fold::kWorst), kSome);
  EXPECT_EQ(level(Fold::kBest), kYes);
  scheme.inputs[kPlacements].fold = Fold::kWorst;
  scheme.values[kPlacements].lower_is_better = true;
  const Dossier shares = DossierOf({Item("placements", Ratio{10, 100}, "2001-02", "a"),
                                    Item("placements", Ratio{30, 100}, "2001-02", "b")});
  EXPECT_EQ(Read(scheme, shares, kDay).values[kPlacements].numerator, 30);
}

TEST(ReadTest, WhatIsAssumedIsMarked) {
  Scheme scheme = EnglandShape();
  scheme.inputs[kAdultsServing].on_missing = scheme::OnMissing::kAssume;
  scheme.inputs[kAdultsServing].assume = kSome;
  const Value value = Read(scheme, DossierOf({}), kDay).values[kAdultsServing];
  EXPECT_EQ(value.level, kSome);
  EXPECT_TRUE(value.assumed);
}

struct MoveCase {
  const char* name;
  const char* previous;  // Empty: nobody knows.
  const char* serving;   // Of adults: `no` is zero stars; empty: not rated.
  Move move;
  const char* state;
};

class MoveTest : public testing::TestWithParam<MoveCase> {};

TEST_P(MoveTest, FollowsFromTheStateBefore) {
  const MoveCase& c = GetParam();
  std::vector<evidence::RecordedItem> items = {Item("adults.prospects", Level{"promising"}),
                                               Item("children.serving", Level{"some"}),
                                               Item("children.prospects", Level{"promising"})};
  if (*c.serving != '\0') items.push_back(Item("adults.serving", Level{c.serving}));
  if (*c.previous != '\0') {
    items.push_back(Item("special_measures.list_state", Level{c.previous}, "standing"));
  }
  const Decision decision = Rate(EnglandShape(), DossierOf(items), kDay).decisions.at(0);
  EXPECT_EQ(decision.move, c.move);
  EXPECT_EQ(decision.state, c.state);
  EXPECT_EQ(decision.previous, c.previous);
}

INSTANTIATE_TEST_SUITE_P(
    Moves, MoveTest,
    testing::ValuesIn<MoveCase>({{"Entered", "off_list", "no", Move::kEntered, "on_list"},
                                 {"Remained", "on_list", "no", Move::kRemained, "on_list"},
                                 {"Left", "on_list", "some", Move::kLeft, "off_list"},
                                 {"None", "off_list", "some", Move::kNone, "off_list"},
                                 {"UnknownOn", "", "no", Move::kUnknown, "on_list"},
                                 {"UnknownOff", "", "some", Move::kUnknown, "off_list"},
                                 {"NotRatedOn", "on_list", "", Move::kNone, "on_list"},
                                 {"NotRatedUnknown", "", "", Move::kNone, ""}}),
    [](const auto& test) { return std::string(test.param.name); });

// What refuses stays so, even where a veto gives the input that is missing a level.
TEST(RateTest, AVetoOnAnInputThatRefusesDoesNotMakeItReported) {
  Scheme scheme;
  scheme.id = "refused";
  scheme.version = "1";
  scheme.scales = {{"s", {"low", "high"}, 0}};
  AddInput(scheme, "a", 0, scheme::OnMissing::kRefuse);
  AddInput(scheme, "b", 0, scheme::OnMissing::kAbsent);
  scheme.limits = {Veto("V", 0, {AtMost(1, 0)})};
  scheme.stages = {{scheme::StageKind::kLimit, 0}};
  scheme.results = {{0, "a"}};
  const Explanation explanation = Explain(scheme, DossierOf({Item("b", Level{"low"})}), kDay);
  const NotRated& why = *explanation.rating.results[0].not_rated;
  EXPECT_EQ(why.reason, Absent::kNotReported);
  EXPECT_EQ(why.rule_id, "a");
}

// Two rules that each put the result where it is: neither is binding.
TEST(ExplainTest, AWriterIsBindingOnlyIfTheResultWouldDifferWithoutIt) {
  Scheme scheme;
  scheme.id = "spare";
  scheme.version = "1";
  scheme.scales = {{"s", {"low", "high"}, 0}};
  AddInput(scheme, "a", 0, scheme::OnMissing::kAbsent);
  AddInput(scheme, "b", 0, scheme::OnMissing::kAbsent);
  scheme.values.push_back({"out", "out", "", 0});
  scheme::Matrix matrix;
  matrix.id = "M";
  matrix.from = {0};
  matrix.stride = {1};
  matrix.output = 2;
  matrix.cells = {0, 1};
  matrix.row_of = {0, 0};
  matrix.rows.resize(1);
  scheme.matrices = {matrix};
  scheme.limits = {Veto("V", 2, {AtMost(1, 0)})};
  scheme.stages = {{scheme::StageKind::kMatrix, 0}, {scheme::StageKind::kLimit, 0}};
  scheme.results = {{2, "out"}};
  const Dossier low = DossierOf({Item("a", Level{"low"}), Item("b", Level{"low"})});
  for (const StepFinding& step : Explain(scheme, low, kDay).steps) {
    EXPECT_TRUE(step.decided) << step.rule_id;
    EXPECT_FALSE(step.binding) << step.rule_id;
  }
  const Dossier high = DossierOf({Item("a", Level{"low"}), Item("b", Level{"high"})});
  EXPECT_TRUE(StepOf(Explain(scheme, high, kDay), "M").binding);
}

TEST(RateTest, NotRatedSaysWhichRuleAndCode) {
  const Rating rating = Rate(EnglandShape(), DossierOf({}), kDay);
  ASSERT_TRUE(rating.results[0].not_rated);
  EXPECT_EQ(rating.results[0].not_rated->reason, Absent::kNotReported);
  EXPECT_EQ(rating.results[0].not_rated->code, "adults.serving");
  EXPECT_TRUE(rating.consequences.empty());
}

TEST(RateTest, ARuleThatCannotDecideIsNamedWithTheCodeBehindIt) {
  Scheme scheme = EnglandShape();
  scheme.limits[0].unknown = scheme::OnUnknown::kRefuse;
  Dossier dossier = Capped();
  dossier.items.pop_back();
  const Rating rating = Rate(scheme, dossier, kDay);
  ASSERT_TRUE(rating.results[0].not_rated);
  EXPECT_EQ(rating.results[0].not_rated->rule_id, "C-K1");
  EXPECT_EQ(rating.results[0].not_rated->code, "placements");
}

TEST(RateTest, ConsequencesFollowTheLevel) {
  const Scheme scheme = EnglandShape();
  const Rating rating = Rate(scheme, Walsall(), kDay);
  ASSERT_EQ(rating.consequences.size(), 1u);
  EXPECT_EQ(rating.consequences[0]->id, "F0");
}

TEST(RateTest, TheDigestIsOfWhatWasReadAndWhatCameOut) {
  const Scheme scheme = EnglandShape();
  const digest::Digest digest = Rate(scheme, Walsall(), kDay).digest;
  Dossier shuffled = Walsall();
  std::reverse(shuffled.items.begin(), shuffled.items.end());
  for (evidence::RecordedItem& item : shuffled.items) item.revision = 77;
  shuffled.items.push_back(Item("something.else", Level{"yes"}));  // Not read.
  EXPECT_EQ(Rate(scheme, shuffled, kDay).digest, digest);
  Dossier more = Walsall();
  more.items.push_back(Item("placements", Ratio{1, 100}));  // Read, and without effect.
  EXPECT_NE(Rate(scheme, more, kDay).digest, digest);
  EXPECT_NE(Rate(scheme, Walsall(), evidence::Date::FromDays(1)).digest, digest);
  Scheme other = scheme;
  other.digest = digest::ToHex(digest::Sha256("other"));
  EXPECT_NE(Rate(other, Walsall(), kDay).digest, digest);
}

TEST(RateTest, TheStrongestOfSeveralSufficientGroundsCounts) {
  // V1 is documented and enough by itself, though V2 and the table are not.
  EXPECT_EQ(Rate(EnglandShape(), Walsall(), kDay).results[0].basis, scheme::Basis::kDocumented);
  EXPECT_EQ(Rate(EnglandShape(), Capped(), kDay).results[0].basis, scheme::Basis::kAssumed);
}

TEST(ExplainTest, WhereEachOfThreeRulesAloneIsEnoughNoneIsBinding) {
  const Scheme scheme = EnglandShape();
  const Dossier dossier = Walsall();
  const Explanation explanation = Explain(scheme, dossier, kDay);
  for (const char* rule : {"M", "V1", "V2"}) {
    EXPECT_TRUE(StepOf(explanation, rule).fired) << rule;
    EXPECT_TRUE(StepOf(explanation, rule).decided) << rule;
    EXPECT_FALSE(StepOf(explanation, rule).binding) << rule;
  }
  EXPECT_FALSE(StepOf(explanation, "C-K1").decided);
  EXPECT_THAT(explanation.sentences, Contains(HasSubstr("Walsall is rated \"0\"")));
  EXPECT_THAT(explanation.sentences, Contains(HasSubstr("each of 3 rules alone is enough")));
}

TEST(ExplainTest, ACapThatMadeTheDifferenceIsBindingAndSaysByHowMuch) {
  Scheme scheme = EnglandShape();
  scheme.limits[0].say = "{organisation}: {value} is {threshold}, {before} becomes {limit}.";
  scheme.values[kPlacements].unit = "children";
  const Dossier dossier = Capped();
  const Explanation explanation = Explain(scheme, dossier, kDay);
  const StepFinding& step = StepOf(explanation, "C-K1");
  EXPECT_TRUE(step.decided);
  EXPECT_TRUE(step.binding);
  EXPECT_EQ(step.before, "most");
  EXPECT_EQ(step.after, "some");
  EXPECT_EQ(step.tests[0].found, "22.6 % (48 of 212 children)");
  EXPECT_EQ(step.tests[0].margin, "-140/53 percentage points, 6 fewer children");
  EXPECT_EQ(step.sentence,
            "Walsall: 22.6 % (48 of 212 children) is the threshold, most becomes some.");
  EXPECT_FALSE(StepOf(explanation, "C-K2").fired);
  EXPECT_EQ(StepOf(explanation, "C-K2").tests[0].absent, Absent::kNotReported);
  EXPECT_THAT(explanation.sentences, Contains(HasSubstr("Without C-K1")));
}

TEST(ExplainTest, WhatIsReconstructedIsSaid) {
  Dossier dossier = Walsall();
  dossier.items[0].item.source =
      std::make_shared<const evidence::Source>(evidence::Source{"Reconstructed", "", "", true});
  EXPECT_THAT(Explain(EnglandShape(), dossier, kDay).sentences,
              Contains(HasSubstr("1 value it reads is reconstructed")));
}

TEST(PrintTest, NumbersAreExact) {
  EXPECT_EQ(PrintNumber(25, 2), "12.5");
  EXPECT_EQ(PrintNumber(-25, 2), "-12.5");
  EXPECT_EQ(PrintNumber(1, 3), "1/3");
  EXPECT_EQ(PrintNumber(6, 3), "2");
  EXPECT_EQ(PrintNumber(1, 1'000'000), "0.000001");
}

}  // namespace
}  // namespace starratings::rating
