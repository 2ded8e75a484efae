// Every read names how fresh it must be, and says what it was read at.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/round_fixture.h"
#include "assessment-svc/service/snapshots.h"
#include "common/wire/token.h"
#include "google/protobuf/descriptor.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

constexpr absl::Time kForever = absl::InfiniteFuture();

// One rpc that reads; answers with the snapshot of its reply.
struct Read {
  std::string rpc;
  std::string field;  // Of the request, that says how fresh.
  std::function<absl::StatusOr<ev::Snapshot>(const ev::Freshness&)> ask;
};

class FreshnessTest : public RoundTest {
 protected:
  using Evidence = pb::EvidenceService::Stub;
  using Register = pb::RegisterService::Stub;

  // A record in which each read finds something: evidence, a published round
  // and an open one. What the service learns of the head is `age` old.
  explicit FreshnessTest(absl::Duration age = absl::ZeroDuration()) : RoundTest(age) {
    before_ = Head();
    Submit(OneItem("Leeds", "most"));
    Publish(Record(Freeze(Create(ARound("may"))), Ratings()));
    Create(ARound("open"));
    reads_ = Reads();
  }

  template <typename Stub, typename Request, typename Response>
  Read Unary(const std::string& rpc, const std::unique_ptr<Stub>& stub,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             Request request) {
    return {rpc, "freshness",
            [=, this, &stub](const ev::Freshness& freshness) -> absl::StatusOr<ev::Snapshot> {
              Request fresh = request;
              *fresh.mutable_freshness() = freshness;
              Response response;
              RETURN_IF_ERROR(Call(stub, method, fresh, &response));
              return response.snapshot();
            }};
  }

  absl::StatusOr<ev::Snapshot> Export(const pb::ExportDossiersRequest& request) {
    grpc::ClientContext context;
    const auto reader = evidence_->ExportDossiers(&context, request);
    pb::ExportDossiersResponse block;
    ev::Snapshot snapshot;
    while (reader->Read(&block)) snapshot = block.snapshot();
    RETURN_IF_ERROR(serving::FromGrpcStatus(reader->Finish()));
    return snapshot;
  }

  std::vector<Read> Reads() {
    std::vector<Read> reads;
    pb::GetEvidenceRequest item;
    item.mutable_key()->set_organisation("Leeds");
    item.mutable_key()->set_period("2001-02");
    item.mutable_key()->set_code("judgement");
    pb::ListEvidenceRevisionsRequest history;
    *history.mutable_key() = item.key();
    pb::GetDossierRequest dossier;
    dossier.set_organisation("Leeds");
    dossier.set_period("2001-02");
    reads.push_back(Unary("GetEvidence", evidence_, &Evidence::GetEvidence, item));
    reads.push_back(
        Unary("ListEvidence", evidence_, &Evidence::ListEvidence, pb::ListEvidenceRequest()));
    reads.push_back(
        Unary("ListEvidenceRevisions", evidence_, &Evidence::ListEvidenceRevisions, history));
    reads.push_back(Unary("GetDossier", evidence_, &Evidence::GetDossier, dossier));
    reads.push_back({"ExportDossiers", "selection.freshness", [this](const ev::Freshness& fresh) {
                       pb::ExportDossiersRequest request;
                       request.mutable_selection()->set_period("2001-02");
                       *request.mutable_selection()->mutable_freshness() = fresh;
                       return Export(request);
                     }});
    reads.push_back({"ExportDossiers", "freshness", [this](const ev::Freshness& fresh) {
                       pb::ExportDossiersRequest request;
                       request.set_round("open");
                       *request.mutable_freshness() = fresh;
                       return Export(request);
                     }});

    pb::GetSchemeTextRequest scheme;
    scheme.set_scheme("test@1");
    reads.push_back(Unary("ListOrganisations", register_, &Register::ListOrganisations,
                          pb::ListOrganisationsRequest()));
    reads.push_back(
        Unary("ListPeriods", register_, &Register::ListPeriods, pb::ListPeriodsRequest()));
    reads.push_back(Unary("ListCodes", register_, &Register::ListCodes, pb::ListCodesRequest()));
    reads.push_back(Unary("GetSchemeText", register_, &Register::GetSchemeText, scheme));

    pb::GetRoundRequest round;
    round.set_round("may");
    pb::CheckRoundRequest check;
    check.set_round("open");
    pb::GetPublishedRatingRequest rating;
    rating.set_organisation("Leeds");
    pb::ListPublishedRatingsRequest ratings;
    ratings.set_round("may");
    pb::ListSpecialMeasuresRequest measures;
    measures.set_round("may");
    reads.push_back(Unary("GetRound", rounds_, &Stub::GetRound, round));
    reads.push_back(Unary("ListRounds", rounds_, &Stub::ListRounds, pb::ListRoundsRequest()));
    reads.push_back(Unary("CheckRound", rounds_, &Stub::CheckRound, check));
    reads.push_back(Unary("GetPublishedRating", rounds_, &Stub::GetPublishedRating, rating));
    rating.set_round("may");
    reads.push_back(Unary("GetPublishedRating", rounds_, &Stub::GetPublishedRating, rating));
    reads.push_back(Unary("ListPublishedRatings", rounds_, &Stub::ListPublishedRatings, ratings));
    reads.push_back(Unary("ListSpecialMeasures", rounds_, &Stub::ListSpecialMeasures, measures));
    return reads;
  }

