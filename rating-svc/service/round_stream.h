// One RateRound: reads an export, rates each block, writes the ratings.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "common/serving/pool.h"
#include "grpcpp/grpcpp.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/rating_metrics.h"
#include "rating-svc/service/round_rater.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

// What every stream uses. All must outlive the streams.
struct StreamParts {
  const EvidenceClient& client;
  SchemeLibrary& schemes;
  RatingMetrics& metrics;
  // Must take one piece of work for each stream that runs.
  serving::Pool& pool;
  std::atomic<int>& running;
};

// Three things go on at once: the next block is read, one is rated on the pool,
// and the messages of the one before are written, one by one. Between its steps
// the stream waits without a thread, and a slow caller slows the export down: no
// more than two blocks and the ratings of two are ever held.
//
// Deletes itself when gRPC is done with it.
class RoundStream final : public grpc::ServerWriteReactor<rating::v1::RateRoundResponse> {
 public:
  // Counts itself in parts.running, whence it is taken when it ends. `context`
  // lives as long as the call.
  RoundStream(const StreamParts& parts, grpc::CallbackServerContext& context,
              rating::v1::RateRoundRequest request);

  // Begins, or refuses if more than `running_most` would run. Call once.
  void Start(int running_most);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  using Block = assessment::v1::ExportDossiersResponse;

  class Export final : public grpc::ClientReadReactor<Block> {
   public:
    explicit Export(RoundStream& stream) : stream_(stream) {}
    void OnReadDone(bool ok) override { stream_.OnBlock(ok); }
    void OnDone(const grpc::Status& status) override { stream_.OnExportDone(status); }

   private:
    RoundStream& stream_;
  };

  absl::Status Plan();
  void Begin();
  void OnBlock(bool ok);
  void OnExportDone(const grpc::Status& status);
  void RateBlock(const Block& block);
  absl::StatusOr<std::vector<rating::v1::RateRoundResponse>> Rated(const Block& block);

  // Makes a change, and starts what can be started after it, as one step: else
  // another thread could come to the end in between, and with it this.
  template <typename Make>
  void Change(Make make);
  // Under the lock; true, once, if all is over.
  bool Advance();
  void Fail(absl::Status failure);
  void ReadNoMore();
  void End();

  const StreamParts parts_;
  grpc::CallbackServerContext& context_;
  const rating::v1::RateRoundRequest request_;

  grpc::ClientContext export_context_;
  assessment::v1::ExportDossiersRequest export_request_;
  Export export_;
  std::optional<RoundRater> rater_;  // Of whoever rates.
  rating::v1::RateRoundResponse last_;

  std::mutex mutex_;  // Guards the rest.
  // One is rated while the next is read into the other.
  Block blocks_[2];
  size_t next_ = 0;  // The block to read, or that waits to be rated.
  bool reading_ = true;
  bool waiting_ = false;
  bool rating_ = false;
  bool writing_ = false;
  bool held_ = true;  // The export: reads may still be started.
  bool export_done_ = false;
  bool finished_ = false;
  std::deque<rating::v1::RateRoundResponse> messages_;  // Still to be written.
  absl::Status failure_;
};

}  // namespace starratings::service
