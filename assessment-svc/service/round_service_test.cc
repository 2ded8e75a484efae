#include "assessment-svc/service/round_service.h"

#include "assessment-svc/service/ratings_receiver.h"
#include "assessment-svc/service/round_fixture.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RoundServiceTest : public RoundTest {
 protected:
  absl::Status TryCreate(const pb::CreateRoundRequest& request) {
    pb::CreateRoundResponse response;
    return Call(rounds_, &Stub::CreateRound, request, &response);
  }
  absl::Status TryFreeze(const pb::FreezeRoundRequest& request) {
    pb::FreezeRoundResponse response;
    return Call(rounds_, &Stub::FreezeRound, request, &response);
  }
  absl::Status TrySend(const Parts& parts) {
    pb::RecordRatingsResponse response;
    return Send(parts, response);
  }

  // The ids and first levels of a round's dossiers.
  std::vector<std::string> ExportRound(const std::string& round) {
    grpc::ClientContext context;
    pb::ExportDossiersRequest request;
    request.set_round(round);
    const auto reader = evidence_->ExportDossiers(&context, request);
    pb::ExportDossiersResponse block;
    std::vector<std::string> lines;
    while (reader->Read(&block)) {
      EXPECT_EQ(block.total(), 2);
      for (const auto& dossier : block.dossiers()) {
        std::string line = dossier.organisation().id();
        for (const auto& item : dossier.items()) line += " " + item.item().value().level();
        lines.push_back(line);
      }
    }
    EXPECT_TRUE(reader->Finish().ok());
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

// Create --------------------------------------------------------------------

TEST_F(RoundServiceTest, ABadRoundIsRefusedWithAllItsFaults) {
  pb::CreateRoundRequest request;
  request.mutable_selector()->add_kinds("Council!");
  EXPECT_THAT(
      FieldsOf(TryCreate(request)),
      ElementsAre("request_id", "round", "title", "selector.kinds[0]", "period", "date", "scheme"));
  request = ARound("r");
  request.set_period("1066");
  EXPECT_THAT(FieldsOf(TryCreate(request)), ElementsAre("period"));
  request = ARound("r");
  request.set_refreshes("none");
  EXPECT_EQ(ReasonOf(TryCreate(request)), "ROUND_UNKNOWN");
  Create(ARound("open"));
  request.set_refreshes("open");
  EXPECT_EQ(ReasonOf(TryCreate(request)), "ROUND_STATE");
  EXPECT_EQ(ReasonOf(TryCreate(ARound("open"))), "ROUND_EXISTS");
}

TEST_F(RoundServiceTest, ARoundReadsBackAsItWasCreated) {
  const auto created = Create(ARound("r"));
  EXPECT_EQ(created.state(), pb::ROUND_STATE_OPEN);
  EXPECT_EQ(created.scheme().id(), "test");
  EXPECT_EQ(created.scheme().version(), "1");
  EXPECT_EQ(created.selector().kinds(0), "council");
  ASSERT_EQ(created.acts_size(), 1);
  EXPECT_EQ(created.acts(0).write().actor(), "analyst");
  EXPECT_EQ(Get("r").SerializeAsString(), created.SerializeAsString());
}

TEST_F(RoundServiceTest, RoundsAreListedNewestFirst) {
  for (const char* id : {"a", "b", "c"}) Create(ARound(id));
  pb::ListRoundsRequest request;
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    const auto page = Must(rounds_, &Stub::ListRounds, request);
    for (const auto& round : page.rounds()) ids.push_back(round.id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("c", "b", "a"));
}

// Check ---------------------------------------------------------------------

TEST_F(RoundServiceTest, ACheckNamesWhatIsLackingAndWhoHadIt) {
  Create(ARound("r"));
  Submit(OneItem("Leeds", "most"));
  pb::CheckRoundRequest request;
  request.set_round("r");
  auto response = Must(rounds_, &Stub::CheckRound, request);
  EXPECT_EQ(response.organisation_count(), 2);
  ASSERT_EQ(response.gaps_size(), 1);
  EXPECT_EQ(response.gaps(0).organisation(), "Hull");
  EXPECT_EQ(response.gaps(0).gaps(0).code(), "judgement");
  EXPECT_EQ(response.gaps(0).gaps(0).reason(), ev::MISSING_REASON_NOT_REPORTED);
  EXPECT_EQ(response.gaps(0).gaps(0).last_supplied_by(), "");

  auto unreliable = OneItem("Hull", "most");
  unreliable.mutable_items(0)->mutable_item()->mutable_value()->set_missing(
      ev::MISSING_REASON_UNRELIABLE);
  Submit(unreliable);
  request.add_codes("judgement");
  request.add_codes("rate");
  request.set_page_size(1);
  response = Must(rounds_, &Stub::CheckRound, request);
  ASSERT_EQ(response.gaps_size(), 1);
  request.set_page_token(response.next_page_token());
  auto second = Must(rounds_, &Stub::CheckRound, request);
  ASSERT_EQ(second.gaps_size(), 1);
  EXPECT_EQ(second.next_page_token(), "");
  const auto& hull = response.gaps(0).organisation() == "Hull" ? response.gaps(0) : second.gaps(0);
  ASSERT_EQ(hull.gaps_size(), 2);
  EXPECT_EQ(hull.gaps(0).reason(), ev::MISSING_REASON_UNRELIABLE);
  EXPECT_EQ(hull.gaps(0).last_supplied_by(), "analyst");
  EXPECT_EQ(hull.gaps(0).last_supplied_for(), "2001-02");
}

// Freeze --------------------------------------------------------------------

TEST_F(RoundServiceTest, EvidenceAfterTheFreezeDoesNotMeetTheRound) {
  Submit(OneItem("Leeds", "most"));
  const auto open = Create(ARound("r"));
  const auto frozen = Freeze(open);
  EXPECT_EQ(frozen.state(), pb::ROUND_STATE_FROZEN);
  EXPECT_EQ(frozen.organisation_count(), 2);
  EXPECT_EQ(frozen.scheme().digest(), scheme_digest_);
  auto correction = OneItem("Leeds", "no");
  correction.set_reason("late");
  Submit(correction);
  Submit(OneItem("Hull", "yes"));

  EXPECT_THAT(ExportRound("r"), ElementsAre("Hull", "Leeds most"));
  EXPECT_EQ(Get("r").frozen().token(), frozen.frozen().token());
}

TEST_F(RoundServiceTest, AnOpenRoundExportsWhatIsThereNow) {
  Create(ARound("r"));
  Submit(OneItem("Leeds", "most"));
  EXPECT_THAT(ExportRound("r"), ElementsAre("Hull", "Leeds most"));
}

TEST_F(RoundServiceTest, ABadFreezeIsRefused) {
  const auto open = Create(ARound("r"));
  auto request = FreezeOf(open);
  request.set_token("");
  EXPECT_THAT(FieldsOf(TryFreeze(request)), ElementsAre("token"));
  request.set_token(wire::EncodeToken({store_->GetIdentity().store, 1, 99}));
  EXPECT_EQ(ReasonOf(TryFreeze(request)), "TOKEN_FUTURE");
  request = FreezeOf(open);
  request.set_etag("r1");
  EXPECT_EQ(TryFreeze(request).code(), absl::StatusCode::kAborted);
  // At revision 0 nothing is registered.
  request = FreezeOf(open);
  request.set_token(wire::EncodeToken({store_->GetIdentity().store, 1, 0}));
  EXPECT_EQ(ReasonOf(TryFreeze(request)), "PERIOD_UNKNOWN");

  auto nobody = ARound("nobody");
  nobody.mutable_selector()->set_kinds(0, "hospital");
  EXPECT_EQ(ReasonOf(TryFreeze(FreezeOf(Create(nobody)))), "NOBODY_CHOSEN");
  auto unknown = ARound("unknown");
  unknown.mutable_selector()->add_organisations("Leedz");
  EXPECT_EQ(ReasonOf(TryFreeze(FreezeOf(Create(unknown)))), "ORGANISATIONS_UNKNOWN");
  auto late = ARound("late");
  late.set_date("2003-01-01");
  EXPECT_EQ(ReasonOf(TryFreeze(FreezeOf(Create(late)))), "NO_SCHEME_IN_FORCE");
  auto unheard = ARound("unheard");
  unheard.set_scheme("test@2");
  EXPECT_EQ(ReasonOf(TryFreeze(FreezeOf(Create(unheard)))), "SCHEME_UNKNOWN");
  pb::RegisterSchemeRequest scheme;
  scheme.set_request_id(NewId());
  scheme.set_text(R"(id: "other" version: "1" title: "O" in_force { from: "2002-01-01" })");
  Must(register_, &pb::RegisterService::Stub::RegisterScheme, scheme);
  auto alone = ARound("alone");
  alone.set_scheme("other@1");
  const absl::Status refused = TryFreeze(FreezeOf(Create(alone)));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "SCHEME_NOT_APPROVED");
}