  // Another process writes to the same record; returns the revision.
  int64_t WrittenElsewhere() {
    store::Write write;
    write.actor = "elsewhere";
    write.request_id = NewId();
    evidence::Organisation organisation;
    organisation.id = absl::StrCat("New ", write.request_id);
    organisation.name = "Newly registered";
    organisation.kind = "school";
    write.body = store::Registration{{organisation}, {}, {}};
    const auto written = store_->behind().CommitGroup(std::span(&write, 1), kForever);
    return written->front()->revision;
  }

  int64_t Known() { return store_->GetKnownHead().revision; }
  int HeadAsked() { return store_->Asked("Head"); }

  std::string Token(int64_t revision) {
    return wire::EncodeToken({store_->GetIdentity().store, 1, revision});
  }
  static ev::Freshness Latest() {
    ev::Freshness freshness;
    freshness.mutable_latest();
    return freshness;
  }
  static ev::Freshness AtLeast(const std::string& token) {
    ev::Freshness freshness;
    freshness.set_at_least(token);
    return freshness;
  }
  static ev::Freshness Exactly(const std::string& token) {
    ev::Freshness freshness;
    freshness.set_exactly(token);
    return freshness;
  }
  static ev::Freshness MinimizeLatency() {
    ev::Freshness freshness;
    freshness.mutable_minimize_latency();
    return freshness;
  }

  // The revision that `read` was answered at, which must have a token to match.
  int64_t RevisionAt(const Read& read, const ev::Freshness& freshness) {
    const absl::StatusOr<ev::Snapshot> snapshot = read.ask(freshness);
    if (!snapshot.ok()) {
      ADD_FAILURE() << read.rpc << ": " << snapshot.status();
      return -1;
    }
    EXPECT_EQ(snapshot->token(), Token(snapshot->revision())) << read.rpc;
    return snapshot->revision();
  }

  int64_t before_ = 0;  // Before there was any evidence, and any round.
  std::vector<Read> reads_;
};

TEST_F(FreshnessTest, EveryReadIsLookedAtHere) {
  std::set<std::string> looked_at, there;
  for (const Read& read : reads_) looked_at.insert(read.rpc);
  for (const char* name :
       {pb::EvidenceService::service_full_name(), pb::RegisterService::service_full_name(),
        pb::RoundService::service_full_name()}) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      for (const char* reads : {"Get", "List", "Check", "Export"}) {
        if (!absl::StartsWith(method.name(), reads)) continue;
        there.insert(method.name());
        const auto* freshness = method.input_type()->FindFieldByName("freshness");
        ASSERT_NE(freshness, nullptr) << method.name();
        EXPECT_EQ(freshness->message_type(), ev::Freshness::descriptor()) << method.name();
        EXPECT_NE(method.output_type()->FindFieldByName("snapshot"), nullptr) << method.name();
      }
    }
  }
  EXPECT_THAT(looked_at, UnorderedElementsAreArray(there));
}

TEST_F(FreshnessTest, LatestSeesWhatAnotherProcessWroteAndIsTheDefault) {
  for (const Read& read : reads_) {
    for (const ev::Freshness& freshness : {ev::Freshness(), Latest()}) {
      const int64_t written = WrittenElsewhere();
      EXPECT_EQ(RevisionAt(read, freshness), written) << read.rpc;
    }
  }
}

TEST_F(FreshnessTest, MinimizeLatencyAnswersFromWhatIsKnownAndAsksNobody) {
  for (const Read& read : reads_) {
    Head();  // Known, as of now.
    const int64_t known = Known();
    EXPECT_GT(WrittenElsewhere(), known);
    const int asked = HeadAsked();
    EXPECT_EQ(RevisionAt(read, MinimizeLatency()), known) << read.rpc;
    EXPECT_EQ(HeadAsked(), asked) << read.rpc;
  }
}

