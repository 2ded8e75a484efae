#include "rating-svc/service/analyses.h"

#include <map>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/service/service_fixture.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AnalysesTest : public RatingServiceTest {
 protected:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (rating::v1::RatingService::Stub::*method)(
                                   grpc::ClientContext*, const Request&, Response*),
                               const Request& request) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return serving::FromGrpcStatus(status);
    return response;
  }

  absl::StatusOr<rating::v1::FindImprovementsResponse> Find(
      const rating::v1::FindImprovementsRequest& request) {
    return Ask(&rating::v1::RatingService::Stub::FindImprovements, request);
  }

  absl::StatusOr<rating::v1::AssessRobustnessResponse> Assess(
      const rating::v1::AssessRobustnessRequest& request) {
    return Ask(&rating::v1::RatingService::Stub::AssessRobustness, request);
  }

  static rating::v1::FindImprovementsRequest ImprovementsOf(const std::string& organisation) {
    rating::v1::FindImprovementsRequest request;
    request.set_organisation(organisation);
    *request.mutable_scheme() = ByScheme(organisation).scheme();
    return request;
  }
};

TEST_F(AnalysesTest, ImprovementsSayWhatWouldLiftAndWhatWouldLose) {
  fake_.Add("a", "fair");
  Start();
  const auto found = Find(ImprovementsOf("a"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->rating().results(0).level(), "1");
  EXPECT_EQ(found->rating().snapshot().revision(), 7);
  ASSERT_THAT(found->results(), SizeIs(1));
  const rating::v1::ResultImprovements& result = found->results(0);
  EXPECT_EQ(result.result(), "stars");
  EXPECT_EQ(result.level(), "1");
  EXPECT_EQ(result.next_level(), "2");
  EXPECT_TRUE(result.gains().complete());
  ASSERT_THAT(result.gains().sets(), SizeIs(1));
  EXPECT_EQ(result.gains().sets(0).level(), "2");
  ASSERT_THAT(result.gains().sets(0).changes(), SizeIs(1));
  EXPECT_EQ(result.gains().sets(0).changes(0).from().level(), "fair");
  EXPECT_EQ(result.gains().sets(0).changes(0).to().level(), "good");
  EXPECT_EQ(result.gains().sets(0).changes(0).steps(), 1);
  ASSERT_THAT(result.losses().sets(), SizeIs(1));
  EXPECT_EQ(result.losses().sets(0).level(), "0");
}

TEST_F(AnalysesTest, ImprovementsByARoundAreOfWhatItRates) {
  fake_.Add("a", "good");
  fake_.Add("b", "");
  fake_.OpenRound("test", "1");
  Start();
  rating::v1::FindImprovementsRequest request;
  request.set_round("r");
  request.set_organisation("a");
  const auto top = Find(request);
  ASSERT_TRUE(top.ok()) << top.status();
  EXPECT_EQ(top->results(0).next_level(), "");
  EXPECT_THAT(top->results(0).gains().sets(), IsEmpty());
  request.set_organisation("b");
  const auto unrated = Find(request);
  ASSERT_TRUE(unrated.ok()) << unrated.status();
  EXPECT_EQ(unrated->results(0).level(), "");
  EXPECT_TRUE(unrated->rating().results(0).has_not_rated());
  ASSERT_THAT(unrated->results(0).held(), SizeIs(1));
  EXPECT_EQ(unrated->results(0).held(0).code(), "quality");
  EXPECT_EQ(unrated->results(0).held(0).reason(), "NOT_REPORTED");
  request.set_organisation("nobody");
  EXPECT_EQ(ReasonOf(Find(request).status()), "ORGANISATION_NOT_IN_ROUND");
}

TEST_F(AnalysesTest, AResultThatTheSchemeDoesNotHaveIsNamedAsTheFieldAtFault) {
  fake_.Add("a", "fair");
  Start();
  auto request = ImprovementsOf("a");
  request.set_result("moons");
  const auto found = Find(request);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(found.status()), ElementsAre("result"));
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("stars"));
  request.clear_by();
  request.clear_organisation();
  EXPECT_THAT(FieldsOf(Find(request).status()), ElementsAre("organisation", "by"));
}

