#include "assessment-svc/service/calls.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "common/serving/deadline.h"
#include "common/serving/grpc_status.h"
#include "common/serving/identity.h"
#include "common/status/errors.h"

namespace starratings::service {
namespace {

// Makes `write` one that the record refuses whatever it holds, unless its
// request id was used before; false if there is no such write of its kind.
bool Poison(store::Write& write) {
  struct Poisoner {
    // No etag has this form.
    bool operator()(store::EvidenceBatch& batch) {
      if (batch.items.empty()) return false;
      batch.items.front().expected = {store::Expectation::Kind::kEtag, "-"};
      return true;
    }
    // No entry has this revision, and no round.
    bool operator()(store::Registration& registration) {
      for (auto& draft : registration.codes) draft.seen = -1;
      return !registration.codes.empty();
    }
    bool operator()(store::SchemeDraft&) { return false; }
    bool operator()(store::SchemeApproval&) { return false; }
    bool operator()(store::RoundAct& act) {
      act.round.expected_revision = -1;
      return true;
    }
  };
  return std::visit(Poisoner(), write.body);
}

// The answer to a write that was refused here, and was put to the record only
// to learn whether it had been made before.
absl::StatusOr<store::Written> AnswerOfPoisoned(absl::StatusOr<store::Written> written,
                                                const absl::Status& refusal) {
  if (written.ok()) {
    if (written->replayed) return written;
    return absl::InternalError("the store has taken a write that it must refuse");
  }
  const std::string reason = status::DetailOf(written.status()).reason;
  if (reason == "REQUEST_ID_REUSED" || absl::IsUnavailable(written.status())) {
    return written.status();
  }
  return refusal;
}

// The store names a round's version by its revision, callers name it by its
// etag. Only a race gets here: the etag was checked before.
absl::StatusOr<store::Written> WithRoundEtag(absl::StatusOr<store::Written> written) {
  status::ErrorDetail detail = status::DetailOf(written.status());
  if (detail.reason != "ETAG_MISMATCH" || !detail.metadata.contains("round")) return written;
  std::string& etag = detail.metadata["etag"];
  if (!etag.empty() && absl::ascii_isdigit(static_cast<unsigned char>(etag[0]))) etag = "r" + etag;
  return status::ErrorWithDetail(written.status().code(), written.status().message(), detail);
}

}  // namespace

absl::Time DeadlineOf(const grpc::ServerContextBase& context) {
  return serving::DeadlineOf(context, kDeadlineDefault);
}

absl::Time EndOf(const grpc::ServerContextBase& context) {
  const auto given = context.deadline();
  if (given == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(given);
}

absl::Time StepDeadline(absl::Time end) { return std::min(end, absl::Now() + kDeadlineDefault); }

absl::Time StepDeadlineOf(const grpc::ServerContextBase& context) {
  return StepDeadline(EndOf(context));
}

absl::Status PoolFull() {
  status::ErrorDetail detail;
  detail.reason = "POOL_FULL";
  detail.retry_after = absl::Milliseconds(200);
  return status::ErrorWithDetail(absl::StatusCode::kResourceExhausted,
                                 "too many calls are waiting; try again", detail);
}

absl::Status CallerGone() {
  return status::Error(absl::StatusCode::kCancelled, "CANCELLED", "the caller has gone");
}

absl::Status StreamIdle() {
  return status::Error(absl::StatusCode::kAborted, "STREAM_IDLE",
                       "nothing was sent, or answers were not read, in time: open another stream "
                       "and send again what was not acknowledged");
}

absl::Status CheckWanted(const grpc::ServerContextBase& context, absl::Time deadline) {
  if (context.IsCancelled()) return CallerGone();
  if (absl::Now() < deadline) return absl::OkStatus();
  return status::Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE",
                       "the deadline passed before the call's turn came");
}

grpc::ServerUnaryReactor* RunRead(const Parts& parts, grpc::CallbackServerContext& context,
                                  std::function<absl::Status(absl::Time deadline)> read) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const absl::Time deadline = DeadlineOf(context);
  const bool queued = parts.calls.Run([reactor, deadline, &context, read = std::move(read)] {
    absl::Status status = CheckWanted(context, deadline);
    if (status.ok()) status = read(deadline);
    reactor->Finish(serving::ToGrpcStatus(status));
  });
  if (!queued) reactor->Finish(serving::ToGrpcStatus(PoolFull()));
  return reactor;
}

