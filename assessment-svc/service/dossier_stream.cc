#include "assessment-svc/service/dossier_stream.h"

#include <mutex>
#include <optional>
#include <utility>

#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/dossier_blocks.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using assessment::v1::ExportDossiersRequest;
using assessment::v1::ExportDossiersResponse;

absl::Status ReaderTooSlow() {
  return status::Error(absl::StatusCode::kAborted, "READER_TOO_SLOW",
                       "a block was not read in time: resume after its cursor");
}

// One block is read while the one before is on its way.
class DossierStream final : public grpc::ServerWriteReactor<ExportDossiersResponse>,
                            private StreamHolder {
 public:
  DossierStream(const Parts& parts, const grpc::CallbackServerContext& context,
                const ExportDossiersRequest& request)
      : parts_(parts),
        context_(context),
        request_(request),
        slot_(parts.slots, *this, parts.slots.limits().export_stall) {
    Change([this] {
      if (!slot_.taken()) ended_ = PoolFull();
    });
  }

  void OnWriteDone(bool ok) override {
    Change([this, ok] {
      writing_ = false;
      slot_.Works();
      if (ok) return;
      filled_ = false;
      if (!ended_) ended_ = CallerGone();
    });
  }

  void OnDone() override { delete this; }

 private:
  // Makes a change, and starts what can be started after it, as one step: else
  // another thread could come to the end in between, and with it this.
  template <typename Make>
  void Change(Make make) {
    {
      const std::lock_guard lock(mutex_);
      make();
      if (!Advance()) return;
    }
    End();
  }

  void End() {
    // Before the caller knows: it may begin another at once. One that was cut
    // off keeps its place until it has gone.
    if (!cut_off_) slot_.Give();
    Finish(serving::ToGrpcStatus(*ended_));
  }

  // Ends behind the block that is on its way: the caller reads that first, and
  // then why it was cut off.
  void OnTooSlow() override {
    {
      const std::lock_guard lock(mutex_);
      if (!writing_ || finished_) return;  // It has been read just now.
      cut_off_ = true;
      filled_ = false;
      if (!ended_) ended_ = ReaderTooSlow();
      if (!Advance()) return;  // Once the block has been filled.
    }
    End();
  }

  void OnStuck() override { context_.TryCancel(); }

  // Under the lock; true, once, if all is over.
  bool Advance() {
    if (filled_ && !writing_) {
      filled_ = false;
      writing_ = true;
      slot_.Waits();
      StartWrite(&block_[next_]);
      next_ = 1 - next_;
    }
    if (!filling_ && !filled_ && !ended_) {
      // There is a place in the queue for every slot.
      filling_ = parts_.streams.Run([this] { Fill(); });
      if (!filling_) ended_ = PoolFull();
    }
    const bool all_written = !filled_ && (!writing_ || cut_off_);
    return ended_ && !filling_ && all_written && !std::exchange(finished_, true);
  }

  // Reads the next block.
  void Fill() {
    const absl::StatusOr<bool> more = TryToFill();
    Change([this, &more] {
      filling_ = false;
      if (ended_) return;
      filled_ = more.ok() && *more;
      if (!filled_) ended_ = more.status();
    });
  }

  absl::StatusOr<bool> TryToFill() {
    if (context_.IsCancelled()) return CallerGone();
    if (!blocks_) {
      ASSIGN_OR_RETURN(Export plan, PlanExport(parts_.store, request_, StepDeadlineOf(context_)));
      blocks_.emplace(parts_.store, parts_.streams, std::move(plan), EndOf(context_));
    }
    block_[next_].Clear();  // Its parts stay, for the next dossiers.
    return blocks_->Next(block_[next_]);
  }

  const Parts& parts_;
  const grpc::CallbackServerContext& context_;
  const ExportDossiersRequest request_;
  std::optional<DossierBlocks> blocks_;  // Of whoever fills.
  ExportDossiersResponse block_[2];

  std::mutex mutex_;  // Guards the rest.
  size_t next_ = 0;   // The block to fill, or that is filled.
  bool filling_ = false;
  bool filled_ = false;
  bool writing_ = false;
  bool finished_ = false;
  bool cut_off_ = false;
  std::optional<absl::Status> ended_;  // Nothing more is filled.

  StreamSlot slot_;  // Last: the first to go, before what it may call for is gone.
};

}  // namespace

grpc::ServerWriteReactor<ExportDossiersResponse>* NewDossierStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    const ExportDossiersRequest& request) {
  return new DossierStream(parts, context, request);
}

}  // namespace starratings::service
