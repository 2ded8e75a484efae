#include "assessment-svc/service/watch_stream.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/snapshots.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using assessment::v1::WatchEvidenceRequest;
using assessment::v1::WatchEvidenceResponse;
using assessment::v1::WatchRoundsRequest;
using assessment::v1::WatchRoundsResponse;
using status::FieldErrors;
using watch::Tail;

void CheckFilter(const WatchEvidenceRequest& request, FieldErrors& errors) {
  if (request.organisations_size() > kFilterMost) {
    errors.Add("organisations", absl::StrCat("must have at most ", kFilterMost));
  }
  for (int i = 0; i < std::min(request.organisations_size(), kFilterMost); ++i) {
    errors.AddIfError(absl::StrCat("organisations[", i, "]"),
                      evidence::CheckOrganisationId(request.organisations(i)));
  }
  if (!request.period().empty()) {
    errors.AddIfError("period", evidence::CheckSlug(request.period()));
  }
  CheckCodes(request.codes(), errors);
  if (!request.has_shard()) return;
  if (request.shard().count() < 1 || request.shard().count() > digest::kBuckets) {
    errors.Add("shard.count", absl::StrCat("must be 1 to ", digest::kBuckets));
  } else if (request.shard().index() < 0 || request.shard().index() >= request.shard().count()) {
    errors.Add("shard.index", "must be 0 to count - 1");
  }
}

absl::StatusOr<watch::Filter> FilterOf(const WatchEvidenceRequest& request) {
  FieldErrors errors;
  CheckFilter(request, errors);
  RETURN_IF_ERROR(errors.ToStatus());
  watch::Filter filter;
  filter.organisations.insert(request.organisations().begin(), request.organisations().end());
  filter.period = request.period();
  filter.codes.insert(request.codes().begin(), request.codes().end());
  if (request.has_shard()) {
    std::tie(filter.first_bucket, filter.end_bucket) =
        digest::BucketsOfShard(request.shard().index(), request.shard().count());
  }
  return filter;
}

absl::StatusOr<watch::Filter> FilterOf(const WatchRoundsRequest& request) {
  FieldErrors errors;
  if (request.rounds_size() > kFilterMost) {
    errors.Add("rounds", absl::StrCat("must have at most ", kFilterMost));
  }
  for (int i = 0; i < std::min(request.rounds_size(), kFilterMost); ++i) {
    errors.AddIfError(absl::StrCat("rounds[", i, "]"), evidence::CheckSlug(request.rounds(i)));
  }
  RETURN_IF_ERROR(errors.ToStatus());
  watch::Filter filter;
  filter.what = watch::Filter::What::kRounds;
  filter.rounds.insert(request.rounds().begin(), request.rounds().end());
  return filter;
}

// What is watched, and from where to where.
template <typename Request>
absl::StatusOr<watch::Cursor> PlanWatch(const store::EvidenceStore& store, const Request& request,
                                        absl::Time deadline) {
  ASSIGN_OR_RETURN(watch::Filter filter, FilterOf(request));
  int64_t until = watch::Cursor::kNever;
  if (!request.until().empty()) {
    ASSIGN_OR_RETURN(until, RevisionOfToken(store, request.until(), "until", deadline));
  }
  int64_t after = 0;
  if (request.after().empty()) {
    ASSIGN_OR_RETURN(after, store.Head(deadline));
  } else {
    ASSIGN_OR_RETURN(after, RevisionOfToken(store, request.after(), "after", deadline));
  }
  return watch::Cursor(std::move(filter), after, until);
}

absl::Status MakeMessage(const store::EvidenceStore& store, const WatchEvidenceRequest&,
                         const watch::Message& message, absl::Time,
                         WatchEvidenceResponse& response) {
  response.Clear();
  wire::SourceWriter sources(*response.mutable_sources());
  for (const watch::Delivery& delivery : message.deliveries) {
    for (const size_t i : delivery.items) {
      sources.Write(delivery.part->items()[i], *response.add_items());
    }
  }
  const std::optional<int64_t> revision = message.Revision();
  response.set_more(!revision);
  if (revision) *response.mutable_snapshot() = SnapshotAt(store, *revision);
  response.set_register_changed(message.RegisterChanged());
  return absl::OkStatus();
}

// The rounds as they were after each act, which is read again: there are few.
absl::Status MakeMessage(const store::EvidenceStore& store, const WatchRoundsRequest& request,
                         const watch::Message& message, absl::Time deadline,
                         WatchRoundsResponse& response) {
  response.Clear();
  for (const watch::Delivery& delivery : message.deliveries) {
    if (delivery.part == nullptr) continue;
    for (const std::string& id : delivery.part->logged().rounds) {
      const auto& wanted = request.rounds();
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
      ASSIGN_OR_RETURN(const RoundRecord record,
                       ReadRound(store, id, delivery.part->revision(), deadline));
      *response.add_rounds() = ToProto(store, record);
    }
  }
  if (const auto revision = message.Revision()) {
    *response.mutable_snapshot() = SnapshotAt(store, *revision);
  }
  return absl::OkStatus();
}