TEST_F(RoundServiceTest, ARetriedActReturnsItsFirstAnswer) {
  const auto create = ARound("r");
  const auto open = Create(create);
  actor_ = "freezer";
  const auto freeze = FreezeOf(open);
  const auto frozen = Must(rounds_, &Stub::FreezeRound, freeze);
  const int64_t head = Head();

  EXPECT_EQ(Must(rounds_, &Stub::FreezeRound, freeze).SerializeAsString(),
            frozen.SerializeAsString());
  actor_ = "analyst";
  EXPECT_EQ(Create(create).SerializeAsString(), open.SerializeAsString());
  EXPECT_EQ(Head(), head);
  // Not a retry: the round is frozen by now.
  EXPECT_EQ(ReasonOf(TryFreeze(FreezeOf(frozen.round()))), "ROUND_STATE");
}

// Record --------------------------------------------------------------------

TEST_F(RoundServiceTest, RecordedRatingsAreNotVisible) {
  const auto rated = Record(Freeze(Create(ARound("r"))), Ratings());
  EXPECT_EQ(rated.state(), pb::ROUND_STATE_RATED);
  EXPECT_EQ(rated.round_digest(), DigestOf(Ratings()));
  EXPECT_EQ(rated.acts(2).write().actor(), "rating-svc");
  EXPECT_EQ(rated.acts(2).write().on_behalf_of(), "freezer");

  std::vector<absl::Status> answers;
  for (const char* id : {"r", "unheard"}) {
    pb::GetPublishedRatingRequest one;
    one.set_organisation("Leeds");
    one.set_round(id);
    pb::GetPublishedRatingResponse one_response;
    answers.push_back(Call(rounds_, &Stub::GetPublishedRating, one, &one_response));
    pb::ListPublishedRatingsRequest all;
    all.set_round(id);
    pb::ListPublishedRatingsResponse all_response;
    answers.push_back(Call(rounds_, &Stub::ListPublishedRatings, all, &all_response));
    pb::ListSpecialMeasuresRequest list;
    list.set_round(id);
    pb::ListSpecialMeasuresResponse list_response;
    answers.push_back(Call(rounds_, &Stub::ListSpecialMeasures, list, &list_response));
  }
  for (const absl::Status& answer : answers) {
    EXPECT_EQ(answer.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ReasonOf(answer), "ROUND_NOT_PUBLISHED");
  }
  pb::GetPublishedRatingRequest latest;
  latest.set_organisation("Leeds");
  pb::GetPublishedRatingResponse response;
  EXPECT_EQ(ReasonOf(Call(rounds_, &Stub::GetPublishedRating, latest, &response)),
            "RATING_NOT_FOUND");
}