TEST_F(AnalysesTest, RobustnessOfARoundCountsItsOrganisations) {
  AddMany(12);  // Three at each of 0, 1 and 2 stars, three not rated.
  fake_.OpenRound("test", "1");
  Start();
  rating::v1::AssessRobustnessRequest request;
  request.set_round("r");
  const auto assessed = Assess(request);
  ASSERT_TRUE(assessed.ok()) << assessed.status();
  EXPECT_EQ(assessed->result(), "stars");
  EXPECT_EQ(assessed->rate_model(), rating::v1::RATE_MODEL_JEFFREYS);
  EXPECT_EQ(assessed->error_bound(), 1e-12);
  EXPECT_THAT(assessed->organisations(), SizeIs(12));
  ASSERT_THAT(assessed->expected_counts(), SizeIs(4));
  for (const auto& count : assessed->expected_counts()) {
    EXPECT_EQ(count.now(), 3);
    EXPECT_DOUBLE_EQ(count.expected(), 3);
  }
  ASSERT_THAT(assessed->lowest_counts(), SizeIs(1));
  EXPECT_EQ(assessed->lowest_counts(0).count(), 3);
  EXPECT_DOUBLE_EQ(assessed->lowest_counts(0).probability(), 1);
  // Nothing is said of how a level varies, and that is said.
  EXPECT_THAT(assessed->varied(), IsEmpty());
  ASSERT_THAT(assessed->held(), SizeIs(2));
  EXPECT_EQ(assessed->held(0).reason(), "NOT_REPORTED");
  EXPECT_EQ(assessed->held(0).organisations(), 3);
  EXPECT_EQ(assessed->held(1).reason(), "NO_RATIO");
  EXPECT_EQ(assessed->held(1).organisations(), 9);
  EXPECT_THAT(assessed->assumptions(), testing::Contains("inputs are independent of each other"));
}

TEST_F(AnalysesTest, RobustnessAsksForARoundOrAnOrganisation) {
  Start();
  rating::v1::AssessRobustnessRequest request;
  request.set_bounds(true);
  request.set_rate_model(static_cast<rating::v1::RateModel>(9));
  EXPECT_THAT(FieldsOf(Assess(request).status()), ElementsAre("rate_model", "bounds", "round"));
  request.set_bounds(false);
  request.set_rate_model(rating::v1::RATE_MODEL_OBSERVED);
  *request.mutable_scheme() = ByScheme("a").scheme();
  EXPECT_THAT(FieldsOf(Assess(request).status()), ElementsAre("organisation"));
}

TEST_F(AnalysesTest, AnExportThatIsNotWholeGivesNoDistribution) {
  AddMany(12);
  fake_.OpenRound("test", "1");
  fake_.faults.one_short = true;
  Start();
  rating::v1::AssessRobustnessRequest request;
  request.set_round("r");
  EXPECT_EQ(ReasonOf(Assess(request).status()), "EXPORT_BROKEN");
}

class SimulateTest : public AnalysesTest {
 protected:
  absl::StatusOr<rating::v1::SimulateRatingResponse> Simulate(
      const rating::v1::SimulateRatingRequest& request) {
    return Ask(&rating::v1::RatingService::Stub::SimulateRating, request);
  }

  static rating::v1::Variation& AddItem(rating::v1::SimulateRatingRequest& request,
                                        const std::string& code, const std::string& text,
                                        const std::string& organisation = "") {
    rating::v1::Variation& variation = *request.add_variations();
    variation.set_organisation(organisation);
    variation.mutable_item()->set_code(code);
    variation.mutable_item()->set_text(text);
    return variation;
  }
};

