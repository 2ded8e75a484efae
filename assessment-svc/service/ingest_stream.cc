#include "assessment-svc/service/ingest_stream.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/evidence_writes.h"
#include "assessment-svc/service/imports.h"
#include "common/evidence/text.h"
#include "common/serving/grpc_status.h"
#include "common/serving/identity.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using assessment::v1::IngestEvidenceRequest;
using assessment::v1::IngestEvidenceResponse;
using Reactor = grpc::ServerBidiReactor<IngestEvidenceRequest, IngestEvidenceResponse>;

constexpr size_t kTitleBytesMost = 500;
constexpr absl::Duration kBatchMost = absl::Seconds(60);

absl::Status CheckBegin(const IngestEvidenceRequest& request) {
  status::FieldErrors errors;
  if (!request.has_begin()) {
    errors.Add("begin", "must come first");
    return errors.ToStatus();
  }
  errors.AddIfError("begin.import_id", evidence::CheckUuid(request.begin().import_id()));
  errors.AddIfError("begin.title",
                    evidence::CheckText(request.begin().title(), 1, kTitleBytesMost));
  if (request.begin().items_total() < 0) errors.Add("begin.items_total", "must not be negative");
  if (request.begin().items_before() < 0) errors.Add("begin.items_before", "must not be negative");
  return errors.ToStatus();
}

absl::Status CheckBatch(const IngestEvidenceRequest& request, int64_t number) {
  status::FieldErrors errors;
  if (!request.has_batch()) {
    errors.Add("batch", "must follow `begin`, which comes once");
  } else if (request.batch().number() != number) {
    errors.Add("batch.number",
               absl::StrCat("must be ", number, ", and is ", request.batch().number()));
  }
  return errors.ToStatus();
}

absl::Status WindowOverrun() {
  return status::Error(
      absl::StatusCode::kResourceExhausted, "WINDOW_OVERRUN",
      absl::StrCat("more than ", kIngestWindow, " batches are unacknowledged: wait for answers"));
}

// Says nothing about a batch: the stream cannot go on.
bool EndsStream(const absl::Status& error) {
  return absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error) ||
         absl::IsCancelled(error) || absl::IsResourceExhausted(error) || absl::IsDataLoss(error);
}

