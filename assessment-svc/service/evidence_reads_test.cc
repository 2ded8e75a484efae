#include "assessment-svc/service/evidence_reads.h"

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/evidence_fixture.h"
#include "common/wire/token.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using EvidenceReadsTest = EvidenceTest;

TEST_F(EvidenceReadsTest, AnEarlierRevisionNeverChanges) {
  const auto first = Submit(OneItem("Leeds", "most"));
  pb::GetEvidenceRequest then = Key("Leeds");
  then.mutable_freshness()->set_exactly(first.snapshot().token());
  const auto before = Must(evidence_, &pb::EvidenceService::Stub::GetEvidence, then);
  pb::SubmitEvidenceRequest correction = OneItem("Leeds", "no");
  correction.set_reason("typing error");
  Submit(correction);

  const auto after = Must(evidence_, &pb::EvidenceService::Stub::GetEvidence, then);

  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(LevelNow("Leeds"), "no");
}

TEST_F(EvidenceReadsTest, ATokenThatIsNoneOfOursIsRefused) {
  const struct {
    std::string token;
    absl::StatusCode code;
    std::string reason;
  } cases[] = {
      {"nonsense", absl::StatusCode::kInvalidArgument, "TOKEN_MALFORMED"},
      {wire::EncodeToken({"another", 1, 1}), absl::StatusCode::kInvalidArgument, "TOKEN_FOREIGN"},
      {wire::EncodeToken({store_->GetIdentity().store, 7, 1}),
       absl::StatusCode::kFailedPrecondition, "STORE_RESTORED"},
      {wire::EncodeToken({store_->GetIdentity().store, 1, 99}),
       absl::StatusCode::kFailedPrecondition, "TOKEN_FUTURE"},
  };
  for (const auto& c : cases) {
    for (const bool exactly : {true, false}) {
      pb::GetEvidenceRequest request = Key("Leeds");
      if (exactly) {
        request.mutable_freshness()->set_exactly(c.token);
      } else {
        request.mutable_freshness()->set_at_least(c.token);
      }
      pb::GetEvidenceResponse response;
      const absl::Status status =
          Call(evidence_, &pb::EvidenceService::Stub::GetEvidence, request, &response);
      EXPECT_EQ(status.code(), c.code) << status;
      EXPECT_EQ(ReasonOf(status), c.reason);
      EXPECT_THAT(FieldsOf(status),
                  ElementsAre(exactly ? "freshness.exactly" : "freshness.at_least"));
    }
  }
}

TEST_F(EvidenceReadsTest, PagesShowOneRevisionAndFitOneFilter) {
  Submit(OneItem("Leeds", "most"));
  Submit(OneItem("Hull", "most"));
  pb::ListEvidenceRequest request;
  request.set_page_size(1);
  request.set_period("2001-02");
  const auto first = Must(evidence_, &pb::EvidenceService::Stub::ListEvidence, request);
  ASSERT_EQ(first.items_size(), 1);
  ASSERT_FALSE(first.next_page_token().empty());
  pb::SubmitEvidenceRequest later = OneItem("Leeds", "most");
  Item(later).set_instance("revisit");
  Submit(later);

  request.set_page_token(first.next_page_token());
  const auto second = Must(evidence_, &pb::EvidenceService::Stub::ListEvidence, request);
  EXPECT_EQ(second.items_size(), 1);
  EXPECT_EQ(second.next_page_token(), "");
  EXPECT_EQ(second.snapshot().token(), first.snapshot().token());

  for (const bool malformed : {true, false}) {
    if (malformed) {
      request.set_page_token(first.next_page_token().substr(1));
    } else {
      request.set_page_token(first.next_page_token());
      request.add_codes("rate");
    }
    pb::ListEvidenceResponse response;
    const absl::Status status =
        Call(evidence_, &pb::EvidenceService::Stub::ListEvidence, request, &response);
    EXPECT_EQ(ReasonOf(status), malformed ? "PAGE_TOKEN_MALFORMED" : "PAGE_TOKEN_MISMATCH");
  }
}

