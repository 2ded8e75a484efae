// The sender against services that do not answer as they should.
#include "starctl/import_sender.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"

namespace starratings::starctl {
namespace {

using assessment::v1::IngestEvidenceRequest;
using assessment::v1::IngestEvidenceResponse;

constexpr absl::Duration kSilence = absl::Milliseconds(300);

// What one stream of the service does.
struct Manner {
  bool ready = true;                           // Answers `begin`.
  int answers = 1'000;                         // Answers so many batches, and is then silent,
  absl::Duration each = absl::ZeroDuration();  // each after so long.
  bool idle = false;                           // Ends as one whose caller was idle.
};

class Service final : public assessment::v1::EvidenceService::Service {
 public:
  explicit Service(std::initializer_list<Manner> manners) : manners_(manners) {}

  grpc::Status IngestEvidence(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<IngestEvidenceResponse, IngestEvidenceRequest>* stream) override {
    const Manner manner = Next();
    IngestEvidenceRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    if (!manner.ready) return Silence(*context);
    IngestEvidenceResponse response;
    response.mutable_ready()->set_window(2);
    stream->Write(response);
    if (manner.idle) {
      return serving::ToGrpcStatus(
          status::Error(absl::StatusCode::kAborted, "STREAM_IDLE", "too slow"));
    }
    for (int answered = 0; stream->Read(&request); ++answered) {
      if (answered == manner.answers) return Silence(*context);
      absl::SleepFor(manner.each);
      const auto& batch = request.batch();
      auto& recorded = *response.mutable_recorded();
      recorded.set_number(batch.number());
      recorded.mutable_submitted()->set_replayed(!Record(batch.submit().request_id()));
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  size_t streams() const {
    const std::lock_guard lock(mutex_);
    return streams_;
  }
  size_t recorded() const {
    const std::lock_guard lock(mutex_);
    return recorded_.size();
  }

 private:
  Manner Next() {
    const std::lock_guard lock(mutex_);
    return manners_.at(std::min(streams_++, manners_.size() - 1));
  }
  bool Record(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return recorded_.insert(id).second;
  }
  static grpc::Status Silence(const grpc::ServerContext& context) {
    while (!context.IsCancelled()) absl::SleepFor(absl::Milliseconds(5));
    return grpc::Status::CANCELLED;
  }

  const std::vector<Manner> manners_;
  mutable std::mutex mutex_;  // Guards the rest.
  size_t streams_ = 0;
  std::set<std::string> recorded_;
};

class ImportSenderTest : public testing::Test {
 protected:
  // Six batches of one item.
  absl::Status Send(Service& service, ImportOutcome& outcome, absl::Duration retry_for) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service);
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    const auto server = builder.BuildAndStart();
    const auto stub = assessment::v1::EvidenceService::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
    std::vector<ImportItem> items(6);
    for (size_t i = 0; i < items.size(); ++i) {
      items[i].line = static_cast<int>(i) + 2;
      items[i].item.set_organisation(absl::StrCat("o", i));
      items[i].source.set_title("A test");
    }
    std::vector<Batch> batches = MakeBatches(std::move(items), 1, "", "ab");
    const Session session{GlobalOptions()};
    ImportSender sender(session, *stub, "f.csv", batches, retry_for, kSilence);
    const absl::Status sent = sender.Send(outcome);
    server->Shutdown();
    return sent;
  }
};

TEST_F(ImportSenderTest, AServiceThatFallsSilentIsGivenUpAndTheImportGoesOn) {
  Service service({Manner{.answers = 3}, Manner{}});
  ImportOutcome outcome;
  const absl::Time begun = absl::Now();
  ASSERT_EQ(Send(service, outcome, absl::Seconds(10)), absl::OkStatus());
  EXPECT_GE(absl::Now() - begun, kSilence);
  EXPECT_EQ(service.streams(), 2u);
  EXPECT_EQ(service.recorded(), 6u);
  EXPECT_EQ(outcome.items, 6);
  EXPECT_EQ(outcome.replayed, 0);  // What was answered is not sent again.
}

TEST_F(ImportSenderTest, AServiceThatNeverSpeaksIsAnErrorWhenPatienceIsOver) {
  Service service({Manner{.ready = false}});
  ImportOutcome outcome;
  const absl::Status sent = Send(service, outcome, absl::Milliseconds(100));
  EXPECT_EQ(sent.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(sent.message(), "the service has said nothing for 300ms");
  EXPECT_EQ(outcome.items, 0);
}

TEST_F(ImportSenderTest, AStreamMayTakeLongerThanItsSteps) {
  Service service({Manner{.each = kSilence / 3}});
  ImportOutcome outcome;
  const absl::Time begun = absl::Now();
  ASSERT_EQ(Send(service, outcome, absl::Seconds(10)), absl::OkStatus());
  EXPECT_GT(absl::Now() - begun, kSilence);
  EXPECT_EQ(service.streams(), 1u);
}

TEST_F(ImportSenderTest, AStreamThatWasEndedForIdlenessIsTakenUpAgain) {
  Service service({Manner{.idle = true}, Manner{}});
  ImportOutcome outcome;
  ASSERT_EQ(Send(service, outcome, absl::Seconds(10)), absl::OkStatus());
  EXPECT_EQ(service.streams(), 2u);
  EXPECT_EQ(outcome.items, 6);
}

}  // namespace
}  // namespace starratings::starctl
