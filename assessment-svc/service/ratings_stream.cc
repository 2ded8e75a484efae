#include "assessment-svc/service/ratings_stream.h"

#include <cassert>
#include <optional>
#include <utility>

#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/ratings_receiver.h"
#include "assessment-svc/service/round_acts.h"
#include "common/serving/grpc_status.h"
#include "common/serving/identity.h"
#include "common/status/field_errors.h"

namespace starratings::service {
namespace {

using assessment::v1::RecordRatingsRequest;
using assessment::v1::RecordRatingsResponse;

// One step at a time, as DossierStream: OnReadDone begins one, which ends with
// StartRead or Finish, or with a write that ends with Finish.
class RatingsStream final : public grpc::ServerReadReactor<RecordRatingsRequest> {
 public:
  RatingsStream(const Parts& parts, const grpc::CallbackServerContext& context,
                RecordRatingsResponse& response)
      : parts_(parts), context_(context), response_(response), admitted_(parts.slots.Take()) {
    absl::StatusOr<std::string> actor = serving::ActorOf(context);
    if (!actor.ok() || !admitted_) {
      End(admitted_ ? actor.status() : PoolFull());
      return;
    }
    receiver_.emplace(parts, *std::move(actor));
    StartRead(&part_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End(Incomplete());
      return;
    }
    // There is a place in the queue for every slot.
    const bool queued = parts_.streams.Run([this] { Step(); });
    if (!queued) End(PoolFull());
  }

  void OnDone() override { delete this; }

 private:
  void Step() {
    if (context_.IsCancelled()) {
      End(Incomplete());
      return;
    }
    const absl::Time deadline = StepDeadlineOf(context_);
    if (part_.has_commit()) {
      Commit(deadline);
      return;
    }
    const absl::Status status = receiver_->Take(part_, deadline);
    if (!status.ok()) {
      End(status);
      return;
    }
    StartRead(&part_);
  }

  void Commit(absl::Time deadline) {
    absl::StatusOr<Plan> plan = receiver_->Finish(part_, deadline);
    if (!plan.ok()) {
      End(plan.status());
      return;
    }
    SubmitPlan(
        parts_, *std::move(plan), deadline, [this] { return context_.IsCancelled(); },
        [this, deadline](absl::StatusOr<store::Written> written) {
          End(written.ok() ? AnswerAct(parts_.store, receiver_->round(), written->revision,
                                       deadline, response_)
                           : written.status());
        });
  }

  // The caller has gone, or has said all it will without saying `commit`.
  absl::Status Incomplete() const {
    if (context_.IsCancelled()) return CallerGone();
    status::FieldErrors errors;
    errors.Add("part", "must be `commit` in the last message");
    return errors.ToStatus();
  }

  void End(const absl::Status& status) {
    assert(!ended_);
    ended_ = true;
    // Before the caller knows: it may begin the same attempt again at once.
    receiver_.reset();
    if (admitted_) parts_.slots.Give();
    Finish(serving::ToGrpcStatus(status));
  }

  const Parts& parts_;
  const grpc::CallbackServerContext& context_;
  RecordRatingsResponse& response_;
  const bool admitted_;
  std::optional<RatingsReceiver> receiver_;
  RecordRatingsRequest part_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerReadReactor<RecordRatingsRequest>* NewRatingsStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    RecordRatingsResponse& response) {
  return new RatingsStream(parts, context, response);
}

}  // namespace starratings::service
