// WatchEvidence through gRPC, over a record in SQLite.
#include "assessment-svc/service/watch_stream.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/snapshots.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/digest/bucket.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/wire/evidence_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "tests/store/watch_promises.h"

namespace starratings::service {
namespace {

namespace pb = assessment::v1;
using testing::ElementsAre;
using testing::SizeIs;

constexpr absl::Time kForever = absl::InfiniteFuture();

// Only WatchEvidence.
class WatchOnly final : public pb::EvidenceService::CallbackService {
 public:
  explicit WatchOnly(const WatchParts& parts) : parts_(parts) {}
  grpc::ServerWriteReactor<pb::WatchEvidenceResponse>* WatchEvidence(
      grpc::CallbackServerContext* context, const pb::WatchEvidenceRequest* request) override {
    return NewWatchStream(parts_, *context, *request);
  }

 private:
  const WatchParts& parts_;
};

struct CutOffs final : watch::TailObserver {
  void OnWatchers(int, int64_t) override {}
  void OnCutOff() override { ++seen; }
  void OnFault(const absl::Status&) override {}
  std::atomic<int> seen = 0;
};

class WatchStreamTest : public testing::Test {
 protected:
  WatchStreamTest() {
    folder_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("watch_stream_", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const std::string uri = absl::StrCat("sqlite:", (folder_ / "record.db").string());
    EXPECT_TRUE(upkeep::Migrate(uri).ok());
    store_ = *store::OpenStore(uri);
    options_.poll = absl::Milliseconds(5);
    options_.bookmark_every = absl::Milliseconds(20);
  }

  ~WatchStreamTest() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    steps_.reset();
    tail_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    tail_.emplace(*store_, Head(), options_, &observer_);
    steps_.emplace(2, static_cast<size_t>(options_.watchers_most));
    parts_.emplace(WatchParts{*store_, *tail_, *steps_});
    service_.emplace(*parts_);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&*service_);
    server_ = builder.BuildAndStart();
    stub_ = pb::EvidenceService::NewStub(server_->InProcessChannel({}));
  }

  int64_t Head() { return *store_->Head(kForever); }
  std::string Token(int64_t revision) { return SnapshotAt(*store_, revision).token(); }

  int64_t Commit(std::vector<store::EvidenceDraft> drafts) {
    store::Write write;
    write.actor = "ann";
    write.request_id = absl::StrCat(++ids_);
    write.payload = digest::Sha256(write.request_id);
    write.reason = "because";
    write.body = store::EvidenceBatch{std::move(drafts)};
    auto answers = store_->CommitGroup(std::span(&write, 1), kForever);
    EXPECT_TRUE(answers.ok() && answers->front().ok());
    return answers->front()->revision;
  }

  static store::EvidenceDraft Draft(const std::string& organisation, int64_t number,
                                    const std::string& text = "") {
    store::EvidenceDraft draft;
    draft.item.key = {organisation, "2001-02", "rate", ""};
    draft.item.value = evidence::Decimal::FromMicros(number);
    if (!text.empty()) draft.item.value = evidence::Text{text};
    draft.item.source =
        std::make_shared<const evidence::Source>(evidence::Source{"A return", "", "", false});
    draft.item.digest = wire::ItemDigest(draft.item);
    return draft;
  }

  // A stream, as it is heard.
  struct Stream {
    Stream(pb::EvidenceService::Stub& stub, const pb::WatchEvidenceRequest& request)
        : reader(stub.WatchEvidence(&context, request)) {
      recording.passes = [](const auto&) { return true; };
    }
    ~Stream() { context.TryCancel(); }

    // False: it has ended, with `end`.
    bool Hear() {
      if (!reader->Read(&message)) {
        end = serving::FromGrpcStatus(reader->Finish());
        return false;
      }
      status::FieldErrors errors;
      const wire::SourcesById sources = wire::SourcesFromProto(message.sources(), "", errors);
      EXPECT_TRUE(errors.empty());
      store::WatchMessage heard;
      for (const auto& item : message.items()) {
        EXPECT_TRUE(wire::Read(item, sources, heard.items.emplace_back()).ok());
      }
      heard.more = message.more();
      if (message.has_snapshot()) heard.revision = message.snapshot().revision();
      heard.register_changed = message.register_changed();
      if (recording.messages.empty()) recording.after = heard.revision.value_or(-1);
      recording.messages.push_back(std::move(heard));
      return true;
    }
    void HearUpTo(int64_t revision) {
      while ((recording.messages.empty() || recording.Told() < revision) && Hear()) {
      }
    }
    void HearAll() {
      while (Hear()) {
      }
    }

    grpc::ClientContext context;
    pb::WatchEvidenceResponse message;
    store::WatchRecording recording;
    absl::Status end;
    std::unique_ptr<grpc::ClientReader<pb::WatchEvidenceResponse>> reader;
  };

  absl::Status EndOf(const pb::WatchEvidenceRequest& request) {
    Stream stream(*stub_, request);
    stream.HearAll();
    return stream.end;
  }

