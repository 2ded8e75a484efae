// Unary calls of one kind on one thread: bytes in, bytes out, so that the client
// costs as little as a client can.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"
#include "tests/bench/load.h"

namespace starratings::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

// What a caller asks next.
class Requests {
 public:
  explicit Requests(const LoadOptions& options) : options_(options) {
    if (options.kind == "submit") {
      auto& source = *submit_.add_sources();
      source.set_id("s");
      source.set_title("A load");
      for (int i = 0; i < options.items; ++i) {
        auto& item = *submit_.add_items()->mutable_item();
        item.set_period("2001-02");
        item.set_code(CodeId(0));
        item.mutable_value()->set_decimal("12.5");
        item.set_source_id("s");
      }
    } else if (options.kind == "list") {
      list_.set_page_size(1'000);
    } else if (options.kind == "echo") {
      echo_.assign(static_cast<size_t>(std::max(options.request_bytes, 4)), 'x');
      for (int i = 0; i < 4; ++i) {
        echo_[static_cast<size_t>(i)] = static_cast<char>(options.reply_bytes >> (8 * i) & 255);
      }
    }
  }

  std::string method() const {
    if (options_.kind == "echo") return "/starratings.bench.Echo/Echo";
    if (options_.kind == "rate") return "/starratings.rating.v1.RatingService/RateOrganisation";
    if (options_.kind == "improve") return "/starratings.rating.v1.RatingService/FindImprovements";
    if (options_.kind == "list") {
      return "/starratings.assessment.v1.EvidenceService/ListEvidence";
    }
    return std::string("/starratings.assessment.v1.EvidenceService/") +
           (options_.kind == "submit" ? "SubmitEvidence" : "GetDossier");
  }

  // `instance` is that of the item, if it is one.
  std::string Next(std::string& instance) {
    if (options_.kind == "echo") return echo_;
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    const int organisation =
        static_cast<int>((random_ >> 33) % static_cast<uint64_t>(options_.organisations));
    if (options_.kind == "submit") {
      submit_.set_request_id(NewUuid());
      instance = submit_.request_id();
      for (int i = 0; i < submit_.items_size(); ++i) {
        auto& item = *submit_.mutable_items(i)->mutable_item();
        item.set_organisation(OrganisationId(organisation));
        item.set_instance(i == 0 ? instance : instance + std::to_string(i));
      }
      return submit_.SerializeAsString();
    }
    if (options_.kind == "list") return list_.SerializeAsString();
    if (options_.kind == "improve") {
      improve_.set_organisation(OrganisationId(organisation));
      improve_.mutable_scheme()->set_scheme(options_.scheme);
      improve_.mutable_scheme()->set_period("2001-02");
      improve_.mutable_scheme()->set_date(options_.date);
      return improve_.SerializeAsString();
    }
    if (options_.kind == "rate") {
      rate_.set_organisation(OrganisationId(organisation));
      rate_.mutable_scheme()->set_scheme(options_.scheme);
      rate_.mutable_scheme()->set_period("2001-02");
      rate_.mutable_scheme()->set_date(options_.date);
      rate_.mutable_scheme()->mutable_freshness()->mutable_minimize_latency();
      rate_.set_trace(static_cast<rating::v1::TraceDetail>(options_.trace));
      return rate_.SerializeAsString();
    }
    dossier_.set_organisation(OrganisationId(organisation));
    dossier_.set_period("2001-02");
    if (!options_.token.empty()) dossier_.mutable_freshness()->set_exactly(options_.token);
    return dossier_.SerializeAsString();
  }

 private:
  const LoadOptions& options_;
  uint64_t random_ = 42;
  std::string echo_;
  assessment::v1::SubmitEvidenceRequest submit_;
  assessment::v1::GetDossierRequest dossier_;
  assessment::v1::ListEvidenceRequest list_;
  rating::v1::RateOrganisationRequest rate_;
  rating::v1::FindImprovementsRequest improve_;
};

// Notes when each item came, on a thread of its own.
class Watcher {
 public:
  explicit Watcher(const std::string& address) {
    if (address.empty()) return;
    stub_ = assessment::v1::EvidenceService::NewStub(
        grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    stream_ = stub_->WatchEvidence(&context_, {});
    assessment::v1::WatchEvidenceResponse opening;
    if (!stream_->Read(&opening)) {
      std::fprintf(stderr, "cannot watch %s\n", address.c_str());
      std::exit(1);
    }
    thread_ = std::thread([this] {
      assessment::v1::WatchEvidenceResponse message;
      while (stream_->Read(&message)) {
        const Clock::time_point now = Clock::now();
        const std::lock_guard lock(mutex_);
        for (const auto& said : message.items()) came_[said.item().instance()] = now;
      }
    });
  }

  ~Watcher() {
    if (!thread_.joinable()) return;
    context_.TryCancel();
    thread_.join();
  }

  // How long each of `sent` took to come; waits for the last of them.
  std::vector<double> Took(const std::unordered_map<std::string, Clock::time_point>& sent) {
    const Clock::time_point patience = Clock::now() + std::chrono::seconds(10);
    while (Clock::now() < patience) {
      {
        const std::lock_guard lock(mutex_);
        if (came_.size() >= sent.size()) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const std::lock_guard lock(mutex_);
    std::vector<double> took;
    for (const auto& [instance, at] : sent) {
      const auto found = came_.find(instance);
      if (found == came_.end()) {
        std::fprintf(stderr, "an item did not come on the watch\n");
        std::exit(1);
      }
      took.push_back(Milliseconds(found->second - at));
    }
    return took;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<assessment::v1::EvidenceService::Stub> stub_;
  std::unique_ptr<grpc::ClientReader<assessment::v1::WatchEvidenceResponse>> stream_;
  std::mutex mutex_;  // Guards the next.
  std::unordered_map<std::string, Clock::time_point> came_;
  std::thread thread_;
};

struct Call {
  int caller = 0;
  grpc::ClientContext context;
  grpc::ByteBuffer reply;
  grpc::Status status;
  Clock::time_point begun;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
};

class Unary {
 public:
  explicit Unary(const LoadOptions& options)
      : options_(options), requests_(options), watcher_(options.watch) {
    for (int i = 0; i < options.channels; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
          options.address, grpc::InsecureChannelCredentials(), arguments)));
    }
  }

  std::string Run() {
    const auto span = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(options_.seconds));
    const Clock::time_point begun = Clock::now();
    measured_from_ = begun + span / 4;
    end_ = measured_from_ + span;
    if (options_.rate > 0) {
      RunOpen(begun);
    } else {
      for (int i = 0; i < options_.callers; ++i) Start(i);
      while (open_ > 0) Take(end_ + std::chrono::seconds(30));
    }
    return Report();
  }

