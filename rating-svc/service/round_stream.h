// One RateRound: reads an export, rates each block, writes the ratings.
#pragma once

#include <atomic>
#include <deque>
#include <optional>

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

// The work goes round in a ring of single steps: read a block, rate it on the
// pool, write its messages one by one, read the next. Between the steps the
// stream waits without a thread, and a slow caller slows the export down: no
// more than one block and its ratings are ever held.
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
  class Export final : public grpc::ClientReadReactor<assessment::v1::ExportDossiersResponse> {
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
  void RateBlock();
  void Continue();
  void Fail(absl::Status failure);
  void OnExportDone(const grpc::Status& status);

  const StreamParts parts_;
  grpc::CallbackServerContext& context_;
  const rating::v1::RateRoundRequest request_;

  grpc::ClientContext export_context_;
  assessment::v1::ExportDossiersRequest export_request_;
  assessment::v1::ExportDossiersResponse block_;
  Export export_;
  std::optional<RoundRater> rater_;
  std::deque<rating::v1::RateRoundResponse> messages_;  // Still to be written.
  rating::v1::RateRoundResponse last_;
  absl::Status failure_;
};

}  // namespace starratings::service