TEST_F(SimulateTest, BothRatingsStandSideBySideAndNothingIsRecorded) {
  fake_.Add("a", "poor");
  Start();
  rating::v1::SimulateRatingRequest request;
  request.set_organisation("a");
  *request.mutable_scheme() = ByScheme("a").scheme();
  AddItem(request, "quality", "good");
  const auto simulated = Simulate(request);
  ASSERT_TRUE(simulated.ok()) << simulated.status();
  ASSERT_THAT(simulated->pairs(), SizeIs(1));
  EXPECT_EQ(simulated->pairs(0).before().results(0).level(), "0");
  EXPECT_EQ(simulated->pairs(0).after().results(0).level(), "2");
  EXPECT_EQ(simulated->pairs(0).before().digest(), Rate(ByScheme("a"))->digest());
  EXPECT_EQ(simulated->pairs(0).after().digest(), "");
  EXPECT_EQ(simulated->pairs(0).after().scheme().digest(), digest_);
  EXPECT_EQ(simulated->changed_count(), 1);
  EXPECT_TRUE(simulated->outcomes(0).applied());
  const auto submits = fake_.asked().submits;
  ASSERT_THAT(submits, SizeIs(1));
  EXPECT_TRUE(submits[0].validate_only());
  EXPECT_EQ(submits[0].items(0).item().organisation(), "a");
  EXPECT_EQ(submits[0].items(0).item().value().level(), "good");
}

TEST_F(SimulateTest, EveryVariationIsAppliedOrRefusedWithItsReason) {
  fake_.Add("a", "poor");
  Start();
  rating::v1::SimulateRatingRequest request;
  request.set_organisation("a");
  *request.mutable_scheme() = ByScheme("a").scheme();
  AddItem(request, "nothing", "good");
  AddItem(request, "quality", "bad");
  rating::v1::Variation& splendid = *request.add_variations();
  splendid.mutable_item()->set_code("quality");
  splendid.mutable_item()->set_instance("second");
  splendid.mutable_item()->mutable_value()->set_level("splendid");  // What the record refuses.
  AddItem(request, "quality", "good");  // The second of its key, of which the first is refused.
  AddItem(request, "quality", "good", "b");
  request.add_variations()->mutable_threshold()->set_rule_id("table");
  request.mutable_variations(5)->mutable_threshold()->set_level("1");
  rating::v1::Variation& off = *request.add_variations();
  off.mutable_item()->set_code("special_measures.list_state");
  off.mutable_item()->mutable_value()->set_missing(evidence::v1::MISSING_REASON_NOT_REPORTED);
  const auto simulated = Simulate(request);
  ASSERT_TRUE(simulated.ok()) << simulated.status();
  std::vector<rating::v1::VariationRefusal> refusals;
  for (const auto& outcome : simulated->outcomes()) {
    refusals.push_back(outcome.refusal());
    EXPECT_EQ(outcome.applied(), outcome.message().empty());
  }
  EXPECT_THAT(refusals, ElementsAre(rating::v1::VARIATION_REFUSAL_CODE_NOT_READ,
                                    rating::v1::VARIATION_REFUSAL_EVIDENCE,
                                    rating::v1::VARIATION_REFUSAL_EVIDENCE,
                                    rating::v1::VARIATION_REFUSAL_REPEATED,
                                    rating::v1::VARIATION_REFUSAL_ORGANISATION_NOT_RATED,
                                    rating::v1::VARIATION_REFUSAL_RULE_UNKNOWN,
                                    rating::v1::VARIATION_REFUSAL_UNSPECIFIED));
  EXPECT_TRUE(simulated->outcomes(6).applied());
  // The list state is taken away: nobody knows the move.
  EXPECT_EQ(simulated->pairs(0).before().decisions(0).move(), rating::v1::MOVE_ENTERED);
  EXPECT_EQ(simulated->pairs(0).after().decisions(0).move(), rating::v1::MOVE_UNKNOWN);
}

