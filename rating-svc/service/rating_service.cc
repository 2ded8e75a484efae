#include "rating-svc/service/rating_service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/serving/deadline.h"
#include "common/serving/identity.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/record_round.h"
#include "rating-svc/service/request_check.h"
#include "rating-svc/service/round_rater.h"
#include "rating-svc/service/subject.h"

namespace starratings::service {
namespace {

// RateOrganisation calls that wait for a thread.
constexpr size_t kReadsMost = 256;
// A block of a few hundred dossiers is rated within milliseconds.
constexpr int kRoundThreads = 2;
// Each is held for as long as it takes to record a round: rare, and by few.
constexpr int kRecordThreads = 2;
// An analysis takes some seconds at worst.
constexpr int kAnalysisThreads = 2;

// A rating that is kept with the dossier in the cache that it was made of.
struct ReadyRating {
  SchemePtr scheme;            // That the rating refers to.
  rating::v1::Rating message;  // Without the snapshot.
  rating::Rating rating;
  std::shared_ptr<const SchemeCounters> counters;
};

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
      records_(kRecordThreads, static_cast<size_t>(limits.records_most)),
      analysing_(kAnalysisThreads, static_cast<size_t>(limits.analyses_most)),
      analyses_(client, dossiers, schemes) {
  SetMessageAllocatorFor_RateOrganisation(&messages_);
}

grpc::ServerUnaryReactor* RatingServiceImpl::RateOrganisation(
    grpc::CallbackServerContext* context, const rating::v1::RateOrganisationRequest* request,
    rating::v1::RateOrganisationResponse* response) {
  if (RateAtHand(*request, *response->mutable_rating())) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
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
  // What else it reads must be asked for.
  if (ReadsPublished(*method.scheme) || !method.scheme->quantiles.empty()) return false;
  method.date = *date;
  if (!CheckInForce(method).ok()) return false;
  std::string question = absl::StrCat(method.scheme->digest, " ", method.date.days());
  const std::optional<DossierReader::Read> read =
      dossiers_.AtHand(DossierWanted(request), question);
  if (!read) return false;
  if (read->answer != nullptr) {
    const auto& ready = *static_cast<const ReadyRating*>(read->answer.get());
    rating = ready.message;
    *rating.mutable_snapshot() = read->snapshot;
    ready.counters->Count(ready.rating);
    return true;
  }
  auto ready = std::make_shared<ReadyRating>();
  ready->scheme = method.scheme;
  ready->counters = metrics_.Of(*method.scheme);
  ready->rating = RateDossier(method, *read->dossier, read->snapshot, {}, rating);
  ready->counters->Count(ready->rating);
  ready->message = rating;
  ready->message.clear_snapshot();
  // As a message it takes about as much again.
  const size_t bytes = sizeof(ReadyRating) + 2 * ready->message.SpaceUsedLong();
  dossiers_.KeepAnswer(*read, std::move(question), std::move(ready), bytes);
  return true;
}

absl::Status RatingServiceImpl::Rate(const rating::v1::RateOrganisationRequest& request,
                                     absl::Time deadline, rating::v1::Rating& rating) {
  ASSIGN_OR_RETURN(const Subject subject,
                   FindSubject(client_, dossiers_, schemes_, request, deadline));
  metrics_.Of(*subject.method.scheme)
      ->Count(RateDossier(subject.method, subject.dossier, subject.snapshot, Form{request.trace()},
                          rating));
  return absl::OkStatus();
}

absl::Status RatingServiceImpl::Record(const grpc::CallbackServerContext& context,
                                       const rating::v1::RecordRoundRequest& request,
                                       rating::v1::RecordRoundResponse& response) {
  RETURN_IF_ERROR(Check(request));
  ASSIGN_OR_RETURN(const std::string actor, serving::ActorOf(context));
  ASSIGN_OR_RETURN(response, service::RecordRound(client_, schemes_, metrics_, request, actor,
                                                  serving::DeadlineOf(context, kRoundUnnamed),
                                                  [&context] { return context.IsCancelled(); }));
  return absl::OkStatus();
}

}  // namespace starratings::service
