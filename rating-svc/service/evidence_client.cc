#include "rating-svc/service/evidence_client.h"

#include <cassert>
#include <utility>

#include "common/serving/grpc_status.h"
#include "common/serving/log.h"
#include "common/serving/trace.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using absl::StatusCode;
using status::Error;

constexpr char kActorMetadata[] = "starratings-actor";

}  // namespace

absl::Status FromAssessment(const grpc::Status& status) {
  const absl::Status ours = serving::FromGrpcStatus(status);
  if (ours.ok()) return ours;
  const status::ErrorDetail detail = status::DetailOf(ours);
  if (ours.code() == StatusCode::kUnavailable) {
    serving::LogError("assessment-svc is unavailable", {{"error", ours.ToString()}});
    status::ErrorDetail unavailable;
    unavailable.reason = "EVIDENCE_UNAVAILABLE";
    unavailable.retry_after = detail.retry_after.value_or(absl::Seconds(1));
    return status::ErrorWithDetail(StatusCode::kUnavailable,
                                   "assessment-svc cannot be reached; try again", unavailable);
  }
  if (!detail.reason.empty()) return ours;
  // Not said by assessment-svc, but by gRPC on one of the two sides.
  if (ours.code() == StatusCode::kDeadlineExceeded) {
    return Error(ours.code(), "DEADLINE_EXCEEDED", "assessment-svc did not answer in time");
  }
  if (ours.code() == StatusCode::kCancelled) {
    return Error(ours.code(), "CANCELLED", "the call was cancelled");
  }
  serving::LogError("assessment-svc answered what it should not", {{"error", ours.ToString()}});
  return Error(StatusCode::kInternal, "EVIDENCE_FAILED",
               "assessment-svc could not be asked; see the service's log");
}

EvidenceClient::Stubs::Stubs(const std::shared_ptr<grpc::Channel>& channel)
    : evidence(channel), registers(channel), rounds(channel), health(channel) {}

EvidenceClient::EvidenceClient(const std::shared_ptr<grpc::Channel>& channel, std::string actor)
    : actor_(std::move(actor)), stubs_(std::make_shared<Stubs>(channel)) {}

void EvidenceClient::Use(const std::shared_ptr<grpc::Channel>& channel) {
  auto stubs = std::make_shared<Stubs>(channel);
  const std::lock_guard lock(mutex_);
  stubs_ = std::move(stubs);
}

std::shared_ptr<EvidenceClient::Stubs> EvidenceClient::stubs() const {
  const std::lock_guard lock(mutex_);
  return stubs_;
}

void EvidenceClient::Prepare(grpc::ClientContext& context, absl::Time deadline) const {
  context.set_deadline(absl::ToChronoTime(deadline));
  if (!actor_.empty()) context.AddMetadata(kActorMetadata, actor_);
  serving::PassTrace(context);
}

absl::StatusOr<assessment::v1::Round> EvidenceClient::GetRound(const std::string& round,
                                                               absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::GetRoundRequest request;
  request.set_round(round);
  assessment::v1::GetRoundResponse response;
  RETURN_IF_ERROR(FromAssessment(stubs()->rounds.GetRound(&context, request, &response)));
  return std::move(*response.mutable_round());
}

absl::StatusOr<assessment::v1::ListRoundsResponse> EvidenceClient::ListRounds(
    int page_size, const std::string& page_token, absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::ListRoundsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  assessment::v1::ListRoundsResponse response;
  RETURN_IF_ERROR(FromAssessment(stubs()->rounds.ListRounds(&context, request, &response)));
  return response;
}

absl::StatusOr<assessment::v1::ListPublishedRatingsResponse> EvidenceClient::ListPublishedRatings(
    const std::string& round, int page_size, const std::string& page_token,
    absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::ListPublishedRatingsRequest request;
  request.set_round(round);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  assessment::v1::ListPublishedRatingsResponse response;
  RETURN_IF_ERROR(
      FromAssessment(stubs()->rounds.ListPublishedRatings(&context, request, &response)));
  return response;
}

absl::StatusOr<assessment::v1::GetDossierResponse> EvidenceClient::GetDossier(
    const assessment::v1::GetDossierRequest& request, absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::GetDossierResponse response;
  RETURN_IF_ERROR(FromAssessment(stubs()->evidence.GetDossier(&context, request, &response)));
  return response;
}

absl::Status EvidenceClient::ValidateEvidence(const assessment::v1::SubmitEvidenceRequest& request,
                                              absl::Time deadline) const {
  assert(request.validate_only());
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::SubmitEvidenceResponse response;
  return FromAssessment(stubs()->evidence.SubmitEvidence(&context, request, &response));
}

