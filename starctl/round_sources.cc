#include "starctl/round_sources.h"

#include <set>
#include <utility>

#include "starctl/pages.h"
#include "starctl/rated_stream.h"

namespace starratings::starctl {
namespace {

using assessment::v1::ExportDossiersResponse;
using assessment::v1::RoundFileOrganisation;
using assessment::v1::RoundService;

}  // namespace

struct FrozenDossiers::Stream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<ExportDossiersResponse>> reader;
};

FrozenDossiers::FrozenDossiers(const Session& session, const Assessment& assessment,
                               const std::string& round, absl::Duration retry_for)
    : session_(session), assessment_(assessment), retries_(retry_for) {
  request_.set_round(round);
}

FrozenDossiers::~FrozenDossiers() {
  if (stream_ == nullptr) return;
  stream_->context.TryCancel();
  stream_->reader->Finish();
}

absl::Status FrozenDossiers::ReadBlock() {
  while (true) {
    if (stream_ == nullptr) {
      stream_ = std::make_unique<Stream>();
      session_.Prepare(stream_->context);
      stream_->reader = assessment_.evidence->ExportDossiers(&stream_->context, request_);
    }
    ExportDossiersResponse block;
    if (stream_->reader->Read(&block)) {
      retries_.GotOn();
      if (revision_ == 0) revision_ = block.snapshot().revision();
      if (block.snapshot().revision() != revision_) return EvidenceMoved();
      if (block.has_cursor()) *request_.mutable_resume_after() = block.cursor();
      for (evidence::v1::Dossier& dossier : *block.mutable_dossiers()) {
        RoundFileOrganisation& one = waiting_.emplace_back();
        std::set<std::string> used;
        for (const auto& item : dossier.items()) used.insert(item.item().source_id());
        for (const evidence::v1::Source& source : block.sources()) {
          if (used.count(source.id()) > 0) *one.add_sources() = source;
        }
        one.mutable_dossier()->Swap(&dossier);
      }
      return absl::OkStatus();
    }
    const absl::Status over = serving::FromGrpcStatus(stream_->reader->Finish());
    stream_.reset();
    ended_ = over.ok();
    if (over.ok()) return over;
    if (!retries_.Outlasts(over)) return over;
  }
}

absl::StatusOr<bool> FrozenDossiers::Next(RoundFileOrganisation& organisation) {
  while (waiting_.empty()) {
    if (ended_) return false;
    RETURN_IF_ERROR(ReadBlock());
  }
  organisation = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

PublishedRatings::PublishedRatings(const Session& session, const Assessment& assessment,
                                   const std::string& round, absl::Duration retry_for)
    : session_(session), assessment_(assessment), retries_(retry_for) {
  request_.set_round(round);
  request_.set_page_size(kPageSize);
}

absl::StatusOr<std::optional<rating::v1::Rating>> PublishedRatings::Next() {
  while (place_ == page_.ratings_size()) {
    if (last_) return std::nullopt;
    page_.Clear();
    place_ = 0;
    const absl::Status read = session_.Call(
        *assessment_.rounds, &RoundService::Stub::ListPublishedRatings, request_, page_);
    if (!read.ok()) {
      page_.Clear();
      if (!retries_.Outlasts(read)) return read;
      continue;
    }
    retries_.GotOn();
    request_.set_page_token(page_.next_page_token());
    last_ = page_.next_page_token().empty();
  }
  return std::move(*page_.mutable_ratings(place_++));
}

}  // namespace starratings::starctl