void SubmitPlan(const Parts& parts, Plan plan, absl::Time deadline, std::function<bool()> cancelled,
                store::Committer::Done done) {
  if (plan.refusal.ok()) {
    parts.committer.Submit(std::move(plan.write), deadline, std::move(cancelled),
                           [done = std::move(done)](absl::StatusOr<store::Written> written) {
                             done(WithRoundEtag(std::move(written)));
                           });
    return;
  }
  if (!Poison(plan.write)) {
    done(plan.refusal);
    return;
  }
  parts.committer.Submit(
      std::move(plan.write), deadline, std::move(cancelled),
      [refusal = plan.refusal, done = std::move(done)](absl::StatusOr<store::Written> written) {
        done(AnswerOfPoisoned(std::move(written), refusal));
      });
}

namespace {

// A write on its way: planned, submitted, answered. Planned again on the pool
// where the register has changed between the two.
class WriteCall : public std::enable_shared_from_this<WriteCall> {
 public:
  WriteCall(const Parts& parts, grpc::CallbackServerContext& context,
            grpc::ServerUnaryReactor* reactor, Call call,
            std::function<absl::StatusOr<Plan>(const Call&)> plan,
            std::function<absl::Status(const store::Written&)> answer)
      : parts_(parts),
        context_(context),
        reactor_(reactor),
        call_(std::move(call)),
        plan_(std::move(plan)),
        answer_(std::move(answer)) {}

  void Start(PlanAt at) {
    // What cannot be written is not planned either: under load that would take the time
    // of what can.
    if (const absl::Status room = parts_.committer.CheckRoom(); !room.ok()) return Finish(room);
    // Behind others there is time: and what comes together goes together.
    if (at == PlanAt::kPool || !parts_.committer.IsIdle()) return Queue();
    call_.may_wait = false;
    Run();
  }

 private:
  static constexpr int kPlansMost = 3;

  void Queue() {
    call_.may_wait = true;
    if (!parts_.calls.Run([self = shared_from_this()] { self->Run(); })) Finish(PoolFull());
  }

  void Run() {
    // Planning reads, and checks up to 10,000 items.
    if (const absl::Status wanted = CheckWanted(context_, call_.deadline); !wanted.ok()) {
      parts_.metrics.OnDropped();
      Finish(wanted);
      return;
    }
    absl::StatusOr<Plan> planned = plan_(call_);
    if (planned.ok() && planned->must_wait) return Queue();
    ++plans_;
    if (!planned.ok() || planned->answered) {
      Finish(planned.status());
      return;
    }
    SubmitPlan(
        parts_, *std::move(planned), call_.deadline,
        [self = shared_from_this()] { return self->context_.IsCancelled(); },
        [self = shared_from_this()](absl::StatusOr<store::Written> written) {
          self->Answer(std::move(written));
        });
  }

  void Answer(absl::StatusOr<store::Written> written) {
    if (IsRegisterChanged(written.status()) && plans_ < kPlansMost) {
      parts_.registers.Forget();
      Queue();
      return;
    }
    Finish(written.ok() ? answer_(*written) : written.status());
  }

  void Finish(const absl::Status& status) { reactor_->Finish(serving::ToGrpcStatus(status)); }

  const Parts& parts_;
  grpc::CallbackServerContext& context_;
  grpc::ServerUnaryReactor* const reactor_;
  Call call_;
  const std::function<absl::StatusOr<Plan>(const Call&)> plan_;
  const std::function<absl::Status(const store::Written&)> answer_;
  int plans_ = 0;
};

}  // namespace

bool IsRegisterChanged(const absl::Status& status) {
  return absl::IsAborted(status) && status::DetailOf(status).reason == "REGISTER_CHANGED";
}

grpc::ServerUnaryReactor* RunWrite(const Parts& parts, grpc::CallbackServerContext& context,
                                   std::function<absl::StatusOr<Plan>(const Call&)> plan,
                                   std::function<absl::Status(const store::Written&)> answer,
                                   PlanAt at) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  absl::StatusOr<std::string> actor = serving::ActorOf(context);
  if (!actor.ok()) {
    reactor->Finish(serving::ToGrpcStatus(actor.status()));
    return reactor;
  }
  std::make_shared<WriteCall>(parts, context, reactor, Call{*std::move(actor), DeadlineOf(context)},
                              std::move(plan), std::move(answer))
      ->Start(at);
  return reactor;
}

}  // namespace starratings::service
