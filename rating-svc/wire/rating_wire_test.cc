#include "rating-svc/wire/rating_wire.h"

#include "common/digest/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

scheme::Scheme TestScheme() {
  scheme::Scheme scheme;
  scheme.id = "test";
  scheme.version = "1";
  scheme.digest = "abc";
  scheme.publications = {{"cc", "Community Care", "2002-05-02", "https://example.org"}};
  scheme.consequences = {
      {"ceiling", 0, {0}, "Weak at best.", "CEILING_WEAK", scheme::Basis::kDocumented, {}}};
  return scheme;
}

rating::Rating TestRating(const scheme::Scheme& scheme) {
  rating::Rating rating;
  rating.organisation = "walsall";
  rating.name = "Walsall";
  rating.period = "2001-02";
  rating.results = {{"stars", "0", "", std::nullopt, scheme::Basis::kAssumed},
                    {"points", "", "25/2", std::nullopt, scheme::Basis::kForced},
                    {"trend", "", "", rating::NotRated{rating::Absent::kStale, "rule", "code"},
                     scheme::Basis::kDocumented}};
  rating.decisions = {{"special_measures", "special_measures.list_state", "off", "listed",
                       rating::Move::kEntered, "listed"}};
  rating.consequences = {&scheme.consequences[0]};
  rating.digest = digest::Sha256("walsall");
  return rating;
}

TEST(RatingWireTest, EveryFieldArrives) {
  const scheme::Scheme scheme = TestScheme();
  rating::v1::Rating message;
  Write(TestRating(scheme), scheme, message);
  EXPECT_EQ(message.organisation(), "walsall");
  EXPECT_EQ(message.name(), "Walsall");
  EXPECT_EQ(message.period(), "2001-02");
  EXPECT_EQ(message.scheme().id(), "test");
  EXPECT_EQ(message.scheme().version(), "1");
  EXPECT_EQ(message.scheme().digest(), "abc");
  EXPECT_EQ(message.digest(), digest::ToHex(digest::Sha256("walsall")));
  EXPECT_FALSE(message.has_trace());

  ASSERT_THAT(message.results(), SizeIs(3));
  EXPECT_EQ(message.results(0).id(), "stars");
  EXPECT_EQ(message.results(0).level(), "0");
  EXPECT_EQ(message.results(0).basis(), scheme::v1::BASIS_ASSUMED);
  EXPECT_EQ(message.results(1).number(), "25/2");
  EXPECT_EQ(message.results(2).not_rated().reason(), "STALE");
  EXPECT_EQ(message.results(2).not_rated().rule_id(), "rule");
  EXPECT_EQ(message.results(2).not_rated().code(), "code");

  const rating::v1::Decision& decision = message.decisions(0);
  EXPECT_EQ(decision.id(), "special_measures");
  EXPECT_EQ(decision.code(), "special_measures.list_state");
  EXPECT_EQ(decision.previous(), "off");
  EXPECT_EQ(decision.state(), "listed");
  EXPECT_EQ(decision.move(), rating::v1::MOVE_ENTERED);
  EXPECT_EQ(decision.listed(), "listed");
  EXPECT_EQ(message.consequences(0).id(), "ceiling");
  EXPECT_EQ(message.consequences(0).text(), "Weak at best.");
  EXPECT_EQ(message.consequences(0).code(), "CEILING_WEAK");
}

class TraceWireTest : public testing::Test {
 protected:
  TraceWireTest() {
    item_.item.key = {"walsall", "2001-02", "quality", ""};
    item_.item.value = evidence::Level{"poor"};
    item_.item.source = std::make_shared<evidence::Source>(
        evidence::Source{"PAF return, row 14", "https://example.org", "", true});
    item_.revision = 3;
    explanation_.rating = TestRating(scheme_);
    explanation_.readings = {
        {"quality", "poor", rating::Absent::kNo, false, rating::Absent::kNo, &item_, ""},
        {"other", "", rating::Absent::kNotReported, true, rating::Absent::kNotReported, nullptr,
         "kind"}};
    rating::StepFinding veto;
    veto.rule_id = "v1";
    veto.kind = scheme::StageKind::kLimit;
    veto.veto = true;
    veto.target = "stars";
    veto.before = "2";
    veto.after = "0";
    veto.fired = veto.decided = veto.binding = true;
    veto.tests = {{"quality", "poor", "at most poor", true, rating::Absent::kNo, "1/2"}};
    veto.basis = scheme::Basis::kForced;
    veto.citations = {{"cc", "fails"}};
    veto.sentence = "It fails.";
    rating::StepFinding cap = veto;
    cap.veto = false;
    rating::StepFinding floor = cap;
    floor.floor = true;
    rating::StepFinding sum = veto;
    sum.kind = scheme::StageKind::kSum;
    explanation_.steps = {veto, cap, sum, floor};
    explanation_.sentences = {"No stars."};
  }