TEST_F(RoundServiceTest, RatingsMustBeWhatTheyAreSaidToBe) {
  const auto frozen = Freeze(Create(ARound("r")));
  Parts fewer = RecordOf(frozen, {Ratings()[0]});
  EXPECT_EQ(ReasonOf(TrySend(fewer)), "COUNT_MISMATCH");
  Parts lost = RecordOf(frozen, Ratings());
  lost.erase(lost.begin() + 2);
  EXPECT_EQ(ReasonOf(TrySend(lost)), "COUNT_MISMATCH");
  Parts other = RecordOf(frozen, Ratings());
  other.back().mutable_commit()->set_round_digest(std::string(64, '0'));
  const absl::Status mismatch = TrySend(other);
  EXPECT_EQ(mismatch.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(mismatch), "ROUND_DIGEST_MISMATCH");
  // Closed did not exist on the round's day.
  const auto wrong = InOrder({Ratings()[0], ARating("Closed", rt::MOVE_NONE, "off")});
  EXPECT_EQ(ReasonOf(TrySend(RecordOf(frozen, wrong))), "RATINGS_MISMATCH");
  EXPECT_EQ(Get("r").state(), pb::ROUND_STATE_FROZEN);
}

TEST_F(RoundServiceTest, PartsComeInOrder) {
  const auto frozen = Freeze(Create(ARound("r")));
  const Parts good = RecordOf(frozen, Ratings());
  EXPECT_THAT(FieldsOf(TrySend({good[1]})), ElementsAre("part"));
  EXPECT_THAT(FieldsOf(TrySend({good.back()})), ElementsAre("part"));
  EXPECT_THAT(FieldsOf(TrySend({good[0], good[0]})), ElementsAre("part"));
  EXPECT_THAT(FieldsOf(TrySend({good[0], good[1]})), ElementsAre("part"));
  EXPECT_THAT(FieldsOf(TrySend({good[0], good[1], good[1]})),
              ElementsAre("chunk.number", "chunk.ratings[0].organisation"));
  Parts foreign = good;
  foreign[1].mutable_chunk()->mutable_ratings(0)->set_period("1066");
  foreign[1].mutable_chunk()->mutable_ratings(0)->mutable_scheme()->set_digest("");
  foreign[1].mutable_chunk()->mutable_ratings(0)->set_digest("x");
  EXPECT_THAT(FieldsOf(TrySend(foreign)),
              ElementsAre("chunk.ratings[0].digest", "chunk.ratings[0].period",
                          "chunk.ratings[0].scheme.digest"));
}