// Reads, plans one batch after the other on the pool, and writes answers; the
// three go on side by side. Callbacks of the committer may come when the caller
// has gone: they hold the stream, not gRPC's reactor.
class IngestStream final : public Reactor,
                           public std::enable_shared_from_this<IngestStream>,
                           private StreamHolder {
 public:
  IngestStream(const Parts& parts, const grpc::CallbackServerContext& context)
      : parts_(parts), context_(context) {
    slot_.emplace(parts.slots, static_cast<StreamHolder&>(*this), parts.slots.limits().import_idle);
  }

  void Start(std::shared_ptr<IngestStream> self) {
    self_ = std::move(self);
    absl::StatusOr<std::string> actor = serving::ActorOf(context_);
    const std::lock_guard lock(mutex_);
    if (!slot_->taken() || !actor.ok()) {
      EndLocked(slot_->taken() ? actor.status() : PoolFull());
      return;
    }
    actor_ = *std::move(actor);
    StartRead(&incoming_);
    NoteWaitLocked();
  }

  void OnReadDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    if (!ok) {
      all_read_ = true;
      EndIfAllAnsweredLocked();
    } else if (const absl::Status taken = TakeLocked(); !taken.ok()) {
      EndLocked(taken);
    } else {
      incoming_.Clear();
      StartRead(&incoming_);
    }
    NoteWaitLocked();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) EndLocked(CallerGone());
    WriteLocked();
    NoteWaitLocked();
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    EndLocked(CallerGone());
  }

  void OnDone() override {
    slot_.reset();
    self_.reset();  // Who still holds the stream calls nothing of gRPC's.
  }

 private:
  // Ends, if need be behind an answer that is not read.
  void OnTooSlow() override {
    const std::lock_guard lock(mutex_);
    if (IsBusyLocked()) return;
    EndLocked(StreamIdle());
    FinishLocked();
  }

  void OnStuck() override { context_.TryCancel(); }

  // Something is to be done for the caller, and no answer waits to be read.
  bool IsBusyLocked() const {
    return !writing_ && (planning_ || !inbox_.empty() || unanswered_ > 0 || all_read_);
  }

  // After each change: whose turn is it? A wait begins anew with each change.
  void NoteWaitLocked() {
    if (finished_) return;  // The place may be gone.
    if (IsBusyLocked()) {
      slot_->Works();
    } else {
      slot_->Waits();
    }
  }

  // What came in goes to the planner.
  absl::Status TakeLocked() {
    if (!begun_) {
      RETURN_IF_ERROR(CheckBegin(incoming_));
      begun_ = true;
    } else {
      RETURN_IF_ERROR(CheckBatch(incoming_, received_ + 1));
      // A batch counts until its answer is on its way: before that the caller
      // cannot have read it.
      if (++unanswered_ > kIngestWindow) return WindowOverrun();
      ++received_;
    }
    inbox_.push_back(std::move(incoming_));
    PlanLocked();
    return absl::OkStatus();
  }

  void PlanLocked() {
    if (planning_ || inbox_.empty() || ended_) return;
    planning_ = true;
    // There is a place in the queue for every slot.
    const bool queued = parts_.streams.Run([self = shared_from_this()] { self->Plan(); });
    if (!queued) EndLocked(PoolFull());
  }

  // On the pool; one at a time.
  void Plan() {
    IngestEvidenceRequest request;
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      request = std::move(inbox_.front());
      inbox_.pop_front();
    }
    const absl::Time deadline = absl::Now() + kBatchMost;
    if (request.has_begin()) {
      Begin(request.begin(), deadline);
      return;
    }
    Submit(request.batch(), deadline);
    const std::lock_guard lock(mutex_);
    PlannedLocked();
  }

  void PlannedLocked() {
    planning_ = false;
    PlanLocked();
    EndIfAllAnsweredLocked();
    NoteWaitLocked();
  }

  void Begin(const IngestEvidenceRequest::Begin& begin, absl::Time deadline) {
    // What was registered before the import is known to all its batches.
    const absl::Status looked = parts_.registers.Look({}, /*fresh=*/true, deadline).status();
    if (!looked.ok()) {
      const std::lock_guard lock(mutex_);
      EndLocked(looked);
      return;
    }
    notes_.emplace(parts_.store, parts_.notes, actor_, begin);
    // Noted before the caller knows that it has begun; its batches wait for that.
    notes_->Begin([self = shared_from_this()] { self->Begun(); });
  }

  void Begun() {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      IngestEvidenceResponse response;
      response.mutable_ready()->set_window(kIngestWindow);
      outbox_.push_back(std::move(response));
      WriteLocked();
    }
    PlannedLocked();
  }

  void Submit(const IngestEvidenceRequest::Batch& batch, absl::Time deadline) {
    const Call call{actor_, deadline};
    const int64_t number = batch.number();
    const int64_t items = batch.submit().validate_only() ? 0 : batch.submit().items_size();
    absl::StatusOr<service::Plan> plan = PlanSubmit(parts_, batch.submit(), call);
    if (!plan.ok()) {
      Answer(number, plan.status());
      return;
    }
    notes_->Add(items);
    SubmitPlan(
        parts_, *std::move(plan), deadline,
        [self = shared_from_this()] { return self->HasEnded(); },
        [self = shared_from_this(), number](absl::StatusOr<store::Written> written) {
          if (IsRegisterChanged(written.status())) self->parts_.registers.Forget();
          self->Answer(number, std::move(written));
        });
  }

  bool HasEnded() {
    const std::lock_guard lock(mutex_);
    return ended_.has_value();
  }

  // Of the committer's threads, or the pool's.
  void Answer(int64_t number, absl::StatusOr<store::Written> written) {
    IngestEvidenceResponse response;
    if (written.ok()) {
      response.mutable_recorded()->set_number(number);
      AnswerSubmit(parts_.store, *written, *response.mutable_recorded()->mutable_submitted());
    } else {
      response.mutable_refused()->set_number(number);
      *response.mutable_refused()->mutable_error() = serving::ToRichStatus(written.status());
    }
    const std::lock_guard lock(mutex_);
    if (!written.ok() && EndsStream(written.status())) {
      EndLocked(written.status());
      return;
    }
    outbox_.push_back(std::move(response));
    WriteLocked();
    NoteWaitLocked();
  }

  void WriteLocked() {
    if (writing_ || finished_) return;
    if (ended_) {
      FinishLocked();
    } else if (!outbox_.empty()) {
      outgoing_ = std::move(outbox_.front());
      outbox_.pop_front();
      if (!outgoing_.has_ready()) --unanswered_;
      writing_ = true;
      StartWrite(&outgoing_);
    } else {
      EndIfAllAnsweredLocked();
    }
  }

  void EndIfAllAnsweredLocked() {
    const bool all_answered = begun_ && unanswered_ == 0 && inbox_.empty() && outbox_.empty();
    if (!all_read_ || ended_ || writing_) return;
    if (!begun_) {
      EndLocked(CheckBegin({}));
    } else if (all_answered && !planning_) {
      planning_ = true;
      if (!parts_.streams.Run([self = shared_from_this()] { self->Conclude(); })) {
        EndLocked(PoolFull());
      }
    }
  }

  // On the pool, after everything.
  void Conclude() {
    notes_->End([self = shared_from_this()] {
      const std::lock_guard lock(self->mutex_);
      self->EndLocked(absl::OkStatus());
    });
  }

  void EndLocked(const absl::Status& status) {
    if (ended_) return;
    ended_ = status;
    inbox_.clear();
    outbox_.clear();
    if (!writing_) FinishLocked();
  }

  void FinishLocked() {
    if (finished_) return;
    finished_ = true;
    // One that does not read its answers keeps its place until it has gone.
    if (!writing_) slot_->Give();
    Finish(serving::ToGrpcStatus(*ended_));
  }

  const Parts& parts_;
  const grpc::CallbackServerContext& context_;
  std::shared_ptr<IngestStream> self_;  // Until gRPC is done.
  std::optional<StreamSlot> slot_;      // Until gRPC is done.
  std::string actor_;
  std::optional<ImportNotes> notes_;  // Of the planner.

  std::mutex mutex_;  // Guards the rest.
  IngestEvidenceRequest incoming_;
  IngestEvidenceResponse outgoing_;
  std::deque<IngestEvidenceRequest> inbox_;
  std::deque<IngestEvidenceResponse> outbox_;
  int64_t received_ = 0;  // Batches.
  int unanswered_ = 0;    // Of those, whose answer is not on its way.
  bool begun_ = false;
  bool planning_ = false;
  bool writing_ = false;
  bool all_read_ = false;
  bool finished_ = false;
  std::optional<absl::Status> ended_;
};

}  // namespace

Reactor* NewIngestStream(const Parts& parts, grpc::CallbackServerContext& context) {
  auto stream = std::make_shared<IngestStream>(parts, context);
  IngestStream* const reactor = stream.get();
  reactor->Start(std::move(stream));
  return reactor;
}

}  // namespace starratings::service
