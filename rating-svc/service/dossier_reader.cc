#include "rating-svc/service/dossier_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/round_rater.h"

namespace starratings::service {
namespace {

using assessment::v1::GetDossierRequest;
using assessment::v1::GetDossierResponse;
using Outcome = dossiers::DossierCache::Outcome;

}  // namespace

CacheMetrics::CacheMetrics(prometheus::Registry& registry) : confirmed_(absl::Now()) {
  auto& lookups = prometheus::BuildCounter()
                      .Name("rating_dossier_cache_lookups_total")
                      .Help(
                          "Dossiers looked for in the cache: hit; miss; behind (the cache could "
                          "not know). What asks for latest is not looked for.")
                      .Register(registry);
  const std::pair<Outcome, const char*> outcomes[] = {
      {Outcome::kHit, "hit"}, {Outcome::kMiss, "miss"}, {Outcome::kBehind, "behind"}};
  for (const auto& [outcome, name] : outcomes) {
    lookups_[static_cast<size_t>(outcome)] = &lookups.Add({{"outcome", name}});
  }
  bytes_ = &prometheus::BuildGauge()
                .Name("rating_dossier_cache_bytes")
                .Help("Room that the dossiers in the cache take.")
                .Register(registry)
                .Add({});
  revision_ = &prometheus::BuildGauge()
                   .Name("rating_dossier_cache_revision")
                   .Help("The revision that the cache's watch has reached; 0: there is none.")
                   .Register(registry)
                   .Add({});
  age_ =
      &prometheus::BuildGauge()
           .Name("rating_dossier_cache_age_seconds")
           .Help(
               "For how long it is not confirmed that the cache knows the newest revision, while "
               "anybody asks for it.")
           .Register(registry)
           .Add({});
}

void CacheMetrics::Count(Outcome outcome) { lookups_[static_cast<size_t>(outcome)]->Increment(); }

void CacheMetrics::Show(const dossiers::DossierCache::Size& size, absl::Time now) {
  confirmed_ = std::max(confirmed_, size.confirmed);
  age_->Set(absl::ToDoubleSeconds(now - confirmed_));
  bytes_->Set(static_cast<double>(size.bytes));
  revision_->Set(static_cast<double>(size.revision));
}

DossierReader::Demand DossierReader::DemandOf(const evidence::v1::Freshness& freshness) const {
  if (!parts_) return {};
  if (freshness.has_minimize_latency()) return {true, std::nullopt};
  if (!freshness.has_at_least()) return {};
  const absl::StatusOr<dossiers::Moment> moment = MomentOfToken(freshness.at_least());
  // What is wrong with the token the record says.
  return moment.ok() ? Demand{true, *moment} : Demand{};
}

Outcome DossierReader::Find(const GetDossierRequest& request, const Demand& demand,
                            absl::string_view question, Read& read) {
  dossiers::DossierCache::Found found;
  const Outcome outcome = parts_->cache.Find(request.organisation(), request.period(),
                                             demand.at_least, absl::Now(), question, found);
  if (outcome == Outcome::kHit) {
    read.dossier = std::move(found.dossier);
    read.answer = std::move(found.answer);
    read.snapshot.set_revision(found.at.revision);
    read.snapshot.set_token(found.at.token);
  }
  return outcome;
}

std::optional<DossierReader::Read> DossierReader::AtHand(const GetDossierRequest& request,
                                                         absl::string_view question) {
  const Demand demand = DemandOf(request.freshness());
  if (!demand.cache) return std::nullopt;
  parts_->feed.Want();
  Read read;
  if (Find(request, demand, question, read) != Outcome::kHit) return std::nullopt;
  parts_->metrics.Count(Outcome::kHit);
  return read;
}

void DossierReader::KeepAnswer(const Read& read, std::string question, dossiers::AnswerPtr answer,
                               size_t bytes) {
  parts_->cache.KeepAnswer(read.dossier, std::move(question), std::move(answer), bytes);
}

absl::StatusOr<GetDossierResponse> DossierReader::Ask(const GetDossierRequest& request,
                                                      const Demand& demand,
                                                      absl::Time deadline) const {
  const std::optional<dossiers::Moment> reached = parts_->cache.reached();
  if (demand.cache && !demand.at_least && reached) {
    // What is older than the watch could not be kept.
    GetDossierRequest newer = request;
    newer.mutable_freshness()->set_at_least(reached->token);
    absl::StatusOr<GetDossierResponse> got = client_.GetDossier(newer, deadline);
    // Of a record that was restored a moment ago, the watch's token says nothing.
    const bool token_refused = got.status().code() == absl::StatusCode::kInvalidArgument ||
                               got.status().code() == absl::StatusCode::kFailedPrecondition;
    if (!token_refused) return got;
  }
  return client_.GetDossier(request, deadline);
}

absl::StatusOr<DossierReader::Read> DossierReader::Get(const GetDossierRequest& request,
                                                       absl::Time deadline) {
  const Demand demand = DemandOf(request.freshness());
  Read read;
  if (demand.cache) {
    parts_->feed.Want();
    const Outcome outcome = Find(request, demand, "", read);
    parts_->metrics.Count(outcome);
    if (outcome == Outcome::kHit) return read;
  }
  absl::StatusOr<GetDossierResponse> got =
      parts_ ? Ask(request, demand, deadline) : client_.GetDossier(request, deadline);
  RETURN_IF_ERROR(got.status());
  google::protobuf::RepeatedPtrField<evidence::v1::Dossier> one;
  one.Add()->Swap(got->mutable_dossier());
  ASSIGN_OR_RETURN(std::vector<evidence::Dossier> dossiers, DossiersOf(one, got->sources()));
  read.dossier = std::make_shared<const evidence::Dossier>(std::move(dossiers.front()));
  read.snapshot = got->snapshot();
  const bool newest = parts_ && !request.freshness().has_exactly();
  const absl::StatusOr<dossiers::Moment> at = MomentOf(read.snapshot);
  if (newest && at.ok()) parts_->cache.Keep(read.dossier, *at);
  return read;
}

}  // namespace starratings::service