TEST_F(FreshnessTest, AtLeastAsksOnlyForWhatIsNotKnown) {
  for (const Read& read : reads_) {
    Head();
    const int64_t known = Known();
    const int64_t written = WrittenElsewhere();
    const int asked = HeadAsked();
    EXPECT_EQ(RevisionAt(read, AtLeast(Token(known))), known) << read.rpc;
    EXPECT_EQ(RevisionAt(read, AtLeast(Token(before_))), known) << read.rpc;
    EXPECT_EQ(HeadAsked(), asked) << read.rpc;
    EXPECT_EQ(RevisionAt(read, AtLeast(Token(written))), written) << read.rpc;
    EXPECT_GT(HeadAsked(), asked) << read.rpc;
  }
}

TEST_F(FreshnessTest, ExactlyIsThatRevisionWhateverCameSince) {
  const int64_t then = Head();
  for (const Read& read : reads_) {
    WrittenElsewhere();
    Head();
    const int asked = HeadAsked();
    EXPECT_EQ(RevisionAt(read, Exactly(Token(then))), then) << read.rpc;
    EXPECT_EQ(HeadAsked(), asked) << read.rpc;
  }
}

TEST_F(FreshnessTest, ATokenThatIsNoneOfOursIsRefusedByEveryRead) {
  const std::string store = store_->GetIdentity().store;
  const int64_t future = Head() + 1;
  const struct {
    std::string token;
    absl::StatusCode code;
    std::string reason;
  } cases[] = {
      {"nonsense", absl::StatusCode::kInvalidArgument, "TOKEN_MALFORMED"},
      {wire::EncodeToken({"another", 1, 1}), absl::StatusCode::kInvalidArgument, "TOKEN_FOREIGN"},
      {wire::EncodeToken({store, 7, 1}), absl::StatusCode::kFailedPrecondition, "STORE_RESTORED"},
      {wire::EncodeToken({store, 1, future}), absl::StatusCode::kFailedPrecondition,
       "TOKEN_FUTURE"},
  };
  for (const Read& read : reads_) {
    for (const auto& c : cases) {
      for (const bool exactly : {true, false}) {
        const absl::Status refused =
            read.ask(exactly ? Exactly(c.token) : AtLeast(c.token)).status();
        EXPECT_EQ(refused.code(), c.code) << read.rpc << ": " << refused;
        EXPECT_EQ(ReasonOf(refused), c.reason) << read.rpc;
        EXPECT_THAT(FieldsOf(refused),
                    ElementsAre(read.field + (exactly ? ".exactly" : ".at_least")))
            << read.rpc;
      }
    }
  }
}

TEST_F(FreshnessTest, WhatCameLaterIsNotThere) {
  // Before the evidence and the rounds; the register was there.
  const std::set<std::string> found = {
      "ListEvidence",      "ListEvidenceRevisions", "GetDossier",    "ListRounds",
      "ListOrganisations", "ListPeriods",           "GetSchemeText", "ListCodes"};
  for (const Read& read : reads_) {
    const auto snapshot = read.ask(Exactly(Token(before_)));
    if (found.contains(read.rpc) || read.field == "selection.freshness") {
      EXPECT_TRUE(snapshot.ok()) << read.rpc << ": " << snapshot.status();
    } else {
      EXPECT_EQ(snapshot.status().code(), absl::StatusCode::kNotFound) << read.rpc;
    }
  }
  pb::ListEvidenceRevisionsRequest history;
  history.mutable_key()->set_organisation("Leeds");
  history.mutable_key()->set_period("2001-02");
  history.mutable_key()->set_code("judgement");
  *history.mutable_freshness() = Exactly(Token(before_));
  EXPECT_EQ(Must(evidence_, &Evidence::ListEvidenceRevisions, history).items_size(), 0);
  pb::ListRoundsRequest rounds;
  *rounds.mutable_freshness() = Exactly(Token(before_));
  EXPECT_EQ(Must(rounds_, &Stub::ListRounds, rounds).rounds_size(), 0);
  pb::GetSchemeTextRequest scheme;
  scheme.set_scheme("test@1");
  *scheme.mutable_freshness() = Exactly(Token(before_ - 2));  // It and its approval came last.
  pb::GetSchemeTextResponse text;
  EXPECT_EQ(ReasonOf(Call(register_, &Register::GetSchemeText, scheme, &text)), "SCHEME_UNKNOWN");
}

