#include "rating-svc/service/round_stream.h"

#include <utility>

#include "common/digest/bucket.h"
#include "common/serving/deadline.h"
#include "common/serving/grpc_status.h"
#include "common/serving/trace.h"
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
  const absl::Time deadline = serving::DeadlineOf(context_, kCallUnnamed);
  ASSIGN_OR_RETURN(RoundPlan plan,
                   PlanRound(parts_.client, parts_.schemes, request_.round(), deadline));
  RoundPart part;
  if (request_.has_shard()) part.shard = request_.shard();
  if (request_.has_resume_after()) part.resume_after = request_.resume_after();
  export_request_ = ExportOf(plan);
  // Reasons say who said what, and when.
  export_request_.set_values_only(request_.trace() <= rating::v1::TRACE_DETAIL_NONE);
  rater_.emplace(std::move(plan), std::move(part), Form{request_.trace(), request_.compact()},
                 parts_.metrics);
  return absl::OkStatus();
}

void RoundStream::Begin() {
  const serving::TraceScope scope(serving::TraceOf(context_));
  if (const absl::Status status = Plan(); !status.ok()) {
    Finish(serving::ToGrpcStatus(status));
    return;
  }
  if (request_.has_shard()) *export_request_.mutable_shard() = request_.shard();
  if (request_.has_resume_after()) {
    *export_request_.mutable_resume_after() = request_.resume_after();
  }
  parts_.client.StartExport(export_request_, serving::DeadlineOf(context_, kRoundUnnamed),
                            export_context_, export_);
  // Reads are started from outside the reactor; without the hold it could be
  // done while a block is being rated.
  export_.AddHold();
  export_.StartRead(&blocks_[next_]);
  export_.StartCall();
}

template <typename Make>
void RoundStream::Change(Make make) {
  {
    const std::lock_guard lock(mutex_);
    make();
    if (!Advance()) return;
  }
  End();
}

bool RoundStream::Advance() {
  if (waiting_ && !rating_ && messages_.size() <= 1 && failure_.ok()) {
    waiting_ = false;
    rating_ = parts_.pool.Run([this, block = &blocks_[next_]] { RateBlock(*block); });
    if (!rating_) Fail(TooManyCalls());
    next_ = 1 - next_;
  }
  if (held_ && !reading_ && !waiting_) {
    reading_ = true;
    export_.StartRead(&blocks_[next_]);
  }
  if (!messages_.empty() && !writing_ && failure_.ok()) {
    writing_ = true;
    StartWrite(&messages_.front());
  }
  const bool all_rated = !rating_ && (!waiting_ || !failure_.ok());
  const bool all_written = !writing_ && (messages_.empty() || !failure_.ok());
  return export_done_ && all_rated && all_written && !std::exchange(finished_, true);
}

void RoundStream::OnBlock(bool ok) {
  Change([this, ok] {
    reading_ = false;
    waiting_ = ok;
    if (!ok) ReadNoMore();
  });
}

void RoundStream::RateBlock(const Block& block) {
  absl::StatusOr<std::vector<rating::v1::RateRoundResponse>> rated = Rated(block);
  Change([this, &rated] {
    rating_ = false;
    if (!rated.ok()) {
      Fail(rated.status());
      return;
    }
    for (rating::v1::RateRoundResponse& message : *rated) messages_.push_back(std::move(message));
  });
}

absl::StatusOr<std::vector<rating::v1::RateRoundResponse>> RoundStream::Rated(const Block& block) {
  std::vector<rating::v1::Rating> ratings;
  RETURN_IF_ERROR(rater_->Rate(block, ratings));
  Batches batches(kRatingsMost, kBytesMost);
  batches.Add(std::move(ratings));
  std::vector<rating::v1::RateRoundResponse> messages;
  for (Batches::Ratings& batch : batches.TakeAll()) {
    rating::v1::RateRoundResponse& message = messages.emplace_back();
    message.mutable_ratings()->mutable_ratings()->Swap(&batch);
    message.set_total(rater_->total());
    const std::string& last = message.ratings().ratings().rbegin()->organisation();
    message.mutable_cursor()->set_bucket(digest::BucketOf(last));
    message.mutable_cursor()->set_organisation(last);
    *message.mutable_snapshot() = *rater_->snapshot();
  }
  int64_t done = rater_->done();
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    message->set_done(done);
    done -= message->ratings().ratings_size();
  }
  return messages;
}

void RoundStream::OnWriteDone(bool ok) {
  Change([this, ok] {
    writing_ = false;
    messages_.pop_front();
    if (!ok) Fail(CallerGone());
  });
}

void RoundStream::Fail(absl::Status failure) {
  if (failure_.ok()) failure_ = std::move(failure);
  export_context_.TryCancel();
  ReadNoMore();
}

void RoundStream::ReadNoMore() {
  if (std::exchange(held_, false)) export_.RemoveHold();
}

void RoundStream::OnExportDone(const grpc::Status& status) {
  Change([this, &status] {
    export_done_ = true;
    if (failure_.ok()) failure_ = FromAssessment(status);
  });
}

void RoundStream::End() {
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