TEST_F(EvidenceReadsTest, HistoryIsNewestFirst) {
  Submit(OneItem("Leeds", "most"));
  for (const char* level : {"no", "yes"}) {
    pb::SubmitEvidenceRequest correction = OneItem("Leeds", level);
    correction.set_reason("reviewed");
    Submit(correction);
  }
  pb::ListEvidenceRevisionsRequest request;
  *request.mutable_key() = Key("Leeds").key();
  request.set_page_size(2);
  std::vector<std::string> levels;
  do {
    const auto page = Must(evidence_, &pb::EvidenceService::Stub::ListEvidenceRevisions, request);
    for (const auto& item : page.items()) levels.push_back(item.item().value().level());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(levels, ElementsAre("yes", "no", "most"));
}

TEST_F(EvidenceReadsTest, ADossierOfNobodyIsNotFound) {
  pb::GetDossierRequest request;
  pb::GetDossierResponse response;
  request.set_organisation("York");
  request.set_period("2001-02");
  EXPECT_EQ(ReasonOf(Call(evidence_, &pb::EvidenceService::Stub::GetDossier, request, &response)),
            "ORGANISATION_UNKNOWN");
  request.set_organisation("Leeds");
  EXPECT_THAT(Must(evidence_, &pb::EvidenceService::Stub::GetDossier, request).dossier().items(),
              IsEmpty());
  request.set_period("1066");
  EXPECT_EQ(ReasonOf(Call(evidence_, &pb::EvidenceService::Stub::GetDossier, request, &response)),
            "PERIOD_UNKNOWN");
}

// Exports -------------------------------------------------------------------

TEST_F(EvidenceReadsTest, AnExportIsInOrderAndResumes) {
  RegisterMany();
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  ASSERT_TRUE(Export(request, blocks).ok());
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].total(), 1'203);

  request.mutable_selection()->mutable_freshness()->set_exactly(blocks[0].snapshot().token());
  *request.mutable_resume_after() = blocks[0].cursor();
  std::vector<pb::ExportDossiersResponse> rest;
  ASSERT_TRUE(Export(request, rest).ok());
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].dossiers(0).organisation().id(), blocks[1].dossiers(0).organisation().id());

  int sharded = 0;
  request.clear_resume_after();
  for (int shard = 0; shard < 3; ++shard) {
    request.mutable_shard()->set_index(shard);
    request.mutable_shard()->set_count(3);
    std::vector<pb::ExportDossiersResponse> part;
    ASSERT_TRUE(Export(request, part).ok());
    for (const auto& block : part) {
      sharded += block.dossiers_size();
      EXPECT_EQ(block.total(), 1'203);
    }
  }
  EXPECT_EQ(sharded, 1'203);
}

TEST_F(EvidenceReadsTest, AnExportOfNobodyStillSaysWhatWasRead) {
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  request.mutable_selection()->mutable_selector()->add_kinds("hospital");
  std::vector<pb::ExportDossiersResponse> blocks;
  ASSERT_TRUE(Export(request, blocks).ok());
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].dossiers_size(), 0);
  EXPECT_EQ(blocks[0].snapshot().revision(), Head());
}

TEST_F(EvidenceReadsTest, ABadExportIsRefused) {
  pb::ExportDossiersRequest request;
  std::vector<pb::ExportDossiersResponse> blocks;
  EXPECT_THAT(FieldsOf(Export(request, blocks)), ElementsAre("of"));
  request.set_round("none");
  EXPECT_EQ(ReasonOf(Export(request, blocks)), "ROUND_UNKNOWN");
  request.mutable_selection()->set_period("2001-02");
  request.mutable_shard()->set_count(2);
  request.mutable_shard()->set_index(2);
  request.mutable_resume_after()->set_organisation("Leeds");
  EXPECT_THAT(FieldsOf(Export(request, blocks)), ElementsAre("shard.index", "resume_after"));
  EXPECT_THAT(blocks, IsEmpty());
}

TEST_F(EvidenceReadsTest, TooManyStreamsAreToldToTryAgain) {
  auto places = TakePlaces(0);
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  const absl::Status status = Export(request, blocks);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "POOL_FULL");
  EXPECT_TRUE(status::DetailOf(status).retry_after.has_value());
  places.pop_back();
  EXPECT_TRUE(Export(request, blocks).ok());
}