TEST_F(FreshnessTest, ARoundIsReadAsItWas) {
  pb::GetRoundRequest request;
  request.set_round("may");
  std::vector<pb::RoundState> states;
  for (int64_t revision = before_ + 2; revision <= before_ + 5; ++revision) {
    *request.mutable_freshness() = Exactly(Token(revision));
    states.push_back(Must(rounds_, &Stub::GetRound, request).round().state());
  }
  EXPECT_THAT(states, ElementsAre(pb::ROUND_STATE_OPEN, pb::ROUND_STATE_FROZEN,
                                  pb::ROUND_STATE_RATED, pb::ROUND_STATE_PUBLISHED));
}

TEST_F(FreshnessTest, PagesOfAListAreOfOneRevision) {
  pb::ListRoundsRequest rounds;
  rounds.set_page_size(1);
  const auto first = Must(rounds_, &Stub::ListRounds, rounds);
  ASSERT_EQ(first.rounds(0).id(), "open");
  Create(ARound("later"));
  pb::WithdrawRoundRequest withdrawal = WithdrawOf(Get("may"));
  Must(rounds_, &Stub::WithdrawRound, withdrawal);
  rounds.set_page_token(first.next_page_token());
  const auto second = Must(rounds_, &Stub::ListRounds, rounds);
  ASSERT_EQ(second.rounds_size(), 1);
  EXPECT_EQ(second.rounds(0).id(), "may");
  EXPECT_EQ(second.rounds(0).state(), pb::ROUND_STATE_PUBLISHED);
  EXPECT_EQ(second.next_page_token(), "");
  EXPECT_EQ(second.snapshot().token(), first.snapshot().token());

  pb::SubmitEvidenceRequest correction = OneItem("Leeds", "no");
  correction.set_reason("reviewed");
  Submit(correction);
  pb::ListEvidenceRevisionsRequest history;
  history.mutable_key()->set_organisation("Leeds");
  history.mutable_key()->set_period("2001-02");
  history.mutable_key()->set_code("judgement");
  history.set_page_size(1);
  const auto newest = Must(evidence_, &Evidence::ListEvidenceRevisions, history);
  history.set_page_token(newest.next_page_token());
  const auto oldest = Must(evidence_, &Evidence::ListEvidenceRevisions, history);
  EXPECT_EQ(newest.items(0).item().value().level(), "no");
  EXPECT_EQ(oldest.items(0).item().value().level(), "most");
  EXPECT_EQ(oldest.snapshot().token(), newest.snapshot().token());
}

TEST_F(FreshnessTest, APageTokenOfARevisionThatIsNotThereIsRefused) {
  pb::ListRoundsRequest request;
  for (const int64_t revision : {Head() + 1, int64_t{-1}}) {
    request.set_page_token(
        EncodePage({revision, CursorOf(revision)}, request, store_->GetIdentity()));
    pb::ListRoundsResponse response;
    EXPECT_EQ(ReasonOf(Call(rounds_, &Stub::ListRounds, request, &response)),
              "PAGE_TOKEN_MALFORMED");
    request.clear_page_token();
  }
}

TEST_F(FreshnessTest, AnExportOfASelectionHasOneFreshness) {
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  *request.mutable_freshness() = Latest();
  EXPECT_THAT(FieldsOf(Export(request).status()), ElementsAre("freshness"));
}

// What is known of the head grows old after five seconds.
class YoungTest : public FreshnessTest {
 protected:
  YoungTest() : FreshnessTest(kAgeMost - absl::Seconds(2)) {}
};
class OldTest : public FreshnessTest {
 protected:
  OldTest() : FreshnessTest(kAgeMost + absl::Milliseconds(1)) {}
};

TEST_F(YoungTest, ThreeSecondsAreYoungEnough) {
  for (const Read& read : reads_) {
    Head();
    const int64_t known = Known();
    WrittenElsewhere();
    EXPECT_EQ(RevisionAt(read, MinimizeLatency()), known) << read.rpc;
    EXPECT_EQ(RevisionAt(read, AtLeast(Token(before_))), known) << read.rpc;
  }
}

TEST_F(OldTest, WhatWasTheHeadOverFiveSecondsAgoIsAskedForAgain) {
  for (const Read& read : reads_) {
    for (const ev::Freshness& freshness : {MinimizeLatency(), AtLeast(Token(before_))}) {
      const int64_t written = WrittenElsewhere();
      EXPECT_EQ(RevisionAt(read, freshness), written) << read.rpc;
    }
  }
}

}  // namespace
}  // namespace starratings::service
