#include "assessment-svc/service/dossier_reads.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/snapshots.h"
#include "common/evidence/text.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

absl::Status CheckRequest(const assessment::v1::GetDossierRequest& request) {
  status::FieldErrors errors;
  errors.AddIfError("organisation", evidence::CheckOrganisationId(request.organisation()));
  errors.AddIfError("period", evidence::CheckSlug(request.period()));
  return errors.ToStatus();
}

bool IsLatest(const assessment::v1::GetDossierRequest& request) {
  return request.freshness().has_latest() ||
         request.freshness().mode_case() == evidence::v1::Freshness::MODE_NOT_SET;
}

absl::Status OrganisationUnknown(const std::string& organisation) {
  return status::Error(absl::StatusCode::kNotFound, "ORGANISATION_UNKNOWN",
                       absl::StrCat("organisation `", organisation, "` is not registered"),
                       {{"organisation", organisation}});
}

}  // namespace

DossierReads::~DossierReads() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return readers_ == 0; });
}

grpc::ServerUnaryReactor* DossierReads::Get(grpc::CallbackServerContext& context,
                                            const assessment::v1::GetDossierRequest& request,
                                            assessment::v1::GetDossierResponse& response) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  if (const absl::Status error = CheckRequest(request); !error.ok()) {
    reactor->Finish(serving::ToGrpcStatus(error));
    return reactor;
  }
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kWaitingMost) {
      waiting_.push_back({&context, &request, &response, reactor, DeadlineOf(context)});
      if (readers_ == kReadersMost) return reactor;
      if (calls_.Run([this] { ReadAll(); })) {
        ++readers_;
        return reactor;
      }
      // Whoever reads will come to it.
      if (readers_ > 0) return reactor;
      waiting_.pop_back();
    }
  }
  reactor->Finish(serving::ToGrpcStatus(PoolFull()));
  return reactor;
}

void DossierReads::ReadAll() {
  while (true) {
    const std::vector<Call> group = TakeGroup();
    if (group.empty()) return;
    ReadGroup(group);
  }
}

std::vector<DossierReads::Call> DossierReads::TakeGroup() {
  const std::lock_guard lock(mutex_);
  std::vector<Call> group;
  if (waiting_.empty()) {
    if (--readers_ == 0) idle_.notify_all();
    return group;
  }
  const auto end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kGroupMost));
  group.assign(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return group;
}

void DossierReads::ReadGroup(const std::vector<Call>& group) {
  std::map<Together, std::vector<Call>> parts;
  // One answer for all who ask for the latest: each of them has begun to wait.
  std::optional<absl::StatusOr<int64_t>> latest;
  for (const Call& call : group) {
    if (call.context->IsCancelled()) {
      call.reactor->Finish(serving::ToGrpcStatus(CallerGone()));
      continue;
    }
    absl::StatusOr<int64_t> revision = int64_t{0};
    if (!IsLatest(*call.request)) {
      revision = RevisionFor(store_, call.request->freshness(), "freshness", call.deadline);
    } else if (latest && latest->ok()) {
      revision = *latest;
    } else {
      revision = RevisionFor(store_, {}, "freshness", call.deadline);
      latest = revision;
    }
    if (revision.ok()) {
      parts[{*revision, call.request->period()}].push_back(call);
    } else {
      call.reactor->Finish(serving::ToGrpcStatus(revision.status()));
    }
  }
  for (const auto& [together, calls] : parts) Answer(together, calls);
}

void DossierReads::Answer(const Together& together, const std::vector<Call>& calls) {
  const auto finish_all = [&calls](const absl::Status& error) {
    for (const Call& call : calls) call.reactor->Finish(serving::ToGrpcStatus(error));
  };
  // Whose time is over is told so by gRPC.
  absl::Time deadline = absl::InfinitePast();
  store::OrganisationFilter filter;
  for (const Call& call : calls) {
    deadline = std::max(deadline, call.deadline);
    filter.organisations.push_back(call.request->organisation());
  }
  std::sort(filter.organisations.begin(), filter.organisations.end());
  filter.organisations.erase(std::unique(filter.organisations.begin(), filter.organisations.end()),
                             filter.organisations.end());
  if (const absl::Status error = CheckPeriod(together, deadline); !error.ok()) {
    finish_all(error);
    return;
  }
  const auto dossiers = store_.ReadDossiers(filter, together.period, {}, {},
                                            static_cast<int>(filter.organisations.size()),
                                            together.revision, deadline);
  if (!dossiers.ok()) {
    finish_all(dossiers.status());
    return;
  }
  absl::flat_hash_map<absl::string_view, const evidence::Dossier*> found;
  for (const evidence::Dossier& dossier : *dossiers) found[dossier.organisation.id] = &dossier;
  const evidence::v1::Snapshot snapshot = SnapshotAt(store_, together.revision);
  for (const Call& call : calls) {
    const auto dossier = found.find(call.request->organisation());
    if (dossier == found.end()) {
      call.reactor->Finish(
          serving::ToGrpcStatus(OrganisationUnknown(call.request->organisation())));
      continue;
    }
    wire::SourceWriter(*call.response->mutable_sources())
        .Write(*dossier->second, *call.response->mutable_dossier());
    *call.response->mutable_snapshot() = snapshot;
    call.reactor->Finish(grpc::Status::OK);
  }
}

absl::Status DossierReads::CheckPeriod(const Together& together, absl::Time deadline) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = periods_.find(together.period);
    if (known != periods_.end() && known->second <= together.revision) return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckPeriodRegistered(store_, together.period, together.revision, deadline));
  const std::lock_guard lock(mutex_);
  if (periods_.size() >= kPeriodsMost) periods_.clear();
  const auto [known, is_new] = periods_.try_emplace(together.period, together.revision);
  if (!is_new) known->second = std::min(known->second, together.revision);
  return absl::OkStatus();
}

}  // namespace starratings::service