TEST_F(EvidenceReadsTest, WhatWentWrongWithAPageReadAheadIsTriedAgain) {
  RegisterMany();
  std::atomic<int> calls = 0;
  std::atomic<int> failures = 1;
  store_->SetHook([&](absl::string_view call, absl::Time deadline) -> absl::Status {
    if (call != "ReadDossiers") return absl::OkStatus();
    // Each page has the time of a step, whenever its turn comes.
    EXPECT_GT(deadline - absl::Now(), kDeadlineDefault - absl::Seconds(2));
    if (++calls == 1 || failures-- <= 0) return absl::OkStatus();
    return absl::UnavailableError("the database has gone");
  });
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  EXPECT_TRUE(Export(request, blocks).ok());
  EXPECT_EQ(blocks.size(), 3u);
  // What stays wrong is told.
  calls = 0;
  failures = 2;
  EXPECT_EQ(Export(request, blocks).code(), absl::StatusCode::kUnavailable);
  store_->SetHook(nullptr);
}

// A caller may take 600 ms to read a block.
class ImpatientExportTest : public EvidenceTest {
 protected:
  ImpatientExportTest() : EvidenceTest({absl::Milliseconds(600), absl::Seconds(60)}) {}

  static pb::ExportDossiersRequest All() {
    pb::ExportDossiersRequest request;
    request.mutable_selection()->set_period("2001-02");
    return request;
  }
};

TEST_F(ImpatientExportTest, WhoDoesNotReadIsCutOffAndGoesOnAfterTheCursor) {
  RegisterMany();
  grpc::ClientContext context;
  const auto reader = evidence_->ExportDossiers(&context, All());
  absl::SleepFor(absl::Milliseconds(900));  // One wait, not two.
  std::vector<pb::ExportDossiersResponse> blocks;
  pb::ExportDossiersResponse block;
  while (reader->Read(&block)) blocks.push_back(block);
  const absl::Status cut_off = serving::FromGrpcStatus(reader->Finish());
  EXPECT_EQ(cut_off.code(), absl::StatusCode::kAborted) << cut_off;
  EXPECT_EQ(ReasonOf(cut_off), "READER_TOO_SLOW");
  ASSERT_EQ(blocks.size(), 1u);

  pb::ExportDossiersRequest rest = All();
  rest.mutable_selection()->mutable_freshness()->set_exactly(blocks[0].snapshot().token());
  *rest.mutable_resume_after() = blocks[0].cursor();
  ASSERT_TRUE(Export(rest, blocks).ok());
  int dossiers = 0;
  for (const auto& each : blocks) dossiers += each.dossiers_size();
  EXPECT_EQ(dossiers, 1'203);
}

TEST_F(ImpatientExportTest, WhoReadsNothingAtAllDoesNotKeepThePlace) {
  RegisterMany();
  const auto places = TakePlaces(1);
  grpc::ClientContext context;
  const auto reader = evidence_->ExportDossiers(&context, All());
  std::vector<pb::ExportDossiersResponse> blocks;
  // Cut off after one wait, cancelled after two.
  const absl::Time begun = absl::Now();
  absl::Status status = absl::UnknownError("");
  while (!status.ok() && absl::Now() < begun + absl::Seconds(20)) {
    absl::SleepFor(absl::Milliseconds(20));
    status = Export(All(), blocks);
  }
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_GT(absl::Now() - begun, absl::Milliseconds(600));
  context.TryCancel();
  reader->Finish();
}

TEST_F(ImpatientExportTest, WhoReadsSlowlyButReadsIsNotCutOff) {
  RegisterMany();
  grpc::ClientContext context;
  const auto reader = evidence_->ExportDossiers(&context, All());
  pb::ExportDossiersResponse block;
  int blocks = 0;
  for (; reader->Read(&block); ++blocks) absl::SleepFor(absl::Milliseconds(250));
  EXPECT_EQ(blocks, 3);
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(EvidenceReadsTest, ACallerThatLeavesAnExportLeavesNothingBehind) {
  for (int i = 0; i < kStreamStepsMost + kStreamsMost; ++i) {
    grpc::ClientContext context;
    pb::ExportDossiersRequest request;
    request.mutable_selection()->set_period("2001-02");
    const auto reader = evidence_->ExportDossiers(&context, request);
    context.TryCancel();
    EXPECT_NE(reader->Finish().error_code(), grpc::StatusCode::UNKNOWN);
  }
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  absl::Status status = absl::UnknownError("");
  // The last of them may still be on its way out.
  for (int i = 0; i < 100 && !status.ok(); ++i) {
    blocks.clear();
    status = Export(request, blocks);
  }
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace starratings::service
