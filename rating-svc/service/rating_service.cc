#include "rating-svc/service/rating_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/serving/identity.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/record_round.h"
#include "rating-svc/service/request_check.h"
#include "rating-svc/service/round_rater.h"

namespace starratings::service {
namespace {

// RateOrganisation calls that wait for a thread.
constexpr size_t kReadsMost = 256;
// A block of a few hundred dossiers is rated within milliseconds.
constexpr int kRoundThreads = 2;
// Each is held for as long as it takes to record a round: rare, and by few.
constexpr int kRecordThreads = 2;

absl::Status NotInRound(const std::string& organisation, const std::string& round) {
  return status::Error(absl::StatusCode::kNotFound, "ORGANISATION_NOT_IN_ROUND",
                       absl::StrCat("the round ", round, " does not rate ", organisation),
                       {{"round", round}, {"organisation", organisation}});
}

// The dossier that a rating by a scheme reads.
assessment::v1::GetDossierRequest Wanted(const rating::v1::RateOrganisationRequest& request) {
  assessment::v1::GetDossierRequest wanted;
  wanted.set_organisation(request.organisation());
  wanted.set_period(request.scheme().period());
  if (request.scheme().has_freshness()) *wanted.mutable_freshness() = request.scheme().freshness();
  return wanted;
}

}  // namespace

RatingServiceImpl::RatingServiceImpl(const EvidenceClient& client, DossierReader& dossiers,
                                     SchemeLibrary& schemes, RatingMetrics& metrics,
                                     const RatingLimits& limits)
    : client_(client),
      dossiers_(dossiers),
      schemes_(schemes),
      metrics_(metrics),
      rounds_most_(limits.rounds_most),
      reads_(limits.readers, kReadsMost),
      rounds_(kRoundThreads, static_cast<size_t>(limits.rounds_most)),
      records_(kRecordThreads, static_cast<size_t>(limits.records_most)) {}

grpc::ServerUnaryReactor* RatingServiceImpl::RateOrganisation(
    grpc::CallbackServerContext* context, const rating::v1::RateOrganisationRequest* request,
    rating::v1::RateOrganisationResponse* response) {
  if (RateAtHand(*request, *response->mutable_rating())) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  const absl::Time deadline = DeadlineOf(*context, kCallMost);
  return AnswerOn(reads_, *context, [this, request, response, deadline] {
    return Rate(*request, deadline, *response->mutable_rating());
  });
}

grpc::ServerWriteReactor<rating::v1::RateRoundResponse>* RatingServiceImpl::RateRound(
    grpc::CallbackServerContext* context, const rating::v1::RateRoundRequest* request) {
  auto* const stream =
      new RoundStream({client_, schemes_, metrics_, rounds_, rounds_running_}, *context, *request);
  stream->Start(rounds_most_);
  return stream;
}

grpc::ServerUnaryReactor* RatingServiceImpl::RecordRound(
    grpc::CallbackServerContext* context, const rating::v1::RecordRoundRequest* request,
    rating::v1::RecordRoundResponse* response) {
  return AnswerOn(records_, *context, [this, context, request, response] {
    return Record(*context, *request, *response);
  });
}

bool RatingServiceImpl::RateAtHand(const rating::v1::RateOrganisationRequest& request,
                                   rating::v1::Rating& rating) {
  // Reasons take long enough for a thread of their own.
  if (!request.has_scheme() || request.trace() > rating::v1::TRACE_DETAIL_NONE) return false;
  const evidence::v1::Freshness& freshness = request.scheme().freshness();
  if (!freshness.has_minimize_latency() && !freshness.has_at_least()) return false;
  if (!Check(request).ok()) return false;
  Method method;
  method.scheme = schemes_.AtHand(request.scheme().scheme());
  const absl::StatusOr<evidence::Date> date = evidence::Date::Parse(request.scheme().date());
  if (method.scheme == nullptr || !date.ok()) return false;
  method.date = *date;
  if (!CheckInForce(method).ok()) return false;
  const std::optional<DossierReader::Read> read = dossiers_.AtHand(Wanted(request));
  if (!read) return false;
  metrics_.Of(*method.scheme)
      ->Count(RateDossier(method, *read->dossier, read->snapshot, {}, rating));
  return true;
}

absl::Status RatingServiceImpl::Rate(const rating::v1::RateOrganisationRequest& request,
                                     absl::Time deadline, rating::v1::Rating& rating) {
  RETURN_IF_ERROR(Check(request));
  return request.has_round() ? RateByRound(request, deadline, rating)
                             : RateByScheme(request, deadline, rating);
}

absl::Status RatingServiceImpl::RateByRound(const rating::v1::RateOrganisationRequest& request,
                                            absl::Time deadline, rating::v1::Rating& rating) {
  ASSIGN_OR_RETURN(const RoundPlan plan, PlanRound(client_, schemes_, request.round(), deadline));
  // The export of the organisation's bucket says at once whether the round
  // rates it, on what, and at which revision.
  assessment::v1::ExportDossiersRequest bucket;
  bucket.set_round(request.round());
  bucket.mutable_shard()->set_index(digest::BucketOf(request.organisation()));
  bucket.mutable_shard()->set_count(digest::kBuckets);
  bool found = false;
  const auto rate = [&](const assessment::v1::ExportDossiersResponse& block) -> absl::Status {
    RETURN_IF_ERROR(CheckRevision(plan, block));
    ASSIGN_OR_RETURN(const std::vector<evidence::Dossier> dossiers,
                     DossiersOf(block.dossiers(), block.sources()));
    for (const evidence::Dossier& dossier : dossiers) {
      if (found || dossier.organisation.id != request.organisation()) continue;
      found = true;
      metrics_.Of(*plan.method.scheme)
          ->Count(
              RateDossier(plan.method, dossier, block.snapshot(), Form{request.trace()}, rating));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(client_.ExportDossiers(bucket, deadline, rate));
  return found ? absl::OkStatus() : NotInRound(request.organisation(), request.round());
}

absl::Status RatingServiceImpl::RateByScheme(const rating::v1::RateOrganisationRequest& request,
                                             absl::Time deadline, rating::v1::Rating& rating) {
  const rating::v1::RateOrganisationRequest::ByScheme& by = request.scheme();
  Method method;
  ASSIGN_OR_RETURN(method.date, evidence::Date::Parse(by.date()));
  ASSIGN_OR_RETURN(method.scheme, schemes_.Find(by.scheme(), deadline));
  RETURN_IF_ERROR(CheckInForce(method));
  const absl::StatusOr<DossierReader::Read> read = dossiers_.Get(Wanted(request), deadline);
  if (!read.ok()) return RenameFields(read.status());
  metrics_.Of(*method.scheme)
      ->Count(RateDossier(method, *read->dossier, read->snapshot, Form{request.trace()}, rating));
  return absl::OkStatus();
}

absl::Status RatingServiceImpl::Record(const grpc::CallbackServerContext& context,
                                       const rating::v1::RecordRoundRequest& request,
                                       rating::v1::RecordRoundResponse& response) {
  RETURN_IF_ERROR(Check(request));
  ASSIGN_OR_RETURN(const std::string actor, serving::ActorOf(context));
  ASSIGN_OR_RETURN(response, service::RecordRound(client_, schemes_, metrics_, request, actor,
                                                  DeadlineOf(context, kRoundMost),
                                                  [&context] { return context.IsCancelled(); }));
  return absl::OkStatus();
}

}  // namespace starratings::service
