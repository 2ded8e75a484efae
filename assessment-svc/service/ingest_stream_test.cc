// IngestEvidence and ResolveRevision through gRPC.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/evidence_fixture.h"
#include "assessment-svc/service/imports.h"

namespace starratings::service {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Time kForever = absl::InfiniteFuture();

// A caller of IngestEvidence.
class Import {
 public:
  Import(pb::EvidenceService::Stub& stub, const std::string& actor) {
    if (!actor.empty()) context_.AddMetadata("starratings-actor", actor);
    stream_ = stub.IngestEvidence(&context_);
  }

  bool Begin(const std::string& id, const std::string& title = "returns.csv") {
    pb::IngestEvidenceRequest request;
    request.mutable_begin()->set_import_id(id);
    request.mutable_begin()->set_title(title);
    return stream_->Write(request);
  }

  bool Send(int64_t number, const pb::SubmitEvidenceRequest& submit) {
    pb::IngestEvidenceRequest request;
    request.mutable_batch()->set_number(number);
    *request.mutable_batch()->mutable_submit() = submit;
    return stream_->Write(request);
  }

  // The next answer; an empty one at the end.
  pb::IngestEvidenceResponse Next() {
    pb::IngestEvidenceResponse response;
    if (!stream_->Read(&response)) response.Clear();
    return response;
  }

  // Says that this was all; the rest of the answers.
  std::vector<pb::IngestEvidenceResponse> Rest() {
    stream_->WritesDone();
    std::vector<pb::IngestEvidenceResponse> answers;
    pb::IngestEvidenceResponse response;
    while (stream_->Read(&response)) answers.push_back(response);
    return answers;
  }

  absl::Status End() { return serving::FromGrpcStatus(stream_->Finish()); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::IngestEvidenceRequest, pb::IngestEvidenceResponse>>
      stream_;
};

class IngestStreamTest : public EvidenceTest {
 protected:
  explicit IngestStreamTest(const StreamSlots::Limits& limits = {}) : EvidenceTest(limits) {}

  // A batch that says something new each time.
  pb::SubmitEvidenceRequest Batch(const std::string& instance, const std::string& level = "yes") {
    pb::SubmitEvidenceRequest batch = OneItem("Leeds", level);
    Item(batch).set_instance(instance);
    return batch;
  }

  std::unique_ptr<Import> Open(const std::string& id) {
    auto import = std::make_unique<Import>(*evidence_, actor_);
    EXPECT_TRUE(import->Begin(id));
    EXPECT_EQ(import->Next().ready().window(), kIngestWindow);
    return import;
  }

