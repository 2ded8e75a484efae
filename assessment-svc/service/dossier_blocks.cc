#include "assessment-svc/service/dossier_blocks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/snapshots.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using assessment::v1::ExportDossiersRequest;
using assessment::v1::ExportDossiersResponse;
using status::FieldErrors;

constexpr int kReadStep = 200;  // Dossiers read at a time.

void CheckPart(const ExportDossiersRequest& request, FieldErrors& errors) {
  if (request.has_shard()) {
    const auto& shard = request.shard();
    if (shard.count() < 1 || shard.count() > digest::kBuckets) {
      errors.Add("shard.count", absl::StrCat("must be 1 to ", digest::kBuckets));
    } else if (shard.index() < 0 || shard.index() >= shard.count()) {
      errors.Add("shard.index", "must be 0 to count - 1");
    }
  }
  if (request.has_resume_after() &&
      digest::BucketOf(request.resume_after().organisation()) != request.resume_after().bucket()) {
    errors.Add("resume_after", "must be the cursor of an earlier block");
  }
  CheckCodes(request.codes(), errors);
}

// Who, and where they are read, of a selection.
absl::StatusOr<Export> PlanSelection(const store::EvidenceStore& store,
                                     const ExportDossiersRequest& request, FieldErrors& errors,
                                     absl::Time deadline) {
  const auto& selection = request.selection();
  const rounds::Selector selector =
      SelectorFromProto(selection.selector(), "selection.selector.", errors);
  errors.AddIfError("selection.period", evidence::CheckSlug(selection.period()));
  if (request.has_freshness()) errors.Add("freshness", "must stand in the selection");
  RETURN_IF_ERROR(errors.ToStatus());
  Export plan;
  plan.chosen.filter = FilterOf(selector);
  ASSIGN_OR_RETURN(plan.chosen.revision,
                   RevisionFor(store, selection.freshness(), "selection.freshness", deadline));
  RETURN_IF_ERROR(CheckPeriodRegistered(store, selection.period(), plan.chosen.revision, deadline));
  plan.period = selection.period();
  ASSIGN_OR_RETURN(plan.total,
                   store.CountOrganisations(plan.chosen.filter, plan.chosen.revision, deadline));
  return plan;
}

absl::StatusOr<Export> PlanRound(const store::EvidenceStore& store,
                                 const ExportDossiersRequest& request, FieldErrors& errors,
                                 absl::Time deadline) {
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionFor(store, request.freshness(), "freshness", deadline));
  ASSIGN_OR_RETURN(const RoundRecord record, ReadRound(store, request.round(), revision, deadline));
  const rounds::Round& round = record.history.round;
  Export plan;
  plan.chosen = ChosenBy(round, revision);
  plan.period = round.period;
  ASSIGN_OR_RETURN(plan.total, CountChosen(store, round, plan.chosen, deadline));
  return plan;
}

}  // namespace

absl::StatusOr<Export> PlanExport(const store::EvidenceStore& store,
                                  const ExportDossiersRequest& request, absl::Time deadline) {
  FieldErrors errors;
  CheckPart(request, errors);
  absl::StatusOr<Export> plan;
  switch (request.of_case()) {
    case ExportDossiersRequest::kRound:
      plan = PlanRound(store, request, errors, deadline);
      break;
    case ExportDossiersRequest::kSelection:
      plan = PlanSelection(store, request, errors, deadline);
      break;
    case ExportDossiersRequest::OF_NOT_SET:
      errors.Add("of", "must say a round or a selection");
      plan = errors.ToStatus();
      break;
  }
  RETURN_IF_ERROR(plan.status());
  plan->values_only = request.values_only();
  plan->codes.assign(request.codes().begin(), request.codes().end());
  if (request.has_shard()) {
    const auto [first, end] =
        digest::BucketsOfShard(request.shard().index(), request.shard().count());
    plan->chosen.filter.first_bucket = first;
    plan->chosen.filter.end_bucket = end;
  }
  if (request.has_resume_after()) {
    plan->after = {request.resume_after().bucket(), request.resume_after().organisation()};
  }
  return plan;
}

std::function<DossierBlocks::Page()> DossierBlocks::Reading() const {
  // Nothing of this object, which may be gone by then.
  return [&store = store_, filter = plan_.chosen.filter, period = plan_.period, codes = plan_.codes,
          after = plan_.after, revision = plan_.chosen.revision, end = end_] {
    return store.ReadDossiers(filter, period, codes, after, kReadStep, revision, StepDeadline(end));
  };
}

DossierBlocks::Page DossierBlocks::ReadPage() {
  if (ahead_) {
    Page page = ahead_->Get();
    ahead_.reset();
    // What went wrong may have done so long ago, while the caller read.
    if (page.ok()) return page;
  }
  return Reading()();
}

absl::Status DossierBlocks::Read() {
  Page page = ReadPage();
  RETURN_IF_ERROR(page.status());
  std::vector<evidence::Dossier>& dossiers = *page;
  all_read_ = dossiers.size() < static_cast<size_t>(kReadStep);
  if (!dossiers.empty()) {
    const std::string& last = dossiers.back().organisation.id;
    plan_.after = {digest::BucketOf(last), last};
  }
  if (!all_read_) ahead_.emplace(pool_, Reading());
  for (evidence::Dossier& dossier : dossiers) pending_.push_back(std::move(dossier));
  return absl::OkStatus();
}

absl::StatusOr<bool> DossierBlocks::Next(ExportDossiersResponse& block) {
  wire::SourceWriter sources(*block.mutable_sources());
  size_t bytes = 0;
  int sources_counted = 0;
  while (block.dossiers_size() < kBlockDossiersMost && bytes < kBlockBytesMost) {
    if (pending_.empty()) {
      if (all_read_) break;
      RETURN_IF_ERROR(Read());
      continue;
    }
    evidence::v1::Dossier& message = *block.add_dossiers();
    if (plan_.values_only) {
      sources.WriteValues(pending_.front(), message);
    } else {
      sources.Write(pending_.front(), message);
    }
    pending_.pop_front();
    bytes += message.ByteSizeLong();
    for (; sources_counted < block.sources_size(); ++sources_counted) {
      bytes += block.sources(sources_counted).ByteSizeLong();
    }
  }
  if (block.dossiers_size() == 0 && !first_) return false;
  first_ = false;
  if (block.dossiers_size() > 0) {
    const std::string& last = block.dossiers().rbegin()->organisation().id();
    block.mutable_cursor()->set_bucket(digest::BucketOf(last));
    block.mutable_cursor()->set_organisation(last);
  }
  *block.mutable_snapshot() = SnapshotAt(store_, plan_.chosen.revision);
  block.set_total(plan_.total);
  return true;
}

}  // namespace starratings::service
