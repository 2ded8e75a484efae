#include "rating-svc/service/round_stream.h"

#include <utility>

#include "common/digest/bucket.h"
#include "common/serving/grpc_status.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/request_check.h"

namespace starratings::service {
namespace {

// Of one message, so that progress shows and no message nears the transport's
// limit.
constexpr int kRatingsMost = 200;
constexpr size_t kBytesMost = 1 << 20;

}  // namespace

RoundStream::RoundStream(const StreamParts& parts, grpc::CallbackServerContext& context,
                         rating::v1::RateRoundRequest request)
    : parts_(parts), context_(context), request_(std::move(request)), export_(*this) {
  ++parts_.running;
}

void RoundStream::Start(int running_most) {
  absl::Status refused = Check(request_);
  if (refused.ok() && (parts_.running > running_most || !parts_.pool.Run([this] { Begin(); }))) {
    refused = TooManyCalls();
  }
  if (!refused.ok()) Finish(serving::ToGrpcStatus(refused));
}

absl::Status RoundStream::Plan() {
  if (context_.IsCancelled()) return CallerGone();
  const absl::Time deadline = DeadlineOf(context_, kCallMost);
  ASSIGN_OR_RETURN(RoundPlan plan,
                   PlanRound(parts_.client, parts_.schemes, request_.round(), deadline));
  RoundPart part;
  if (request_.has_shard()) part.shard = request_.shard();
  if (request_.has_resume_after()) part.resume_after = request_.resume_after();
  export_request_ = ExportOf(plan);
  rater_.emplace(std::move(plan), std::move(part), Form{request_.trace(), request_.compact()},
                 parts_.metrics);
  return absl::OkStatus();
}

void RoundStream::Begin() {
  if (const absl::Status status = Plan(); !status.ok()) {
    Finish(serving::ToGrpcStatus(status));
    return;
  }
  if (request_.has_shard()) *export_request_.mutable_shard() = request_.shard();
  if (request_.has_resume_after()) {
    *export_request_.mutable_resume_after() = request_.resume_after();
  }
  parts_.client.StartExport(export_request_, DeadlineOf(context_, kRoundMost), export_context_,
                            export_);
  // Reads are started from outside the reactor; without the hold it could be
  // done while a block is being rated.
  export_.AddHold();
  export_.StartRead(&block_);
  export_.StartCall();
}

void RoundStream::OnBlock(bool ok) {
  if (!ok) {
    export_.RemoveHold();
  } else if (!parts_.pool.Run([this] { RateBlock(); })) {
    Fail(TooManyCalls());
  }
}

void RoundStream::RateBlock() {
  std::vector<rating::v1::Rating> ratings;
  if (absl::Status status = rater_->Rate(block_, ratings); !status.ok()) {
    Fail(std::move(status));
    return;
  }
  Batches batches(kRatingsMost, kBytesMost);
  batches.Add(std::move(ratings));
  for (Batches::Ratings& batch : batches.TakeAll()) {
    rating::v1::RateRoundResponse& message = messages_.emplace_back();
    message.mutable_ratings()->mutable_ratings()->Swap(&batch);
    message.set_total(rater_->total());
    const std::string& last = message.ratings().ratings().rbegin()->organisation();
    message.mutable_cursor()->set_bucket(digest::BucketOf(last));
    message.mutable_cursor()->set_organisation(last);
    *message.mutable_snapshot() = *rater_->snapshot();
  }
  int64_t done = rater_->done();
  for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
    message->set_done(done);
    done -= message->ratings().ratings_size();
  }
  Continue();
}

void RoundStream::Continue() {
  if (messages_.empty()) {
    export_.StartRead(&block_);
  } else {
    StartWrite(&messages_.front());
  }
}

void RoundStream::OnWriteDone(bool ok) {
  if (!ok) {
    Fail(CallerGone());
    return;
  }
  messages_.pop_front();
  Continue();
}

void RoundStream::Fail(absl::Status failure) {
  failure_ = std::move(failure);
  export_context_.TryCancel();
  export_.RemoveHold();
}

void RoundStream::OnExportDone(const grpc::Status& status) {
  if (failure_.ok()) failure_ = FromAssessment(status);
  if (failure_.ok()) {
    absl::StatusOr<rating::v1::Summary> summary = rater_->Finish();
    if (summary.ok()) {
      *last_.mutable_summary() = *std::move(summary);
      last_.set_done(rater_->done());
      last_.set_total(last_.summary().total());
      *last_.mutable_snapshot() = last_.summary().snapshot();
      StartWriteAndFinish(&last_, grpc::WriteOptions(), grpc::Status::OK);
      return;
    }
    failure_ = summary.status();
  }
  Finish(serving::ToGrpcStatus(failure_));
}

void RoundStream::OnCancel() { export_context_.TryCancel(); }

void RoundStream::OnDone() {
  --parts_.running;
  delete this;
}

}  // namespace starratings::service