  rating::v1::Trace Trace(TraceDetail detail) {
    rating::v1::Trace message;
    Write(explanation_, scheme_, detail, message);
    return message;
  }

  const scheme::Scheme scheme_ = TestScheme();
  evidence::RecordedItem item_;
  rating::Explanation explanation_;
};

TEST_F(TraceWireTest, FullHasWhatPeopleRead) {
  const rating::v1::Trace trace = Trace(TraceDetail::kFull);
  EXPECT_EQ(trace.format(), 1);
  EXPECT_THAT(trace.sentences(), ElementsAre("No stars."));
  ASSERT_THAT(trace.publications(), SizeIs(1));
  EXPECT_EQ(trace.publications(0).title(), "Community Care");

  const rating::v1::Reading& reading = trace.readings(0);
  EXPECT_EQ(reading.value(), "poor");
  EXPECT_EQ(reading.absent(), "");
  EXPECT_EQ(reading.item().revision(), 3);
  EXPECT_EQ(reading.item().item().source_id(), reading.source().id());
  EXPECT_EQ(reading.source().title(), "PAF return, row 14");
  EXPECT_TRUE(reading.source().reconstructed());
  EXPECT_EQ(trace.readings(1).absent(), "NOT_REPORTED");
  EXPECT_TRUE(trace.readings(1).assumed());
  EXPECT_FALSE(trace.readings(1).has_item());
  EXPECT_FALSE(trace.readings(1).has_source());
  EXPECT_EQ(trace.readings(0).from(), "");
  EXPECT_EQ(trace.readings(1).from(), "kind");

  const rating::v1::Step& step = trace.steps(0);
  EXPECT_EQ(step.rule_id(), "v1");
  EXPECT_EQ(step.target(), "stars");
  EXPECT_EQ(step.before(), "2");
  EXPECT_EQ(step.after(), "0");
  EXPECT_TRUE(step.fired() && step.decided() && step.binding());
  EXPECT_EQ(step.basis(), scheme::v1::BASIS_FORCED);
  EXPECT_EQ(step.citations(0).quote(), "fails");
  EXPECT_EQ(step.sentence(), "It fails.");
  EXPECT_EQ(step.tests(0).condition(), "at most poor");
  EXPECT_EQ(step.tests(0).margin(), "1/2");
  EXPECT_TRUE(step.tests(0).held());
}

TEST_F(TraceWireTest, PackedLeavesOutWhatPeopleRead) {
  const rating::v1::Trace trace = Trace(TraceDetail::kPacked);
  EXPECT_THAT(trace.sentences(), IsEmpty());
  EXPECT_THAT(trace.publications(), IsEmpty());
  EXPECT_FALSE(trace.readings(0).has_source());
  EXPECT_EQ(trace.readings(0).item().item().source_id(), "");
  EXPECT_EQ(trace.readings(0).item().revision(), 3);
  EXPECT_EQ(trace.steps(0).sentence(), "");
  EXPECT_THAT(trace.steps(0).citations(), IsEmpty());
  EXPECT_THAT(trace.steps(0).tests(), SizeIs(1));
}

TEST_F(TraceWireTest, CapsVetoesAndFloorsAreToldApart) {
  const rating::v1::Trace trace = Trace(TraceDetail::kPacked);
  EXPECT_EQ(trace.steps(0).kind(), rating::v1::STEP_KIND_VETO);
  EXPECT_EQ(trace.steps(1).kind(), rating::v1::STEP_KIND_CAP);
  EXPECT_EQ(trace.steps(2).kind(), rating::v1::STEP_KIND_SUM);
  EXPECT_EQ(trace.steps(3).kind(), rating::v1::STEP_KIND_FLOOR);
}

}  // namespace
}  // namespace starratings::wire
