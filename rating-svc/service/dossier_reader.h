// Where dossiers outside rounds come from: the cache, where the caller's
// freshness allows it; otherwise the record.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "rating-svc/dossiers/cache.h"
#include "rating-svc/service/dossier_feed.h"
#include "rating-svc/service/evidence_client.h"

namespace starratings::service {

// Thread-safe.
class CacheMetrics {
 public:
  explicit CacheMetrics(prometheus::Registry& registry);

  void Count(dossiers::DossierCache::Outcome outcome);
  // From one thread.
  void Show(const dossiers::DossierCache::Size& size, absl::Time now);

 private:
  std::array<prometheus::Counter*, 3> lookups_{};  // By Outcome.
  prometheus::Gauge* bytes_ = nullptr;
  prometheus::Gauge* revision_ = nullptr;
  prometheus::Gauge* age_ = nullptr;
  absl::Time confirmed_;
};

// The cache with all that keeps and watches it. All must outlive who uses it.
struct CacheParts {
  dossiers::DossierCache& cache;
  DossierFeed& feed;
  CacheMetrics& metrics;
};

// Thread-safe.
class DossierReader {
 public:
  // `client` must outlive the reader. Without `parts` the record is always asked.
  DossierReader(const EvidenceClient& client, std::optional<CacheParts> parts)
      : client_(client), parts_(parts) {}

  struct Read {
    dossiers::DossierPtr dossier;
    evidence::v1::Snapshot snapshot;
    dossiers::AnswerPtr answer;  // Of AtHand(); null if none is kept.
  };

  // From the cache, without waiting, with what is kept as the answer to `question`;
  // none if the record must be asked.
  std::optional<Read> AtHand(const assessment::v1::GetDossierRequest& request,
                             absl::string_view question);
  // Keeps what was made of `read`, which AtHand() gave.
  void KeepAnswer(const Read& read, std::string question, dossiers::AnswerPtr answer, size_t bytes);

  // From the cache or the record. Errors are the record's.
  absl::StatusOr<Read> Get(const assessment::v1::GetDossierRequest& request, absl::Time deadline);

 private:
  // Whether the cache may answer, and from when on.
  struct Demand {
    bool cache = false;
    std::optional<dossiers::Moment> at_least;
  };
  Demand DemandOf(const evidence::v1::Freshness& freshness) const;
  dossiers::DossierCache::Outcome Find(const assessment::v1::GetDossierRequest& request,
                                       const Demand& demand, absl::string_view question,
                                       Read& read);
  absl::StatusOr<assessment::v1::GetDossierResponse> Ask(
      const assessment::v1::GetDossierRequest& request, const Demand& demand,
      absl::Time deadline) const;

  const EvidenceClient& client_;
  const std::optional<CacheParts> parts_;
};

}  // namespace starratings::service