// Who has the turn (see watch::Watcher) takes a step on the pool, which ends
// with a write, with the turn given away, or with Finish.
template <typename Request, typename Response>
class WatchStream final : public grpc::ServerWriteReactor<Response>, private watch::Watcher {
 public:
  WatchStream(const WatchParts& parts, grpc::CallbackServerContext& context, const Request& request)
      : parts_(parts), context_(context), request_(request) {
    if (const absl::Status entered = parts_.tail.Enter(*this); !entered.ok()) {
      this->Finish(serving::ToGrpcStatus(entered));
      return;
    }
    entered_ = true;
    OnTurn();
  }

  void OnWriteDone(bool ok) override {
    if (!parts_.tail.Sent(*this)) return;
    if (ok) {
      OnTurn();
    } else {
      End(CallerGone());
    }
  }

  void OnCancel() override {
    if (entered_ && parts_.tail.Gone(*this)) End(CallerGone());
  }

  void OnDone() override {
    if (entered_) parts_.tail.Leave(*this);
    delete this;
  }

 private:
  void OnTurn() override {
    if (!parts_.steps.Run([this] { Step(); })) End(PoolFull());
  }

  void OnTooSlow() override {
    // After the write that is on its way was started, and behind it: the caller
    // reads it first, and then why it was cut off.
    const std::shared_ptr<std::mutex> starting = starting_;
    const std::lock_guard lock(*starting);
    this->Finish(serving::ToGrpcStatus(
        WithToken(status::Error(absl::StatusCode::kAborted, "WATCHER_TOO_SLOW",
                                "messages were not read in time: resume with the token"),
                  told())));
  }

  void OnStuck() override { context_.TryCancel(); }

  void Step() {
    const absl::Time deadline = StepDeadlineOf(context_);
    if (!begun_) {
      absl::StatusOr<watch::Cursor> cursor = PlanWatch(parts_.store, request_, deadline);
      if (!cursor.ok()) {
        End(cursor.status());
        return;
      }
      parts_.tail.Begin(*this, *std::move(cursor));
      begun_ = true;
    }
    watch::Message message;
    const int64_t told_before = told();
    const absl::StatusOr<Tail::Turn> turn = parts_.tail.Next(*this, deadline, message);
    if (!turn.ok()) {
      End(WithToken(turn.status(), told_before));
      return;
    }
    switch (*turn) {
      case Tail::Turn::kSend: {
        if (const absl::Status made =
                MakeMessage(parts_.store, request_, message, deadline, response_);
            !made.ok()) {
          End(WithToken(made, told_before));
          return;
        }
        const std::shared_ptr<std::mutex> starting = starting_;
        const std::lock_guard lock(*starting);
        parts_.tail.Sending(*this);
        this->StartWrite(&response_);
        break;
      }
      case Tail::Turn::kAgain:
        OnTurn();
        break;
      case Tail::Turn::kWait:
        break;  // Nothing may be touched any more.
      case Tail::Turn::kEnd:
        End(absl::OkStatus());
        break;
    }
  }

  // What it takes to resume after `told`, beside why that is necessary.
  absl::Status WithToken(const absl::Status& error, int64_t told) const {
    status::ErrorDetail detail = status::DetailOf(error);
    detail.metadata["token"] = SnapshotAt(parts_.store, told).token();
    return status::ErrorWithDetail(error.code(), error.message(), detail);
  }

  void End(const absl::Status& status) {
    parts_.tail.End(*this);
    this->Finish(serving::ToGrpcStatus(status));
  }

  const WatchParts& parts_;
  grpc::CallbackServerContext& context_;
  const Request request_;
  bool entered_ = false;
  bool begun_ = false;
  Response response_;
  // Held while a write or a finish is started, which may be done on two
  // threads; outlives the stream.
  const std::shared_ptr<std::mutex> starting_ = std::make_shared<std::mutex>();
};

}  // namespace

grpc::ServerWriteReactor<WatchEvidenceResponse>* NewWatchStream(
    const WatchParts& parts, grpc::CallbackServerContext& context,
    const WatchEvidenceRequest& request) {
  return new WatchStream<WatchEvidenceRequest, WatchEvidenceResponse>(parts, context, request);
}

grpc::ServerWriteReactor<WatchRoundsResponse>* NewRoundsWatchStream(
    const WatchParts& parts, grpc::CallbackServerContext& context,
    const WatchRoundsRequest& request) {
  return new WatchStream<WatchRoundsRequest, WatchRoundsResponse>(parts, context, request);
}

}  // namespace starratings::service