TEST_F(SimulateTest, OfARoundCountsTheMovesAndListsWhoChanges) {
  AddMany(12);  // Three at each of 0, 1 and 2 stars, three not rated.
  fake_.OpenRound("test", "1");
  Start();
  rating::v1::SimulateRatingRequest request;
  request.set_round("r");
  AddItem(request, "quality", "fair");
  AddItem(request, "quality", "good", "org-0");
  const auto simulated = Simulate(request);
  ASSERT_TRUE(simulated.ok()) << simulated.status();
  EXPECT_EQ(simulated->count(), 12);
  EXPECT_EQ(simulated->changed_count(), 9);
  EXPECT_THAT(simulated->pairs(), SizeIs(9));
  std::map<std::string, int64_t> moves;
  for (const auto& move : simulated->moves()) {
    moves[absl::StrCat(move.before().not_rated() ? "-" : move.before().level(), ">",
                       move.after().level())] = move.count();
  }
  EXPECT_EQ(moves, (std::map<std::string, int64_t>{
                       {"0>1", 2}, {"0>2", 1}, {"1>1", 3}, {"2>1", 3}, {"->1", 3}}));
}

TEST_F(SimulateTest, WhatIsNoVariationIsNamedAsTheFieldAtFault) {
  Start();
  rating::v1::SimulateRatingRequest request;
  EXPECT_THAT(FieldsOf(Simulate(request).status()), ElementsAre("round", "variations"));
  request.set_round("r");
  request.add_variations();
  request.add_variations()->mutable_item();
  request.add_variations()->mutable_threshold()->set_rule_id("x");
  request.mutable_variations(2)->set_organisation("a");
  EXPECT_THAT(FieldsOf(Simulate(request).status()),
              ElementsAre("variations[0]", "variations[1].item", "variations[2].threshold",
                          "variations[2].organisation"));
}

class CompareTest : public AnalysesTest {
 protected:
  absl::StatusOr<rating::v1::CompareRatingsResponse> Compare(
      const rating::v1::CompareRatingsRequest& request) {
    return Ask(&rating::v1::RatingService::Stub::CompareRatings, request);
  }
};

TEST_F(CompareTest, ARoundIsComparedWithItselfByAnotherScheme) {
  AddMany(12);  // Three at each of 0, 1 and 2 stars, three not rated.
  fake_.OpenRound("test", "1");
  // Fair and good change places.
  const std::string other = absl::StrReplaceAll(SchemeText("test", "2"),
                                                {{R"("fair" then: "1")", R"("fair" then: "2")"},
                                                 {R"("good" then: "2")", R"("good" then: "1")"}});
  fake_.scheme_texts["test@2"] = other;
  Start();
  rating::v1::CompareRatingsRequest request;
  request.mutable_before()->set_round("r");
  request.mutable_after()->set_round("r");
  request.mutable_after()->set_scheme("test@2");
  const auto compared = Compare(request);
  ASSERT_TRUE(compared.ok()) << compared.status();
  EXPECT_EQ(compared->count(), 12);
  EXPECT_EQ(compared->changed_count(), 6);
  EXPECT_EQ(compared->only_before() + compared->only_after(), 0);
  ASSERT_THAT(compared->causes(), SizeIs(1));
  EXPECT_EQ(compared->causes(0).cause(), rating::v1::CHANGE_CAUSE_CHANGED_SCHEME);
  EXPECT_EQ(compared->causes(0).count(), 6);
  EXPECT_EQ(compared->before_scheme().version(), "1");
  EXPECT_EQ(compared->after_scheme().version(), "2");
  ASSERT_THAT(compared->changes(), SizeIs(6));
  const rating::v1::ResultPath& path = compared->changes(0).results(0);
  EXPECT_EQ(path.before().level(), path.with_new_evidence().level());
  EXPECT_NE(path.before().level(), path.after().level());
}

TEST_F(CompareTest, EverySideNeedsItsRound) {
  Start();
  rating::v1::CompareRatingsRequest request;
  request.mutable_after()->set_scheme("no version");
  EXPECT_THAT(FieldsOf(Compare(request).status()),
              ElementsAre("before", "after.round", "after.scheme"));
}

TEST_F(CompareTest, AnExportThatIsNotWholeIsNotCompared) {
  AddMany(12);
  fake_.OpenRound("test", "1");
  fake_.faults.out_of_order = true;
  Start();
  rating::v1::CompareRatingsRequest request;
  request.mutable_before()->set_round("r");
  request.mutable_after()->set_round("r");
  EXPECT_EQ(ReasonOf(Compare(request).status()), "EXPORT_BROKEN");
}

}  // namespace
}  // namespace starratings::service
