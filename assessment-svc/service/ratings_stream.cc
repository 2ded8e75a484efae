#include "assessment-svc/service/ratings_stream.h"

#include <atomic>
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

// One step at a time: OnReadDone begins one, which ends with StartRead or Finish,
// or with a write that ends with Finish. While it reads, who waits for the caller
// may end it, too.
class RatingsStream final : public grpc::ServerReadReactor<RecordRatingsRequest>,
                            private StreamHolder {
 public:
  RatingsStream(const Parts& parts, const grpc::CallbackServerContext& context,
                RecordRatingsResponse& response)
      : parts_(parts),
        context_(context),
        response_(response),
        slot_(parts.slots, *this, parts.slots.limits().import_idle) {
    absl::StatusOr<std::string> actor = serving::ActorOf(context);
    if (!actor.ok() || !slot_.taken()) {
      End(slot_.taken() ? actor.status() : PoolFull());
      return;
    }
    receiver_.emplace(parts, *std::move(actor));
    Read();
  }

  void OnReadDone(bool ok) override {
    State reading = State::kReading;
    if (!state_.compare_exchange_strong(reading, State::kWorking)) return;  // It is over.
    slot_.Works();
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
  enum class State { kWorking, kReading, kEnded };

  void Read() {
    state_ = State::kReading;
    slot_.Waits();
    StartRead(&part_);
  }

  void OnTooSlow() override {
    State reading = State::kReading;
    if (!state_.compare_exchange_strong(reading, State::kEnded)) return;  // Something came.
    End(StreamIdle());
  }

  void OnStuck() override { context_.TryCancel(); }

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
    Read();
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
    state_ = State::kEnded;
    // Before the caller knows: it may begin the same attempt again at once.
    receiver_.reset();
    slot_.Give();
    Finish(serving::ToGrpcStatus(status));
  }

  const Parts& parts_;
  const grpc::CallbackServerContext& context_;
  RecordRatingsResponse& response_;
  std::optional<RatingsReceiver> receiver_;
  RecordRatingsRequest part_;
  std::atomic<State> state_ = State::kWorking;
  StreamSlot slot_;  // Last: the first to go, before what it may call for is gone.
};

}  // namespace

grpc::ServerReadReactor<RecordRatingsRequest>* NewRatingsStream(
    const Parts& parts, const grpc::CallbackServerContext& context,
    RecordRatingsResponse& response) {
  return new RatingsStream(parts, context, response);
}

}  // namespace starratings::service