absl::StatusOr<assessment::v1::GetSchemeTextResponse> EvidenceClient::GetSchemeText(
    const std::string& scheme, absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  assessment::v1::GetSchemeTextRequest request;
  request.set_scheme(scheme);
  assessment::v1::GetSchemeTextResponse response;
  RETURN_IF_ERROR(FromAssessment(stubs()->registers.GetSchemeText(&context, request, &response)));
  return response;
}

absl::Status EvidenceClient::ExportDossiers(const assessment::v1::ExportDossiersRequest& request,
                                            absl::Time deadline, const BlockReader& each) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  const auto reader = stubs()->evidence.ExportDossiers(&context, request);
  assessment::v1::ExportDossiersResponse block;
  absl::Status status;
  while (status.ok() && reader->Read(&block)) status = each(block);
  if (!status.ok()) {
    context.TryCancel();
    reader->Finish();
    return status;
  }
  return FromAssessment(reader->Finish());
}

void EvidenceClient::StartExport(
    const assessment::v1::ExportDossiersRequest& request, absl::Time deadline,
    grpc::ClientContext& context,
    grpc::ClientReadReactor<assessment::v1::ExportDossiersResponse>& reactor) const {
  Prepare(context, deadline);
  stubs()->evidence.async()->ExportDossiers(&context, &request, &reactor);
}

std::unique_ptr<grpc::ClientReader<assessment::v1::WatchEvidenceResponse>>
EvidenceClient::WatchEvidence(grpc::ClientContext& context) const {
  Prepare(context, absl::InfiniteFuture());
  return stubs()->evidence.WatchEvidence(&context, assessment::v1::WatchEvidenceRequest());
}

absl::StatusOr<evidence::v1::Snapshot> EvidenceClient::Head(absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  // Every reply says at what it was read; this one reads next to nothing.
  assessment::v1::ListPeriodsRequest request;
  request.set_page_size(1);
  assessment::v1::ListPeriodsResponse response;
  // Not FromAssessment: asked every second, it would fill the log.
  RETURN_IF_ERROR(
      serving::FromGrpcStatus(stubs()->registers.ListPeriods(&context, request, &response)));
  return std::move(*response.mutable_snapshot());
}

absl::Status EvidenceClient::CheckReady(absl::Time deadline) const {
  grpc::ClientContext context;
  Prepare(context, deadline);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("readiness");
  grpc::health::v1::HealthCheckResponse response;
  // Not FromAssessment: asked every second, it would fill the log.
  RETURN_IF_ERROR(serving::FromGrpcStatus(stubs()->health.Check(&context, request, &response)));
  if (response.status() != grpc::health::v1::HealthCheckResponse::SERVING) {
    return Error(StatusCode::kUnavailable, "EVIDENCE_UNAVAILABLE", "assessment-svc is not ready");
  }
  return absl::OkStatus();
}

Recording::Recording(const EvidenceClient& client,
                     const assessment::v1::RecordRatingsRequest::Begin& begin,
                     absl::Time deadline) {
  client.Prepare(context_, deadline);
  writer_ = client.stubs()->rounds.RecordRatings(&context_, &response_);
  assessment::v1::RecordRatingsRequest request;
  *request.mutable_begin() = begin;
  // A refusal shows in the next write, or in the commit.
  writer_->Write(request);
}

Recording::~Recording() {
  if (finished_) return;
  context_.TryCancel();
  writer_->Finish();
}

absl::Status Recording::Finish() {
  finished_ = true;
  return FromAssessment(writer_->Finish());
}

absl::Status Recording::Write(const assessment::v1::RecordRatingsRequest& request) {
  // An answer that is there already is that of an earlier attempt with the same
  // request id; what is left need not be sent.
  if (finished_ || writer_->Write(request)) return absl::OkStatus();
  return Finish();
}

absl::Status Recording::Send(Ratings& ratings) {
  assessment::v1::RecordRatingsRequest request;
  request.mutable_chunk()->set_number(next_chunk_++);
  request.mutable_chunk()->mutable_ratings()->Swap(&ratings);
  return Write(request);
}

absl::StatusOr<assessment::v1::RecordRatingsResponse> Recording::Commit(
    int64_t count, const std::string& round_digest) {
  assessment::v1::RecordRatingsRequest request;
  request.mutable_commit()->set_count(count);
  request.mutable_commit()->set_round_digest(round_digest);
  RETURN_IF_ERROR(Write(request));
  if (!finished_) {
    writer_->WritesDone();
    RETURN_IF_ERROR(Finish());
  }
  return std::move(response_);
}

}  // namespace starratings::service
