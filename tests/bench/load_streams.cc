// Streams of one kind: an import, an export, a round.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"
#include "tests/bench/load.h"

namespace starratings::bench {
namespace {

using assessment::v1::IngestEvidenceRequest;
using assessment::v1::IngestEvidenceResponse;
using Clock = std::chrono::steady_clock;

constexpr char kEvidence[] = "/starratings.assessment.v1.EvidenceService/";
constexpr char kRating[] = "/starratings.rating.v1.RatingService/";

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

// A stream of bytes, one step after the other but for one read that may wait.
class Stream {
 public:
  Stream(const std::string& address, const std::string& method)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
    context_.AddMetadata("starratings-actor", "load");
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(kWritten);
    Await(kWritten);
  }

  void Write(const grpc::ByteBuffer& message) {
    call_->Write(message, kWritten);
    if (!Await(kWritten)) Finish();
  }

  void WritesDone() {
    call_->WritesDone(kWritten);
    Await(kWritten);
  }

  // Begins to read, if no read is under way.
  void BeginRead() {
    if (!std::exchange(reading_, true)) call_->Read(&incoming_, kRead);
  }

  // Waits for the read; false at the end of the stream.
  bool Read() {
    BeginRead();
    const bool ok = read_done_ ? read_ok_ : Await(kRead);
    read_done_ = reading_ = false;
    return ok;
  }

  const grpc::ByteBuffer& incoming() const { return incoming_; }

  // Fails unless the stream has ended well.
  void Finish() {
    grpc::Status status;
    call_->Finish(&status, kWritten);
    Await(kWritten);
    if (!status.ok()) Fail(status.error_message());
  }

 private:
  static inline void* const kWritten = reinterpret_cast<void*>(1);
  static inline void* const kRead = reinterpret_cast<void*>(2);

