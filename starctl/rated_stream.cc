#include "starctl/rated_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace starratings::starctl {
namespace {

using rating::v1::RateRoundResponse;
using rating::v1::Summary;

absl::Status NotWhole(absl::string_view what) {
  return status::Error(absl::StatusCode::kDataLoss, "ROUND_NOT_WHOLE",
                       absl::StrCat("the ratings that came are not what the service says: ", what));
}

}  // namespace

absl::Status EvidenceMoved() {
  return status::Error(absl::StatusCode::kAborted, kEvidenceMoved,
                       "the round is open, and its evidence changed while it was read");
}

struct RatedStream::Stream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<RateRoundResponse>> reader;
};

RatedStream::RatedStream(const Session& session, const Rating& rating,
                         rating::v1::RateRoundRequest request, absl::Duration retry_for)
    : session_(session), rating_(rating), request_(std::move(request)), retries_(retry_for) {}

RatedStream::~RatedStream() {
  if (stream_ == nullptr) return;
  stream_->context.TryCancel();
  stream_->reader->Finish();
}

absl::Status RatedStream::ReadMessage() {
  message_.Clear();
  place_ = 0;
  while (true) {
    if (stream_ == nullptr) {
      stream_ = std::make_unique<Stream>();
      session_.Prepare(stream_->context);
      stream_->reader = rating_.ratings->RateRound(&stream_->context, request_);
    }
    if (stream_->reader->Read(&message_)) {
      retries_.GotOn();
      return Take();
    }
    absl::Status over = serving::FromGrpcStatus(stream_->reader->Finish());
    stream_.reset();
    if (over.ok()) return NotWhole("it ended without a summary");
    if (!retries_.Outlasts(over)) return over;
  }
}

absl::Status RatedStream::Take() {
  const std::string& token = message_.snapshot().token();
  if (snapshot_.token().empty()) snapshot_ = message_.snapshot();
  if (!token.empty() && token != snapshot_.token()) {
    return EvidenceMoved();
  }
  const int shards = request_.has_shard() ? request_.shard().count() : 1;
  total_ = std::max(message_.total() / shards, tally_.count());
  for (const rating::v1::Rating& rating : message_.ratings().ratings()) {
    RETURN_IF_ERROR(tally_.Add(rating));
  }
  if (message_.has_cursor()) *request_.mutable_resume_after() = message_.cursor();
  return message_.has_summary() ? End(message_.summary()) : absl::OkStatus();
}

absl::Status RatedStream::End(const Summary& last) {
  const Summary ours = tally_.Finish();
  if (!last.round_digest().empty() && last.round_digest() != ours.round_digest()) {
    return NotWhole("they have another round digest");
  }
  if (!request_.has_shard() && ours.count() != last.total()) {
    return NotWhole(absl::StrCat(ours.count(), " of ", last.total(), " organisations came"));
  }
  summary_ = last;
  summary_.set_count(ours.count());
  *summary_.mutable_tallies() = ours.tallies();
  *summary_.mutable_moves() = ours.moves();
  // Who goes on after the last organisation reads nothing.
  *summary_.mutable_snapshot() = snapshot_;
  summary_.clear_buckets();
  if (request_.has_shard()) {
    *summary_.mutable_shard() = request_.shard();
    *summary_.mutable_buckets() = ours.buckets();
  } else {
    summary_.set_round_digest(ours.round_digest());
  }
  ended_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<rating::v1::Rating>> RatedStream::Next() {
  while (place_ == message_.ratings().ratings_size()) {
    if (ended_) return std::nullopt;
    RETURN_IF_ERROR(ReadMessage());
  }
  return std::move(*message_.mutable_ratings()->mutable_ratings(place_++));
}

}  // namespace starratings::starctl