TEST_F(RoundServiceTest, ARetriedRecordingReturnsItsFirstAnswer) {
  const auto frozen = Freeze(Create(ARound("r")));
  const Parts parts = RecordOf(frozen, Ratings());
  pb::RecordRatingsResponse first;
  ASSERT_TRUE(Send(parts, first).ok());
  const int64_t head = Head();
  pb::RecordRatingsResponse again;
  const absl::Status status = Send(parts, again);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(Head(), head);

  // Nor can the retry put other ratings into the place of those recorded.
  Parts forged = parts;
  forged[1].mutable_chunk()->mutable_ratings(0)->clear_decisions();
  EXPECT_TRUE(Send(forged, again).ok());
  EXPECT_EQ(Publish(first.round()).state(), pb::ROUND_STATE_PUBLISHED);
  pb::ListPublishedRatingsRequest request;
  request.set_round("r");
  EXPECT_EQ(Must(rounds_, &Stub::ListPublishedRatings, request).ratings(0).decisions_size(), 1);
  // Another attempt comes too late.
  EXPECT_EQ(ReasonOf(TrySend(RecordOf(Get("r"), Ratings()))), "ROUND_STATE");
}

TEST_F(RoundServiceTest, AnAttemptIsRecordedByOneCallAtATime) {
  const auto frozen = Freeze(Create(ARound("r")));
  const Parts parts = RecordOf(frozen, Ratings());
  Attempts::Claim other =
      attempts_.Take("r", AttemptName("rating-svc", parts[0].begin().request_id()));
  const absl::Status busy = TrySend(parts);
  EXPECT_EQ(busy.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(busy), "ATTEMPT_BUSY");
  other.reset();
  EXPECT_TRUE(TrySend(parts).ok());
}

TEST_F(RoundServiceTest, AnAttemptCutShortIsBegunAgain) {
  const auto frozen = Freeze(Create(ARound("r")));
  const Parts parts = RecordOf(frozen, Ratings());
  EXPECT_THAT(FieldsOf(TrySend({parts[0], parts[1]})), ElementsAre("part"));
  EXPECT_TRUE(TrySend(parts).ok());
}

// Withdraw ------------------------------------------------------------------

TEST_F(RoundServiceTest, AnOpenRoundIsCalledOffWithAReason) {
  const auto open = Create(ARound("r"));
  auto request = WithdrawOf(open);
  request.set_reason("");
  pb::WithdrawRoundResponse response;
  EXPECT_THAT(FieldsOf(Call(rounds_, &Stub::WithdrawRound, request, &response)),
              ElementsAre("reason"));
  const auto withdrawn = Must(rounds_, &Stub::WithdrawRound, WithdrawOf(open)).round();
  EXPECT_EQ(withdrawn.state(), pb::ROUND_STATE_WITHDRAWN);
  EXPECT_EQ(withdrawn.acts(1).write().reason(), "the evidence was of another year");
  EXPECT_EQ(ReasonOf(Call(rounds_, &Stub::WithdrawRound, WithdrawOf(withdrawn), &response)),
            "ROUND_STATE");
}

TEST_F(RoundServiceTest, ARoundNobodyCreatedIsNotFound) {
  pb::GetRoundRequest request;
  pb::GetRoundResponse response;
  request.set_round("none");
  EXPECT_EQ(ReasonOf(Call(rounds_, &Stub::GetRound, request, &response)), "ROUND_UNKNOWN");
}

// A caller may say nothing for 200 ms.
class ImpatientRecordingTest : public RoundTest {
 protected:
  ImpatientRecordingTest()
      : RoundTest(absl::ZeroDuration(), {absl::Seconds(60), absl::Milliseconds(200)}) {}
};

TEST_F(ImpatientRecordingTest, ARecordingThatDoesNotGoOnIsEndedAndMayBeginAgain) {
  const pb::Round round = Freeze(Create(ARound("may")));
  const Parts parts = RecordOf(round, Ratings());
  for (const size_t said : {0u, 1u, 2u}) {
    grpc::ClientContext context;
    context.AddMetadata("starratings-actor", "rating-svc");
    pb::RecordRatingsResponse response;
    const auto writer = rounds_->RecordRatings(&context, &response);
    for (size_t i = 0; i < said; ++i) ASSERT_TRUE(writer->Write(parts[i]));
    const absl::Status end = serving::FromGrpcStatus(writer->Finish());
    EXPECT_EQ(end.code(), absl::StatusCode::kAborted) << end;
    EXPECT_EQ(ReasonOf(end), "STREAM_IDLE");
  }
  pb::RecordRatingsResponse response;
  EXPECT_TRUE(Send(parts, response).ok());
}

}  // namespace
}  // namespace starratings::service
