#include "rating-svc/service/dossier_feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/grpc_status.h"
#include "common/serving/log.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/token.h"

namespace starratings::service {

absl::StatusOr<dossiers::Moment> MomentOfToken(const std::string& token) {
  ASSIGN_OR_RETURN(const wire::Token read, wire::DecodeToken(token));
  return dossiers::Moment{absl::StrCat(read.store, "/", read.incarnation), read.revision, token};
}

absl::StatusOr<dossiers::Moment> MomentOf(const evidence::v1::Snapshot& snapshot) {
  return MomentOfToken(snapshot.token());
}

DossierFeed::DossierFeed(const EvidenceClient& client, dossiers::DossierCache& cache,
                         const Options& options)
    : client_(client),
      cache_(cache),
      options_(options),
      watcher_([this] { Watch(); }),
      confirmer_([this] { Confirm(); }) {}

DossierFeed::~DossierFeed() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    if (call_ != nullptr) call_->TryCancel();
  }
  changed_.notify_all();
  watcher_.join();
  confirmer_.join();
}

void DossierFeed::Want() {
  const absl::Time now = absl::Now();
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = now - wanted_at_ > options_.idle_most;
    wanted_at_ = now;
  }
  if (first) changed_.notify_all();
}

bool DossierFeed::Wanted() const { return absl::Now() - wanted_at_ <= options_.idle_most; }

bool DossierFeed::Wait(absl::Duration most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(most), [this] { return over_; });
  return over_;
}

void DossierFeed::Watch() {
  absl::Duration wait = options_.first_wait;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return over_ || Wanted(); });
      if (over_) return;
    }
    bool began = false;
    const absl::Status ended = WatchOnce(began);
    cache_.Lose();
    if (began) wait = options_.first_wait;
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      if (!Wanted()) continue;
    }
    if (began) {
      serving::LogError(
          "the watch of the record ended: nothing is answered from the cache until "
          "there is another",
          {{"error", ended.ToString()}});
    }
    if (Wait(wait)) return;
    wait = std::min(wait * 2, options_.longest_wait);
  }
}

absl::Status DossierFeed::WatchOnce(bool& began) {
  grpc::ClientContext context;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return absl::OkStatus();
    call_ = &context;
  }
  const auto stream = client_.WatchEvidence(context);
  assessment::v1::WatchEvidenceResponse message;
  absl::Status status;
  while (status.ok() && stream->Read(&message)) {
    status = Take(message, !began);
    began = true;
  }
  if (!status.ok()) context.TryCancel();
  const absl::Status ended = serving::FromGrpcStatus(stream->Finish());
  const std::lock_guard lock(mutex_);
  call_ = nullptr;
  return status.ok() ? ended : status;
}

absl::Status DossierFeed::Take(const assessment::v1::WatchEvidenceResponse& message, bool first) {
  if (first) {
    // Where it begins: everything after will be told.
    ASSIGN_OR_RETURN(const dossiers::Moment at, MomentOf(message.snapshot()));
    cache_.Begin(at);
    return absl::OkStatus();
  }
  for (const evidence::v1::RecordedItem& item : message.items()) {
    cache_.Touched(item.item().organisation(), item.revision());
  }
  if (message.more()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const dossiers::Moment at, MomentOf(message.snapshot()));
  cache_.Reached(at, message.register_changed());
  return absl::OkStatus();
}

void DossierFeed::Confirm() {
  while (true) {
    // Quick while a watch has just begun, so that its first answer comes soon.
    if (options_.tick) options_.tick();
    const std::optional<dossiers::Moment> watched = cache_.reached();
    if (watched) {
      const absl::Time asked = absl::Now();
      const absl::StatusOr<evidence::v1::Snapshot> head =
          client_.Head(asked + options_.confirm_most);
      const absl::StatusOr<dossiers::Moment> moment =
          head.ok() ? MomentOf(*head) : absl::StatusOr<dossiers::Moment>(head.status());
      if (moment.ok()) cache_.Confirm(moment->record, moment->revision, asked);
    } else {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return over_ || Wanted(); });
    }
    if (Wait(watched ? options_.confirm_every : options_.first_wait)) return;
    // Nobody asks any more: the watch ends, and begins when somebody does.
    const std::lock_guard lock(mutex_);
    if (!Wanted() && call_ != nullptr) call_->TryCancel();
  }
}

}  // namespace starratings::service
