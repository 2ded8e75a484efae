#include "assessment-svc/service/dossier_stream.h"

#include <cassert>
#include <optional>

#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/dossier_blocks.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"

namespace starratings::service {
namespace {

using assessment::v1::ExportDossiersRequest;
using assessment::v1::ExportDossiersResponse;

// One step at a time: a step on the pool ends with StartWrite or Finish, and
// OnWriteDone begins the next. So nothing is started twice, and nothing touches
// the reactor after Finish.
class DossierStream final : public grpc::ServerWriteReactor<ExportDossiersResponse> {
 public:
  DossierStream(const Parts& parts, const grpc::CallbackServerContext& context,
                const ExportDossiersRequest& request)
      : parts_(parts), context_(context), request_(request), admitted_(parts.slots.Take()) {
    if (!admitted_) {
      End(PoolFull());
      return;
    }
    Queue();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      End(CallerGone());
      return;
    }
    Queue();
  }

  void OnDone() override { delete this; }

 private:
  void Queue() {
    // There is a place in the queue for every slot.
    const bool queued = parts_.streams.Run([this] { Step(); });
    if (!queued) End(PoolFull());
  }

  void Step() {
    if (context_.IsCancelled()) {
      End(CallerGone());
      return;
    }
    const absl::Time deadline = StepDeadlineOf(context_);
    if (!blocks_) {
      absl::StatusOr<Export> plan = PlanExport(parts_.store, request_, deadline);
      if (!plan.ok()) {
        End(plan.status());
        return;
      }
      blocks_.emplace(parts_.store, *std::move(plan));
    }
    const absl::StatusOr<bool> more = blocks_->Next(deadline, block_);
    if (!more.ok() || !*more) {
      End(more.status());
      return;
    }
    StartWrite(&block_);
  }

  void End(const absl::Status& status) {
    assert(!ended_);
    ended_ = true;
    if (admitted_) parts_.slots.Give();
    Finish(serving::ToGrpcStatus(status));
  }

  const Parts& parts_;
  const grpc::CallbackServerContext& context_;
  const ExportDossiersRequest request_;
  const bool admitted_;
  std::optional<DossierBlocks> blocks_;
  ExportDossiersResponse block_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerWriteReactor<ExportDossiersResponse>* NewDossierStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    const ExportDossiersRequest& request) {
  return new DossierStream(parts, context, request);
}

}  // namespace starratings::service