 private:
  // A call is due every so often, whether the ones before have ended or not.
  void RunOpen(Clock::time_point begun) {
    const auto every = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / options_.rate));
    // However late the calls are, answers are taken as they come.
    std::atomic<bool> all_started = false;
    std::thread taker([&] {
      while (!all_started || open_ > 0) Take(Clock::now() + std::chrono::milliseconds(100));
    });
    int64_t started = 0;
    for (auto due = begun; due < end_; due = begun + started * every) {
      std::this_thread::sleep_until(due);
      if (Clock::now() >= end_) break;
      Start(static_cast<int>(started++ % options_.channels));
    }
    all_started = true;
    taker.join();
  }

  void Start(int caller) {
    auto* const call = new Call;
    call->caller = caller;
    call->context.AddMetadata("starratings-actor", "load");
    std::string instance;
    const grpc::ByteBuffer request = Bytes(requests_.Next(instance));
    request_bytes_ = request.Length();
    call->begun = Clock::now();
    if (!options_.watch.empty()) sent_[instance] = call->begun;
    call->reader = stubs_[static_cast<size_t>(caller % options_.channels)]->PrepareUnaryCall(
        &call->context, requests_.method(), request, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->reply, &call->status, call);
    ++open_;
  }

  void Take(Clock::time_point until) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline =
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(until - Clock::now());
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    --open_;
    const Clock::time_point now = Clock::now();
    const bool measured = now >= measured_from_ && now < end_;
    if (options_.refusable && call->status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      if (measured) ++refused_;
      if (options_.rate == 0 && now < end_) Start(call->caller);
      return;
    }
    if (!call->status.ok()) {
      std::fprintf(stderr, "%s: %s\n", requests_.method().c_str(),
                   call->status.error_message().c_str());
      std::exit(1);
    }
    reply_bytes_ += call->reply.Length();
    ++replies_;
    if (measured) took_.push_back(Milliseconds(now - call->begun));
    if (options_.rate == 0 && now < end_) Start(call->caller);
  }

  std::string Report() {
    const double rate = static_cast<double>(took_.size()) / options_.seconds;
    std::vector<double> delivered;
    if (!options_.watch.empty()) delivered = watcher_.Took(sent_);
    char text[512];
    std::snprintf(text, sizeof text,
                  "{\"calls_per_second\": %.1f, \"refused_per_second\": %.1f, "
                  "\"p50_ms\": %.4f, \"p99_ms\": %.4f, "
                  "\"request_bytes\": %zu, \"reply_bytes\": %zu, \"replies\": %zu, "
                  "\"delivery_p50_ms\": %.4f, \"delivery_p99_ms\": %.4f}",
                  rate, static_cast<double>(refused_) / options_.seconds, Quantile(took_, 0.5),
                  Quantile(took_, 0.99), request_bytes_,
                  replies_ == 0 ? 0 : reply_bytes_ / replies_, replies_, Quantile(delivered, 0.5),
                  Quantile(delivered, 0.99));
    return text;
  }

  const LoadOptions& options_;
  Requests requests_;
  Watcher watcher_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  Clock::time_point measured_from_, end_;
  std::atomic<int> open_ = 0;
  size_t request_bytes_ = 0, reply_bytes_ = 0, replies_ = 0, refused_ = 0;
  std::vector<double> took_;
  std::unordered_map<std::string, Clock::time_point> sent_;
};

}  // namespace

std::string RunUnary(const LoadOptions& options) { return Unary(options).Run(); }

}  // namespace starratings::bench
