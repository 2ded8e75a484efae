// The cache behind a watch over real sockets: fresh, or silent.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/token.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "rating-svc/service/dossier_reader.h"

namespace starratings::service {
namespace {

using assessment::v1::GetDossierRequest;
using testing::HasSubstr;

constexpr char kStore[] = "0f0e0d0c-0b0a-4908-8706-050403020100";

// A record of organisations that have one item each, which says when it was
// changed. Watches may be held back or ended.
class LiveRecord final : public assessment::v1::EvidenceService::Service,
                         public assessment::v1::RegisterService::Service {
 public:
  LiveRecord() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<assessment::v1::EvidenceService::Service*>(this));
    builder.RegisterService(static_cast<assessment::v1::RegisterService::Service*>(this));
    server_ = builder.BuildAndStart();
    channel_ =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  }
  ~LiveRecord() override {
    EndWatches();
    server_->Shutdown();
  }

  std::shared_ptr<grpc::Channel> channel() const { return channel_; }

  // Returns the token of the change.
  std::string Change(const std::string& organisation) {
    const std::lock_guard lock(mutex_);
    log_.push_back(organisation);
    changed_.notify_all();
    return TokenAt(Head());
  }

  void HoldWatches(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void EndWatches() {
    const std::lock_guard lock(mutex_);
    ++ends_;
    changed_.notify_all();
  }
  void Restore() {
    const std::lock_guard lock(mutex_);
    ++incarnation_;
    ++ends_;
    changed_.notify_all();
  }

  int dossiers_read() const {
    const std::lock_guard lock(mutex_);
    return dossiers_read_;
  }
  int watches() const {
    const std::lock_guard lock(mutex_);
    return watches_;
  }

  grpc::Status GetDossier(grpc::ServerContext*, const GetDossierRequest* request,
                          assessment::v1::GetDossierResponse* response) override {
    const std::lock_guard lock(mutex_);
    ++dossiers_read_;
    if (request->freshness().has_at_least()) {
      const auto token = wire::DecodeToken(request->freshness().at_least());
      if (!token.ok() || token->incarnation != incarnation_) {
        return serving::ToGrpcStatus(
            status::Error(absl::StatusCode::kFailedPrecondition, "STORE_RESTORED", "too old"));
      }
    }
    evidence::Dossier dossier;
    dossier.organisation.id = request->organisation();
    dossier.organisation.name = request->organisation();
    dossier.organisation.kind = "council";
    dossier.period = request->period();
    evidence::RecordedItem& item = dossier.items.emplace_back();
    item.item.key = {request->organisation(), request->period(), "changed", ""};
    item.item.value = evidence::Text{absl::StrCat(ChangedAt(request->organisation()))};
    item.item.source =
        std::make_shared<const evidence::Source>(evidence::Source{"s", "", "", false});
    item.item.digest = wire::ItemDigest(item.item);
    item.revision = Head();
    item.ordinal = 1;
    wire::SourceWriter writer(*response->mutable_sources());
    writer.Write(dossier, *response->mutable_dossier());
    Write(Head(), *response->mutable_snapshot());
    return grpc::Status::OK;
  }

  grpc::Status ListPeriods(grpc::ServerContext*, const assessment::v1::ListPeriodsRequest*,
                           assessment::v1::ListPeriodsResponse* response) override {
    const std::lock_guard lock(mutex_);
    Write(Head(), *response->mutable_snapshot());
    return grpc::Status::OK;
  }

  grpc::Status WatchEvidence(
      grpc::ServerContext* context, const assessment::v1::WatchEvidenceRequest*,
      grpc::ServerWriter<assessment::v1::WatchEvidenceResponse>* writer) override {
    std::unique_lock lock(mutex_);
    ++watches_;
    const int ends = ends_;
    int64_t told = Head();
    assessment::v1::WatchEvidenceResponse message;
    Write(told, *message.mutable_snapshot());
    writer->Write(message);
    while (ends == ends_ && !context->IsCancelled()) {
      changed_.wait_for(lock, std::chrono::milliseconds(20));
      while (ends == ends_ && !held_ && told < Head()) {
        message.Clear();
        auto& item = *message.add_items();
        item.mutable_item()->set_organisation(log_[static_cast<size_t>(told)]);
        item.set_revision(++told);
        Write(told, *message.mutable_snapshot());
        writer->Write(message);
      }
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the watch has ended");
  }

 private:
  int64_t Head() const { return static_cast<int64_t>(log_.size()); }
  int64_t ChangedAt(const std::string& organisation) const {
    for (int64_t i = Head(); i > 0; --i) {
      if (log_[static_cast<size_t>(i - 1)] == organisation) return i;
    }
    return 0;
  }
  std::string TokenAt(int64_t revision) const {
    return wire::EncodeToken({kStore, incarnation_, revision});
  }
  void Write(int64_t revision, evidence::v1::Snapshot& snapshot) const {
    snapshot.set_revision(revision);
    snapshot.set_token(TokenAt(revision));
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  int64_t incarnation_ = 1;
  bool held_ = false;
  int ends_ = 0;
  int dossiers_read_ = 0;
  int watches_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

class DossierCacheTest : public testing::Test {
 protected:
  static GetDossierRequest Request(const std::string& organisation) {
    GetDossierRequest request;
    request.set_organisation(organisation);
    request.set_period("2001-02");
    request.mutable_freshness()->mutable_minimize_latency();
    return request;
  }

  // What is said of the organisation, in a revision; asserts that there is one.
  std::string Get(const GetDossierRequest& request) {
    const auto read = reader_.Get(request, absl::Now() + absl::Seconds(10));
    if (!read.ok()) return read.status().ToString();
    revision_ = read->snapshot.revision();
    return std::get<evidence::Text>(read->dossier->items[0].item.value).text;
  }
  std::string Get(const std::string& organisation) { return Get(Request(organisation)); }

  // Until the cache answers for the organisation.
  bool Warm(const std::string& organisation) {
    for (int i = 0; i < 1'000; ++i) {
      if (reader_.AtHand(Request(organisation), "")) return true;
      Get(organisation);
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  }

  LiveRecord record_;
  EvidenceClient client_{record_.channel(), "rating-svc"};
  prometheus::Registry registry_;
  dossiers::DossierCache cache_{dossiers::CacheLimits{}};
  CacheMetrics metrics_{registry_};
  DossierFeed feed_{client_,
                    cache_,
                    {.confirm_every = absl::Milliseconds(20),
                     .first_wait = absl::Milliseconds(5),
                     .longest_wait = absl::Milliseconds(20),
                     .tick = [this] { metrics_.Show(cache_.size(), absl::Now()); }}};
  DossierReader reader_{client_, CacheParts{cache_, feed_, metrics_}};
  int64_t revision_ = 0;
};

TEST_F(DossierCacheTest, NothingIsWatchedBeforeSomebodyAsks) {
  absl::SleepFor(absl::Milliseconds(100));
  GetDossierRequest latest = Request("a");
  latest.mutable_freshness()->mutable_latest();
  EXPECT_EQ(Get(latest), "0");
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(record_.watches(), 0);
  ASSERT_TRUE(Warm("a"));
  EXPECT_EQ(record_.watches(), 1);
}

TEST_F(DossierCacheTest, AHitAsksTheRecordNothingAndNamesItsRevision) {
  record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  const int reads = record_.dossiers_read();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(revision_, 1);
  EXPECT_EQ(record_.dossiers_read(), reads);
  const std::string page = prometheus::TextSerializer().Serialize(registry_.Collect());
  EXPECT_THAT(page, HasSubstr("rating_dossier_cache_lookups_total{outcome=\"hit\"} 1"));
}

TEST_F(DossierCacheTest, LatestAndExactlyAskTheRecord) {
  const std::string token = record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  const int reads = record_.dossiers_read();
  GetDossierRequest request = Request("a");
  request.mutable_freshness()->mutable_latest();
  Get(request);
  request.mutable_freshness()->set_exactly(token);
  Get(request);
  request.clear_freshness();
  Get(request);
  EXPECT_EQ(record_.dossiers_read(), reads + 3);
}

TEST_F(DossierCacheTest, AWriterReadsWhatItWroteHoweverLateTheWatchIs) {
  record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  record_.HoldWatches(true);
  for (int i = 2; i < 20; ++i) {
    GetDossierRequest request = Request("a");
    request.mutable_freshness()->set_at_least(record_.Change("a"));
    EXPECT_EQ(Get(request), absl::StrCat(i));
    EXPECT_EQ(revision_, i);
  }
}

TEST_F(DossierCacheTest, AChangeIsSeenOnceTheWatchHasToldOfIt) {
  record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  record_.Change("a");
  while (cache_.size().revision < 2) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(Get("a"), "2");
}

TEST_F(DossierCacheTest, AWatchThatIsLostAnswersNothingUntilThereIsAnother) {
  record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  record_.EndWatches();
  while (record_.watches() < 2) absl::SleepFor(absl::Milliseconds(1));
  record_.Change("a");
  EXPECT_TRUE(Warm("a"));
  while (cache_.size().revision < 2) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(Get("a"), "2");
}

TEST_F(DossierCacheTest, ARestoredRecordIsAnotherRecord) {
  const std::string before = record_.Change("a");
  ASSERT_TRUE(Warm("a"));
  record_.Restore();
  const std::string after = record_.Change("a");
  // Whatever the watch has noticed by now.
  EXPECT_EQ(Get("b"), "0");
  GetDossierRequest request = Request("a");
  request.mutable_freshness()->set_at_least(after);
  EXPECT_EQ(Get(request), "2");
  request.mutable_freshness()->set_at_least(before);
  EXPECT_THAT(Get(request), HasSubstr("too old"));
  EXPECT_TRUE(Warm("a"));
}

TEST_F(DossierCacheTest, ATokenThatIsNoneIsTheRecordsBusiness) {
  ASSERT_TRUE(Warm("a"));
  GetDossierRequest request = Request("a");
  request.mutable_freshness()->set_at_least("no token");
  EXPECT_THAT(Get(request), HasSubstr("too old"));
}

}  // namespace
}  // namespace starratings::service
