// Publishing, and what readers see from then on.
#include "assessment-svc/service/publication.h"

#include "assessment-svc/service/round_fixture.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PublicationTest : public RoundTest {
 protected:
  pb::Round Rated(const std::string& id, const std::string& refreshes = "") {
    auto request = ARound(id);
    request.set_refreshes(refreshes);
    return Record(Freeze(Create(request)), Ratings());
  }

  ev::RecordedItem State(const std::string& organisation) {
    pb::GetEvidenceRequest request;
    request.mutable_key()->set_organisation(organisation);
    request.mutable_key()->set_period("standing");
    request.mutable_key()->set_code("special_measures.list_state");
    pb::GetEvidenceResponse response;
    static_cast<void>(Call(evidence_, &pb::EvidenceService::Stub::GetEvidence, request, &response));
    return response.item();
  }

  pb::GetPublishedRatingResponse Latest(const std::string& organisation) {
    pb::GetPublishedRatingRequest request;
    request.set_organisation(organisation);
    return Must(rounds_, &Stub::GetPublishedRating, request);
  }

  double Moves(const std::string& move) {
    for (const auto& family : registry_.Collect()) {
      if (family.name != "assessment_special_measures_moves_total") continue;
      for (const auto& metric : family.metric) {
        if (metric.label.at(0).value == move) return metric.counter.value;
      }
    }
    return -1;
  }
};

TEST_F(PublicationTest, WhoFrozeMayNotPublish) {
  const auto rated = Rated("r");
  actor_ = "freezer";
  const absl::Status status = TryPublish(PublishOf(rated));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(status), "FOUR_EYES");
  EXPECT_EQ(Get("r").state(), pb::ROUND_STATE_RATED);
}

TEST_F(PublicationTest, NeedsStateEtagAndDigest) {
  const auto frozen = Freeze(Create(ARound("frozen")));
  actor_ = "publisher";
  auto request = PublishOf(frozen);
  request.set_round_digest(std::string(64, 'a'));
  EXPECT_EQ(ReasonOf(TryPublish(request)), "ROUND_STATE");

  const auto rated = Rated("r");
  actor_ = "publisher";
  request = PublishOf(rated);
  request.set_etag(frozen.etag());
  const absl::Status aborted = TryPublish(request);
  EXPECT_EQ(aborted.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status::DetailOf(aborted).metadata.at("etag"), rated.etag());
  request = PublishOf(rated);
  request.set_round_digest(std::string(64, 'a'));
  EXPECT_EQ(ReasonOf(TryPublish(request)), "ROUND_DIGEST_CHANGED");
}

TEST_F(PublicationTest, ListStatesBecomeEvidenceOfTheSameRevision) {
  const auto published = Publish(Rated("r"));
  EXPECT_EQ(published.state(), pb::ROUND_STATE_PUBLISHED);
  const ev::RecordedItem leeds = State("Leeds");
  EXPECT_EQ(leeds.item().value().level(), "on");
  EXPECT_EQ(leeds.revision(), published.acts(3).write().revision());
  EXPECT_EQ(leeds.actor(), "publisher");
  // Hull was off the list and stays off: nothing is said.
  EXPECT_EQ(State("Hull").revision(), 0);
  EXPECT_EQ(Moves("entered"), 1);
  EXPECT_EQ(Moves("left"), 0);
}

TEST_F(PublicationTest, AListStateMustBeRegistered) {
  const auto frozen = Freeze(Create(ARound("r")));
  const auto rated = Record(frozen, InOrder({ARating("Leeds", rt::MOVE_ENTERED, "watched"),
                                             ARating("Hull", rt::MOVE_UNKNOWN, "")}));
  actor_ = "publisher";
  const absl::Status status = TryPublish(PublishOf(rated));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "LIST_STATE_UNREGISTERED");
  ASSERT_EQ(status::DetailOf(status).preconditions.size(), 1u);
  EXPECT_THAT(status::DetailOf(status).preconditions[0].subject, testing::HasSubstr("watched"));
}