  size_t ImportsNoted() { return ImportsUnderWay(*store_, kForever)->size(); }
};

TEST_F(IngestStreamTest, BatchesAreRecordedInTheirOrderAndAnsweredByNumber) {
  const int64_t before = Head();
  const auto import = Open(NewId());
  EXPECT_EQ(ImportsNoted(), 1u);
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(import->Send(i, Batch(absl::StrCat(i))));
  auto answers = import->Rest();
  ASSERT_THAT(answers, SizeIs(5));
  // Recorded in their order; answered by two threads, and told apart by number.
  std::sort(answers.begin(), answers.end(), [](const auto& a, const auto& b) {
    return a.recorded().number() < b.recorded().number();
  });
  for (int i = 0; i < 5; ++i) {
    const auto& recorded = answers[static_cast<size_t>(i)].recorded();
    EXPECT_EQ(recorded.number(), i + 1);
    EXPECT_EQ(recorded.submitted().snapshot().revision(), before + i + 1);
    EXPECT_THAT(recorded.submitted().etags(), SizeIs(1));
  }
  EXPECT_TRUE(import->End().ok());
  EXPECT_EQ(Head(), before + 5);
  EXPECT_EQ(ImportsNoted(), 0u);  // It came to its end.
}

TEST_F(IngestStreamTest, ARefusedBatchNamesItsItemsAndTheOthersStand) {
  const int64_t before = Head();
  const auto import = Open(NewId());
  pb::SubmitEvidenceRequest bad = Batch("bad", "splendid");
  auto& second = *bad.add_items();
  second = bad.items(0);
  second.mutable_item()->set_organisation("Atlantis");
  ASSERT_TRUE(import->Send(1, Batch("1")) && import->Send(2, bad) && import->Send(3, Batch("3")));
  // A batch that is not planned to be written may be answered before one that is.
  const auto answers = import->Rest();
  ASSERT_THAT(answers, SizeIs(3));
  int refused = 0;
  for (const auto& answer : answers) {
    if (!answer.has_refused()) continue;
    ++refused;
    EXPECT_EQ(answer.refused().number(), 2);
    EXPECT_EQ(answer.refused().error().code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(answer.refused().error().message(),
                AllOf(HasSubstr("items[0].item.value"), HasSubstr("items[1].item.organisation")));
  }
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(import->End().ok());
  EXPECT_EQ(Head(), before + 2);
}

TEST_F(IngestStreamTest, WhatIsSentAgainOnAnotherStreamIsARepetition) {
  const std::string id = NewId();
  const pb::SubmitEvidenceRequest first = Batch("1"), second = Batch("2");
  auto broken = Open(id);
  ASSERT_TRUE(broken->Send(1, first));
  const auto recorded = broken->Next().recorded();
  broken->Cancel();
  EXPECT_EQ(broken->End().code(), absl::StatusCode::kCancelled);

  const auto import = Open(id);
  ASSERT_TRUE(import->Send(1, first) && import->Send(2, second));
  auto answers = import->Rest();
  ASSERT_THAT(answers, SizeIs(2));
  // Each is answered by its number, in no order.
  if (answers[0].recorded().number() == 2) std::swap(answers[0], answers[1]);
  EXPECT_TRUE(answers[0].recorded().submitted().replayed());
  EXPECT_EQ(answers[0].recorded().submitted().snapshot().revision(),
            recorded.submitted().snapshot().revision());
  EXPECT_FALSE(answers[1].recorded().submitted().replayed());
  EXPECT_TRUE(import->End().ok());
  EXPECT_EQ(ImportsNoted(), 0u);
}

TEST_F(IngestStreamTest, AValidatedBatchIsNotRecorded) {
  const int64_t before = Head();
  const auto import = Open(NewId());
  pb::SubmitEvidenceRequest batch = Batch("1");
  batch.set_validate_only(true);
  ASSERT_TRUE(import->Send(1, batch));
  const auto answers = import->Rest();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_FALSE(answers[0].recorded().submitted().has_snapshot());
  EXPECT_EQ(Head(), before);
}

TEST_F(IngestStreamTest, TheFirstMessageBeginsAndNoOther) {
  Import unbegun(*evidence_, actor_);
  unbegun.Send(1, Batch("1"));
  EXPECT_THAT(unbegun.Rest(), IsEmpty());
  EXPECT_THAT(FieldsOf(unbegun.End()), ElementsAre("begin"));

  Import empty(*evidence_, actor_);
  EXPECT_THAT(empty.Rest(), IsEmpty());
  EXPECT_THAT(FieldsOf(empty.End()), ElementsAre("begin"));

  Import nameless(*evidence_, actor_);
  nameless.Begin("7", "");
  EXPECT_THAT(nameless.Rest(), IsEmpty());
  EXPECT_THAT(FieldsOf(nameless.End()), ElementsAre("begin.import_id", "begin.title"));

  const auto twice = Open(NewId());
  twice->Begin(NewId());
  EXPECT_THAT(twice->Rest(), IsEmpty());
  EXPECT_THAT(FieldsOf(twice->End()), ElementsAre("batch"));
}

TEST_F(IngestStreamTest, NumbersFollowEachOther) {
  for (const int64_t number : {0, 2}) {
    const auto import = Open(NewId());
    import->Send(number, Batch("1"));
    EXPECT_THAT(import->Rest(), IsEmpty());
    const absl::Status end = import->End();
    EXPECT_EQ(end.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(FieldsOf(end), ElementsAre("batch.number"));
  }
}

TEST_F(IngestStreamTest, NobodyImportsWithoutAName) {
  Import import(*evidence_, "");
  import.Begin(NewId());
  EXPECT_THAT(import.Rest(), IsEmpty());
  EXPECT_EQ(ReasonOf(import.End()), "ACTOR_REQUIRED");
}

TEST_F(IngestStreamTest, CallersWhoGoAtAnyMomentLeaveNothingHalf) {
  for (int i = 0; i < 40; ++i) {
    const int64_t before = Head();
    const std::string id = NewId();
    std::vector<pb::SubmitEvidenceRequest> batches;
    for (int j = 0; j < 4; ++j) batches.push_back(Batch(absl::StrCat(i, ".", j)));
    {
      Import import(*evidence_, actor_);
      import.Begin(id);
      for (int j = 0; j < i % 5; ++j) import.Send(j + 1, batches[static_cast<size_t>(j)]);
      if (i % 3 == 0) import.Next();
      import.Cancel();
      EXPECT_EQ(import.End().code(), absl::StatusCode::kCancelled);
    }
    const auto import = Open(id);
    for (int j = 0; j < 4; ++j) {
      ASSERT_TRUE(import->Send(j + 1, batches[static_cast<size_t>(j)]));
    }
    EXPECT_THAT(import->Rest(), SizeIs(4));
    EXPECT_TRUE(import->End().ok());
    EXPECT_EQ(Head(), before + 4);
  }
}

// The window, and callers who do not go on ------------------------------------

TEST_F(IngestStreamTest, AWindowIsAllowedAndOneBatchMoreIsNot) {
  for (const bool overrun : {false, true}) {
    Gate committing;
    store_->SetHook([&committing](absl::string_view call, absl::Time) {
      if (call == "CommitGroup") committing.Wait();
      return absl::OkStatus();
    });
    const int64_t before = Head();
    const auto import = Open(NewId());
    for (int i = 1; i <= kIngestWindow + (overrun ? 1 : 0); ++i) {
      ASSERT_TRUE(import->Send(i, Batch(absl::StrCat(overrun, ".", i))));
    }
    if (overrun) {
      EXPECT_THAT(import->Rest(), IsEmpty());
      const absl::Status end = import->End();
      EXPECT_EQ(end.code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(ReasonOf(end), "WINDOW_OVERRUN");
      committing.Open();
    } else {
      committing.Open();
      EXPECT_THAT(import->Rest(), SizeIs(kIngestWindow));
      EXPECT_TRUE(import->End().ok());
      EXPECT_EQ(Head(), before + kIngestWindow);
    }
  }
  store_->SetHook(nullptr);
}

TEST_F(IngestStreamTest, ACallerWhoReadsNoAnswerIsStopped) {
  const int64_t before = Head();
  const auto import = Open(NewId());
  int sent = 0;
  // Each is recorded before the next is sent: nothing but answers piles up.
  while (sent < 100) {
    ++sent;
    if (!import->Send(sent, Batch(absl::StrCat(sent)))) break;
    const absl::Time waited = absl::Now() + absl::Seconds(2);
    while (Head() < before + sent && absl::Now() < waited) absl::SleepFor(absl::Milliseconds(1));
    if (Head() < before + sent) break;
  }
  // One answer is on its way, and a window of them waits behind it.
  EXPECT_GE(sent, kIngestWindow + 1);
  EXPECT_LE(sent, kIngestWindow + 3);
  EXPECT_LE(import->Rest().size(), 2u);
  EXPECT_EQ(ReasonOf(import->End()), "WINDOW_OVERRUN");
}

TEST_F(IngestStreamTest, NobodyWaitsForANoteOfAnImport) {
  Gate noting;
  store_->SetHook([&noting](absl::string_view call, absl::Time) {
    if (call == "NoteImport") noting.Wait();
    return absl::OkStatus();
  });
  // More than there are threads for streams.
  std::vector<std::unique_ptr<Import>> imports;
  for (int i = 0; i < 4; ++i) {
    imports.push_back(std::make_unique<Import>(*evidence_, actor_));
    EXPECT_TRUE(imports.back()->Begin(NewId()));
  }
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  EXPECT_TRUE(Export(request, blocks).ok());
  noting.Open();
  for (const auto& import : imports) {
    EXPECT_TRUE(import->Next().has_ready());
    EXPECT_THAT(import->Rest(), IsEmpty());
    EXPECT_TRUE(import->End().ok());
  }
  store_->SetHook(nullptr);
  EXPECT_EQ(ImportsNoted(), 0u);
}

TEST_F(IngestStreamTest, AnImportGoesOnWhereItCannotBeNoted) {
  store_->SetHook([](absl::string_view call, absl::Time) {
    return call == "NoteImport" || call == "ForgetImport" ? absl::UnavailableError("no notes")
                                                          : absl::OkStatus();
  });
  const auto import = Open(NewId());
  ASSERT_TRUE(import->Send(1, Batch("1")));
  EXPECT_THAT(import->Rest(), SizeIs(1));
  EXPECT_TRUE(import->End().ok());
  store_->SetHook(nullptr);
}

// A caller may say nothing for 600 ms.
class ImpatientImportTest : public IngestStreamTest {
 protected:
  ImpatientImportTest() : IngestStreamTest({absl::Seconds(60), absl::Milliseconds(600)}) {}
};

TEST_F(ImpatientImportTest, WhoSendsNothingIsToldSo) {
  Import unbegun(*evidence_, actor_);
  EXPECT_THAT(unbegun.Next().ShortDebugString(), IsEmpty());
  EXPECT_EQ(ReasonOf(unbegun.End()), "STREAM_IDLE");

  const auto import = Open(NewId());
  ASSERT_TRUE(import->Send(1, Batch("1")));
  EXPECT_TRUE(import->Next().has_recorded());
  EXPECT_THAT(import->Next().ShortDebugString(), IsEmpty());
  const absl::Status end = import->End();
  EXPECT_EQ(end.code(), absl::StatusCode::kAborted) << end;
  EXPECT_EQ(ReasonOf(end), "STREAM_IDLE");
}

TEST_F(ImpatientImportTest, WhoDoesNotReadDoesNotKeepThePlace) {
  const auto places = TakePlaces(1);
  const auto import = Open(NewId());
  ASSERT_TRUE(import->Send(1, Batch("1")) && import->Send(2, Batch("2")));
  pb::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  std::vector<pb::ExportDossiersResponse> blocks;
  absl::Status status = Export(request, blocks);
  EXPECT_EQ(ReasonOf(status), "POOL_FULL");
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (!status.ok() && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(20));
    status = Export(request, blocks);
  }
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ImpatientImportTest, WhoWaitsForTheRecordIsNotIdle) {
  Gate committing;
  store_->SetHook([&committing](absl::string_view call, absl::Time) {
    if (call == "CommitGroup") committing.Wait();
    return absl::OkStatus();
  });
  const auto import = Open(NewId());
  ASSERT_TRUE(import->Send(1, Batch("1")));
  absl::SleepFor(absl::Milliseconds(1'500));
  committing.Open();
  EXPECT_TRUE(import->Next().has_recorded());
  // Nor is one who sends and reads now and then.
  for (int i = 2; i <= 6; ++i) {
    absl::SleepFor(absl::Milliseconds(200));
    ASSERT_TRUE(import->Send(i, Batch(absl::StrCat(i))));
    EXPECT_TRUE(import->Next().has_recorded());
  }
  EXPECT_THAT(import->Rest(), IsEmpty());
  EXPECT_TRUE(import->End().ok());
  store_->SetHook(nullptr);
}

class ResolveRevisionTest : public EvidenceTest {
 protected:
  absl::Status Resolve(absl::Time time, pb::ResolveRevisionResponse& response) {
    pb::ResolveRevisionRequest request;
    const int64_t us = absl::ToUnixMicros(time);
    request.mutable_time()->set_seconds(us / 1'000'000);
    request.mutable_time()->set_nanos(static_cast<int32_t>(us % 1'000'000 * 1'000));
    return Call(evidence_, &pb::EvidenceService::Stub::ResolveRevision, request, &response);
  }
};

TEST_F(ResolveRevisionTest, ATimeStandsForTheNewestRevisionByThen) {
  const absl::Time before = absl::Now();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto first = Submit(OneItem("Leeds", "yes")).snapshot();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const absl::Time between = absl::Now();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto second = Submit(OneItem("Hull", "yes")).snapshot();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));

  pb::ResolveRevisionResponse response;
  ASSERT_TRUE(Resolve(before, response).ok());
  EXPECT_EQ(response.snapshot().revision(), first.revision() - 1);
  ASSERT_TRUE(Resolve(between, response).ok());
  EXPECT_EQ(response.snapshot().token(), first.token());
  ASSERT_TRUE(Resolve(absl::Now(), response).ok());
  EXPECT_EQ(response.snapshot().token(), second.token());
  // Its own time belongs to it.
  const auto recorded_at = response.recorded_at();
  ASSERT_TRUE(
      Resolve(absl::FromUnixSeconds(recorded_at.seconds()) + absl::Nanoseconds(recorded_at.nanos()),
              response)
          .ok());
  EXPECT_EQ(response.snapshot().token(), second.token());
}

TEST_F(ResolveRevisionTest, BeforeEverythingThereIsTheEmptyRecord) {
  pb::ResolveRevisionResponse response;
  ASSERT_TRUE(Resolve(absl::FromUnixSeconds(1), response).ok());
  EXPECT_EQ(response.snapshot().revision(), 0);
  EXPECT_FALSE(response.has_recorded_at());
}

TEST_F(ResolveRevisionTest, ATimeToComeIsRefused) {
  pb::ResolveRevisionResponse response;
  const absl::Status later = Resolve(absl::Now() + absl::Hours(1), response);
  EXPECT_THAT(FieldsOf(later), ElementsAre("time"));
  EXPECT_THAT(FieldsOf(Call(evidence_, &pb::EvidenceService::Stub::ResolveRevision,
                            pb::ResolveRevisionRequest(), &response)),
              ElementsAre("time"));
}

}  // namespace
}  // namespace starratings::service