  static std::string ReasonOf(const absl::Status& status) {
    return absl::StrCat(absl::StatusCodeToString(status.code()), " ",
                        status::DetailOf(status).reason);
  }

  std::filesystem::path folder_;
  watch::TailOptions options_;
  CutOffs observer_;
  std::unique_ptr<store::EvidenceStore> store_;
  std::optional<watch::Tail> tail_;
  std::optional<serving::Pool> steps_;
  std::optional<WatchParts> parts_;
  std::optional<WatchOnly> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<pb::EvidenceService::Stub> stub_;
  int port_ = 0;
  int ids_ = 0;
};

TEST_F(WatchStreamTest, KeepsItsPromises) {
  for (int i = 0; i < 20; ++i) Commit({Draft("Hull", i), Draft("Leeds", i)});
  options_.ring_bytes_most = 1;
  Start();
  pb::WatchEvidenceRequest request;
  request.set_after(Token(0));
  Stream all(*stub_, request);
  request.add_organisations("Hull");
  Stream hull(*stub_, request);
  hull.recording.passes = [](const auto& item) { return item.item.key.organisation == "Hull"; };
  request.clear_after();
  request.clear_organisations();
  Stream now(*stub_, request);
  now.HearUpTo(20);
  std::vector<store::EvidenceDraft> many;
  for (int i = 0; i < 1'500; ++i) many.push_back(Draft(absl::StrCat("o", i), i));
  std::thread writer([&] {
    for (int i = 20; i < 40; ++i) Commit({Draft("Hull", i), Draft("Leeds", i)});
    Commit(std::move(many));
  });
  for (Stream* stream : {&all, &hull, &now}) stream->HearUpTo(41);
  writer.join();

  const store::WatchedLog log = store::ReadWholeLog(*store_, 41);
  for (const Stream* stream : {&all, &hull, &now}) {
    const absl::Status kept = store::CheckWatch(stream->recording, log, 41);
    EXPECT_TRUE(kept.ok()) << kept;
  }
  EXPECT_EQ(now.recording.after, 20);
  EXPECT_EQ(all.message.snapshot().token(), Token(41));
}

TEST_F(WatchStreamTest, EndsWithOkAtUntil) {
  for (int i = 0; i < 4; ++i) Commit({Draft("Hull", i)});
  Start();
  pb::WatchEvidenceRequest request;
  request.set_after(Token(1));
  request.set_until(Token(3));
  Stream stream(*stub_, request);
  stream.HearAll();
  EXPECT_TRUE(stream.end.ok()) << stream.end;
  EXPECT_TRUE(store::CheckWatch(stream.recording, store::ReadWholeLog(*store_, 4), 3).ok());
  request.set_until(Token(1));
  Stream none(*stub_, request);
  none.HearAll();
  EXPECT_TRUE(none.end.ok()) << none.end;
  EXPECT_THAT(none.recording.messages, SizeIs(1));
}

TEST_F(WatchStreamTest, AllFaultsOfARequestAreSaid) {
  Start();
  pb::WatchEvidenceRequest request;
  request.add_organisations("");
  request.set_period("No such period");
  request.add_codes("No code");
  request.mutable_shard()->set_count(70'000);
  const absl::Status error = EndOf(request);
  std::vector<std::string> fields;
  for (const auto& field : status::DetailOf(error).fields) fields.push_back(field.field);
  EXPECT_TRUE(absl::IsInvalidArgument(error));
  EXPECT_THAT(fields, ElementsAre("organisations[0]", "period", "codes[0]", "shard.count"));

  request.Clear();
  request.set_after("nonsense");
  EXPECT_EQ(ReasonOf(EndOf(request)), "INVALID_ARGUMENT TOKEN_MALFORMED");
  request.set_after(Token(9));
  EXPECT_EQ(ReasonOf(EndOf(request)), "FAILED_PRECONDITION TOKEN_FUTURE");
}

TEST_F(WatchStreamTest, TheShardsOfACountHearEverythingOnce) {
  for (int i = 0; i < 10; ++i) Commit({Draft(absl::StrCat("o", i), i)});
  Start();
  size_t heard = 0;
  for (int index = 0; index < 3; ++index) {
    pb::WatchEvidenceRequest request;
    request.set_after(Token(0));
    request.set_until(Token(10));
    request.mutable_shard()->set_count(3);
    request.mutable_shard()->set_index(index);
    Stream stream(*stub_, request);
    const auto [first, end] = digest::BucketsOfShard(index, 3);
    stream.recording.passes = [first = first, end = end](const evidence::RecordedItem& item) {
      const int bucket = digest::BucketOf(item.item.key.organisation);
      return bucket >= first && bucket < end;
    };
    stream.HearAll();
    const absl::Status kept =
        store::CheckWatch(stream.recording, store::ReadWholeLog(*store_, 10), 10);
    EXPECT_TRUE(kept.ok()) << kept;
    for (const auto& message : stream.recording.messages) heard += message.items.size();
  }
  EXPECT_EQ(heard, 10u);
}

TEST_F(WatchStreamTest, AtTheStopEveryStreamLearnsWhereToResume) {
  Start();
  Stream stream(*stub_, {});
  Commit({Draft("Hull", 1)});
  stream.HearUpTo(1);
  tail_->Stop();
  stream.HearAll();
  EXPECT_EQ(ReasonOf(stream.end), "UNAVAILABLE SERVER_STOPPING");
  EXPECT_EQ(status::DetailOf(stream.end).metadata["token"], Token(1));
  EXPECT_EQ(ReasonOf(EndOf({})), "UNAVAILABLE SERVER_STOPPING");
}

TEST_F(WatchStreamTest, ThereIsAMostOfWatchersAndACancelledOneMakesRoom) {
  options_.watchers_most = 1;
  Start();
  auto first = std::make_unique<Stream>(*stub_, pb::WatchEvidenceRequest());
  ASSERT_TRUE(first->Hear());
  EXPECT_EQ(ReasonOf(EndOf({})), "RESOURCE_EXHAUSTED WATCHERS_FULL");
  first.reset();
  bool entered = false;
  for (int i = 0; i < 1'000 && !entered; ++i) {
    Stream second(*stub_, {});
    entered = second.Hear();
    if (!entered) absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_TRUE(entered);
}

// Over a real connection, whose window fills up.
TEST_F(WatchStreamTest, WhoDoesNotReadIsCutOffAndCanResume) {
  options_.stall = absl::Seconds(1);
  Start();
  const auto channel =
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port_), grpc::InsecureChannelCredentials());
  const auto stub = pb::EvidenceService::NewStub(channel);
  Stream slow(*stub, {});
  ASSERT_TRUE(slow.Hear());
  // The log moves on until the connection's window is full for long enough.
  for (int i = 0; i < 500 && observer_.seen == 0; ++i) {
    std::vector<store::EvidenceDraft> drafts;
    const int items = i < 30 ? 200 : 1;
    for (int j = 0; j < items; ++j) {
      drafts.push_back(Draft(absl::StrCat("o", j), i, std::string(1'900, 't')));
    }
    Commit(std::move(drafts));
    if (i >= 30) absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_EQ(observer_.seen, 1);
  slow.HearAll();
  ASSERT_EQ(ReasonOf(slow.end), "ABORTED WATCHER_TOO_SLOW");
  const int64_t head = Head();
  const int64_t told = slow.recording.Told();
  EXPECT_LT(told, head);
  const store::WatchedLog log = store::ReadWholeLog(*store_, head);
  const absl::Status kept = store::CheckWatch(slow.recording, log, told);
  EXPECT_TRUE(kept.ok()) << kept;
  const std::string token = status::DetailOf(slow.end).metadata["token"];
  EXPECT_EQ(token, Token(told));

  pb::WatchEvidenceRequest request;
  request.set_after(token);
  Stream rest(*stub, request);
  rest.HearUpTo(head);
  EXPECT_TRUE(store::CheckWatch(rest.recording, log, head).ok());
}

// One that never reads keeps its message only so long.
TEST_F(WatchStreamTest, WhoNeverReadsIsGivenUp) {
  options_.stall = absl::Milliseconds(50);
  options_.watchers_most = 1;
  Start();
  Stream deaf(*stub_, {});
  Commit({Draft("Hull", 1)});
  ASSERT_TRUE(deaf.Hear());
  bool entered = false;
  for (int i = 0; i < 1'000 && !entered; ++i) {
    Commit({Draft("Hull", i)});
    Stream second(*stub_, {});
    entered = second.Hear();
    if (!entered) absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_TRUE(entered);
  EXPECT_EQ(observer_.seen, 1);
}

// Nobody may be left over when streams are cancelled, woken, cut off and
// stopped at once.
TEST_F(WatchStreamTest, ManyComeAndGoWhileWritersWrite) {
  options_.bookmark_every = absl::Milliseconds(1);
  options_.ring_bytes_most = 3'000;
  Start();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) Commit({Draft(absl::StrCat("o", i % 5), i)});
  });
  std::vector<std::thread> watchers;
  for (int i = 0; i < 8; ++i) {
    watchers.emplace_back([this, i] {
      for (int j = 0; j < 40; ++j) {
        pb::WatchEvidenceRequest request;
        if (j % 3 == 0) request.set_after(Token(0));
        request.add_organisations(absl::StrCat("o", i));
        Stream stream(*stub_, request);
        for (int heard = 0; heard < j % 4; ++heard) {
          if (!stream.Hear()) return;
        }
      }
    });
  }
  for (std::thread& watcher : watchers) watcher.join();
  done = true;
  writer.join();
  Stream last(*stub_, {});
  EXPECT_TRUE(last.Hear());
}

}  // namespace
}  // namespace starratings::service