  bool Await(void* wanted) {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      if (tag == wanted) return ok;
      if (tag == kRead) {
        read_done_ = true;
        read_ok_ = ok;
      }
    }
    return false;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::ByteBuffer incoming_;
  bool reading_ = false, read_done_ = false, read_ok_ = false;
};

template <typename Message>
Message Parse(grpc::ByteBuffer bytes) {
  Message message;
  if (!grpc::SerializationTraits<Message>::Deserialize(&bytes, &message).ok())
    Fail("not a message");
  return message;
}

// Every item of every organisation, organisation by organisation, `revisions`
// times over; as bytes, made before the clock starts.
std::vector<grpc::ByteBuffer> Batches(const LoadOptions& options) {
  std::vector<grpc::ByteBuffer> batches;
  IngestEvidenceRequest message;
  auto& batch = *message.mutable_batch();
  const auto flush = [&] {
    if (batch.submit().items().empty()) return;
    batch.set_number(static_cast<int64_t>(batches.size()) + 1);
    batch.mutable_submit()->set_request_id(NewUuid());
    batches.push_back(Bytes(message.SerializeAsString()));
    batch.mutable_submit()->clear_items();
  };
  auto& source = *batch.mutable_submit()->add_sources();
  source.set_id("s");
  source.set_title("A load");
  batch.mutable_submit()->set_reason("A load");
  for (int revision = 0; revision < options.revisions; ++revision) {
    for (int organisation = 0; organisation < options.organisations; ++organisation) {
      for (int code = 0; code < options.codes; ++code) {
        auto& item = *batch.mutable_submit()->add_items()->mutable_item();
        item.set_organisation(OrganisationId(organisation));
        item.set_period("2001-02");
        item.set_code(CodeId(code));
        item.mutable_value()->set_decimal(
            std::to_string((organisation * 31 + code * 7 + revision) % 1000) + ".5");
        item.set_source_id("s");
        if (batch.submit().items_size() == options.batch) flush();
      }
    }
    flush();
  }
  return batches;
}

double SecondsSince(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

}  // namespace

std::string RunIngest(const LoadOptions& options) {
  const std::vector<grpc::ByteBuffer> batches = Batches(options);
  Stream stream(options.address, std::string(kEvidence) + "IngestEvidence");
  IngestEvidenceRequest begin;
  begin.mutable_begin()->set_import_id(NewUuid());
  begin.mutable_begin()->set_title("A load");
  const Clock::time_point begun = Clock::now();
  stream.Write(Bytes(begin.SerializeAsString()));
  if (!stream.Read()) stream.Finish();
  const size_t window =
      static_cast<size_t>(Parse<IngestEvidenceResponse>(stream.incoming()).ready().window());
  size_t sent = 0, answered = 0;
  std::string token;
  while (answered < batches.size()) {
    while (sent < batches.size() && sent < answered + window) stream.Write(batches[sent++]);
    if (!stream.Read()) stream.Finish();
    const auto answer = Parse<IngestEvidenceResponse>(stream.incoming());
    if (!answer.has_recorded()) Fail(answer.refused().error().message());
    token = answer.recorded().submitted().snapshot().token();
    ++answered;
  }
  const double seconds = SecondsSince(begun);
  stream.WritesDone();
  if (stream.Read()) Fail("more answers than batches");
  stream.Finish();
  const int64_t items = int64_t{options.organisations} * options.codes * options.revisions;
  char text[256];
  std::snprintf(
      text, sizeof text,
      "{\"items\": %lld, \"seconds\": %.3f, \"items_per_second\": %.1f, \"token\": \"%s\"}",
      static_cast<long long>(items), seconds, static_cast<double>(items) / seconds, token.c_str());
  return text;
}

std::string RunExport(const LoadOptions& options) {
  Stream stream(options.address, std::string(kEvidence) + "ExportDossiers");
  assessment::v1::ExportDossiersRequest request;
  request.mutable_selection()->set_period("2001-02");
  request.mutable_selection()->mutable_selector()->add_kinds("home");
  if (!options.token.empty()) {
    request.mutable_selection()->mutable_freshness()->set_exactly(options.token);
  }
  const Clock::time_point begun = Clock::now();
  stream.Write(Bytes(request.SerializeAsString()));
  stream.WritesDone();
  // Counted afterwards: whoever copies from a database does not parse either.
  std::vector<grpc::ByteBuffer> blocks;
  while (stream.Read()) blocks.push_back(stream.incoming());
  const double seconds = SecondsSince(begun);
  stream.Finish();
  int64_t items = 0;
  size_t bytes = 0;
  for (const grpc::ByteBuffer& block : blocks) {
    bytes += block.Length();
    const auto message = Parse<assessment::v1::ExportDossiersResponse>(block);
    for (const auto& dossier : message.dossiers()) {
      items += dossier.items_size();
    }
  }
  char text[256];
  std::snprintf(text, sizeof text,
                "{\"items\": %lld, \"bytes\": %zu, \"seconds\": %.3f, \"items_per_second\": %.1f}",
                static_cast<long long>(items), bytes, seconds,
                static_cast<double>(items) / seconds);
  return text;
}

std::string RunRound(const LoadOptions& options) {
  Stream stream(options.address, std::string(kRating) + "RateRound");
  rating::v1::RateRoundRequest request;
  request.set_round(options.round);
  request.set_compact(true);
  const Clock::time_point begun = Clock::now();
  stream.Write(Bytes(request.SerializeAsString()));
  stream.WritesDone();
  size_t bytes = 0;
  grpc::ByteBuffer last;
  while (stream.Read()) {
    last = stream.incoming();
    bytes += last.Length();
  }
  const double seconds = SecondsSince(begun);
  stream.Finish();
  const auto summary = Parse<rating::v1::RateRoundResponse>(last).summary();
  char text[256];
  std::snprintf(text, sizeof text,
                "{\"organisations\": %lld, \"bytes\": %zu, \"seconds\": %.3f, "
                "\"digest\": \"%s\"}",
                static_cast<long long>(summary.count()), bytes, seconds,
                summary.round_digest().c_str());
  return text;
}

}  // namespace starratings::bench