TEST_F(PublicationTest, ReadersSeeRatingsAndMoves) {
  Publish(Rated("r"));
  EXPECT_EQ(Latest("Leeds").rating().name(), "The Leeds");
  EXPECT_EQ(Latest("Leeds").round().id(), "r");

  pb::ListPublishedRatingsRequest all;
  all.set_round("r");
  all.set_page_size(1);
  std::vector<std::string> ids;
  do {
    const auto page = Must(rounds_, &Stub::ListPublishedRatings, all);
    for (const auto& rating : page.ratings()) ids.push_back(rating.organisation());
    all.set_page_token(page.next_page_token());
  } while (!all.page_token().empty());
  EXPECT_THAT(ids, ElementsAre(Ratings()[0].organisation(), Ratings()[1].organisation()));

  pb::ListSpecialMeasuresRequest list;
  list.set_round("r");
  const auto entries = Must(rounds_, &Stub::ListSpecialMeasures, list);
  ASSERT_EQ(entries.entries_size(), 1);
  EXPECT_EQ(entries.entries(0).organisation(), "Leeds");
  EXPECT_EQ(entries.entries(0).decision().move(), rt::MOVE_ENTERED);
}

TEST_F(PublicationTest, ARetryReturnsTheFirstAnswerAndCountsNothing) {
  const auto rated = Rated("r");
  actor_ = "publisher";
  const auto request = PublishOf(rated);
  const auto first = Must(rounds_, &Stub::PublishRound, request);
  const auto withdrawn = Must(rounds_, &Stub::WithdrawRound, WithdrawOf(first.round())).round();
  EXPECT_EQ(withdrawn.state(), pb::ROUND_STATE_WITHDRAWN);
  EXPECT_EQ(Must(rounds_, &Stub::PublishRound, request).SerializeAsString(),
            first.SerializeAsString());
  EXPECT_EQ(Moves("entered"), 1);
}

TEST_F(PublicationTest, ARefreshSupersedesTheRoundItRefreshes) {
  const auto first = Publish(Rated("first"));
  const auto refresh = Rated("refresh", "first");
  const auto rival = Rated("rival", "first");
  const auto published = Publish(refresh);
  const auto superseded = Get("first");
  EXPECT_EQ(superseded.state(), pb::ROUND_STATE_SUPERSEDED);
  EXPECT_EQ(superseded.superseded_by(), "refresh");
  EXPECT_EQ(superseded.acts(4).write().revision(), published.acts(3).write().revision());
  EXPECT_EQ(Latest("Leeds").round().id(), "refresh");
  // Another refresh of the same round has come too late.
  actor_ = "publisher";
  EXPECT_EQ(ReasonOf(TryPublish(PublishOf(rival))), "ROUND_STATE");

  // Once the refresh is called off, what it superseded counts again; both can
  // still be read by name.
  Must(rounds_, &Stub::WithdrawRound, WithdrawOf(published));
  EXPECT_EQ(Latest("Leeds").round().id(), "first");
  pb::GetPublishedRatingRequest request;
  request.set_organisation("Leeds");
  request.set_round("refresh");
  EXPECT_EQ(Must(rounds_, &Stub::GetPublishedRating, request).round().state(),
            pb::ROUND_STATE_WITHDRAWN);
}

TEST_F(PublicationTest, ARoundWithdrawnBeforeItWasPublishedStaysHidden) {
  const auto rated = Rated("r");
  Must(rounds_, &Stub::WithdrawRound, WithdrawOf(rated));
  pb::ListPublishedRatingsRequest request;
  pb::ListPublishedRatingsResponse response;
  request.set_round("r");
  EXPECT_EQ(ReasonOf(Call(rounds_, &Stub::ListPublishedRatings, request, &response)),
            "ROUND_NOT_PUBLISHED");
}

}  // namespace
}  // namespace starratings::service
