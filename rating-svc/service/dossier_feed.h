// Keeps the cache of dossiers fresh: watches the record, and asks it every now
// and then how far it is.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rating-svc/dossiers/cache.h"
#include "rating-svc/service/evidence_client.h"

namespace starratings::service {

// What a snapshot of the record stands for. Returns INVALID_ARGUMENT
// (TOKEN_MALFORMED) for none of ours.
absl::StatusOr<dossiers::Moment> MomentOf(const evidence::v1::Snapshot& snapshot);
absl::StatusOr<dossiers::Moment> MomentOfToken(const std::string& token);

// Nothing is watched before the first Want(), and not for longer than
// `idle_most` after the last: what all pay for should be used by somebody.
// Thread-safe.
class DossierFeed {
 public:
  struct Options {
    absl::Duration confirm_every = absl::Seconds(1);
    absl::Duration confirm_most = absl::Seconds(2);  // One question.
    absl::Duration first_wait = absl::Milliseconds(100);
    absl::Duration longest_wait = absl::Seconds(5);
    absl::Duration idle_most = absl::Minutes(5);
    // Called now and then, for metrics; may be empty.
    std::function<void()> tick = {};
  };

  // Both must outlive the feed.
  DossierFeed(const EvidenceClient& client, dossiers::DossierCache& cache, const Options& options);
  ~DossierFeed();
  DossierFeed(const DossierFeed&) = delete;
  DossierFeed& operator=(const DossierFeed&) = delete;

  // Somebody asks for what the cache may have.
  void Want();

 private:
  void Watch();
  // One stream, to its end.
  absl::Status WatchOnce(bool& began);
  absl::Status Take(const assessment::v1::WatchEvidenceResponse& message, bool first);
  void Confirm();
  // Until `end`, or until it is over; true: it is over.
  bool Wait(absl::Duration most);
  bool Wanted() const;

  const EvidenceClient& client_;
  dossiers::DossierCache& cache_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  absl::Time wanted_at_ = absl::InfinitePast();
  bool over_ = false;
  grpc::ClientContext* call_ = nullptr;  // The stream that is open.

  std::thread watcher_;
  std::thread confirmer_;
};

}  // namespace starratings::service
