#include "assessment-svc/service/evidence_writes.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "assessment-svc/intake/check_batch.h"
#include "assessment-svc/service/acting.h"
#include "assessment-svc/service/request_limits.h"
#include "assessment-svc/service/snapshots.h"
#include "assessment-svc/service/writes.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using assessment::v1::SubmitEvidenceRequest;
using intake::SubmittedItem;
using status::FieldErrors;

constexpr char kNone[] = "*none*";
constexpr size_t kEtagBytesMost = 64;

// What keeps the batch from being looked at item by item.
void CheckSize(const SubmitEvidenceRequest& request, FieldErrors& errors) {
  const RequestLimits& limits = CurrentRequestLimits();
  const auto count = static_cast<size_t>(request.items_size());
  if (count < 1 || count > limits.batch_items) {
    errors.Add("items",
               absl::StrCat("must have 1 to ", limits.batch_items, " items, and has ", count));
  }
  if (static_cast<size_t>(request.sources_size()) > limits.batch_items) {
    errors.Add("sources", "must each be used by an item");
  }
  if (request.ByteSizeLong() > limits.batch_bytes) {
    errors.Add("items", absl::StrCat("must come in a request of at most ", limits.batch_bytes,
                                     " bytes, and it has ", request.ByteSizeLong()));
  }
}

store::Expectation ExpectationOf(const std::string& etag) {
  using Kind = store::Expectation::Kind;
  if (etag.empty()) return {};
  if (etag == kNone) return {Kind::kNothing, ""};
  return {Kind::kEtag, etag};
}

std::vector<SubmittedItem> ReadItems(const SubmitEvidenceRequest& request, FieldErrors& errors) {
  const wire::SourcesById sources = wire::SourcesFromProto(request.sources(), "sources", errors);
  std::set<std::string> used;
  std::vector<SubmittedItem> items;
  items.reserve(static_cast<size_t>(request.items_size()));
  for (int i = 0; i < request.items_size(); ++i) {
    const assessment::v1::SubmittedItem& message = request.items(i);
    const size_t faults_before = errors.count();
    SubmittedItem item;
    item.item =
        wire::ItemFromProto(message.item(), sources, absl::StrCat("items[", i, "].item."), errors);
    item.well_formed = errors.count() == faults_before;
    errors.AddIfError(absl::StrCat("items[", i, "].etag"),
                      evidence::CheckText(message.etag(), 0, kEtagBytesMost));
    items.push_back(std::move(item));
    used.insert(message.item().source_id());
  }
  for (int i = 0; i < request.sources_size(); ++i) {
    if (!used.contains(request.sources(i).id())) {
      errors.Add(absl::StrCat("sources[", i, "]"), "must be used by an item");
    }
  }
  return items;
}

store::EvidenceBatch BatchOf(const SubmitEvidenceRequest& request,
                             std::vector<SubmittedItem> items) {
  store::EvidenceBatch batch;
  batch.items.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    batch.items.push_back(
        {std::move(items[i].item), ExpectationOf(request.items(static_cast<int>(i)).etag())});
  }
  return batch;
}

// Whether the caller may say all this, as far as the codes are registered: what they
// are not is refused anyway.
absl::Status CheckSays(const Speaker& speaker, const std::vector<SubmittedItem>& items,
                       const intake::Register& registered) {
  for (const SubmittedItem& item : items) {
    const auto code = registered.codes.find(item.item.key.code);
    if (code == registered.codes.end()) continue;
    RETURN_IF_ERROR(speaker.CheckSays(item.item.key.organisation, code->second));
  }
  return absl::OkStatus();
}

// Notes what keeps the register from taking the items; the revision as of which.
// Nothing if that cannot be told without waiting, and `call` may not. An error if
// `speaker` may not say them.
absl::StatusOr<std::optional<int64_t>> CheckRegistered(const Parts& parts, const Speaker& speaker,
                                                       const std::vector<SubmittedItem>& items,
                                                       const Call& call, FieldErrors& errors) {
  absl::flat_hash_set<std::string> organisations;
  for (const SubmittedItem& item : items) organisations.insert(item.item.key.organisation);
  // What the kept register refuses, the newest may take.
  for (const bool fresh : {false, true}) {
    RegisterCache::View view;
    if (call.may_wait) {
      ASSIGN_OR_RETURN(view, parts.registers.Look(organisations, fresh, call.deadline));
    } else if (auto kept = parts.registers.Peek(organisations); kept && !fresh) {
      view = *std::move(kept);
    } else {
      return std::nullopt;
    }
    RETURN_IF_ERROR(CheckSays(speaker, items, *view.registered));
    FieldErrors found = errors;
    CheckBatch(items, *view.registered, view.strangers, found);
    if (found.count() == errors.count() || view.fresh) {
      errors = std::move(found);
      return view.revision;
    }
  }
  return absl::InternalError("unreachable: the second look is fresh");
}

}  // namespace

absl::StatusOr<Plan> PlanSubmit(const Parts& parts, const SubmitEvidenceRequest& request,
                                const Call& call) {
  const Speaker speaker(parts, call.actor, request.validate_only());
  bool overrides = false;
  for (const assessment::v1::SubmittedItem& item : request.items()) {
    RETURN_IF_ERROR(speaker.CheckAbout(item.item().organisation()));
    overrides = overrides || item.item().has_override();
  }
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), overrides ? Need::kRequired : Need::kOptional, errors);
  CheckSize(request, errors);
  if (static_cast<size_t>(request.items_size()) > CurrentRequestLimits().batch_items) {
    return errors.ToStatus();
  }
  std::vector<SubmittedItem> items = ReadItems(request, errors);
  const bool well_formed = errors.empty();

  ASSIGN_OR_RETURN(const std::optional<int64_t> register_seen,
                   CheckRegistered(parts, speaker, items, call, errors));
  Plan plan;
  plan.must_wait = !register_seen;
  if (plan.must_wait) return plan;
  if (!well_formed) return errors.ToStatus();

  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  store::EvidenceBatch batch = BatchOf(request, std::move(items));
  batch.register_seen = *register_seen;
  plan.refusal = errors.ToStatus();
  plan.write.validate_only = request.validate_only();
  plan.write.body = std::move(batch);
  return plan;
}

void AnswerSubmit(const store::EvidenceStore& store, const store::Written& written,
                  assessment::v1::SubmitEvidenceResponse& response) {
  if (written.revision > 0) *response.mutable_snapshot() = SnapshotAt(store, written.revision);
  response.mutable_etags()->Assign(written.etags.begin(), written.etags.end());
  response.set_replayed(written.replayed);
}

evidence::ItemKey KeyFromProto(const assessment::v1::EvidenceKey& key, FieldErrors& errors) {
  errors.AddIfError("key.organisation", evidence::CheckOrganisationId(key.organisation()));
  errors.AddIfError("key.period", evidence::CheckSlug(key.period()));
  errors.AddIfError("key.code", evidence::CheckCode(key.code()));
  errors.AddIfError("key.instance", evidence::CheckInstance(key.instance()));
  return {key.organisation(), key.period(), key.code(), key.instance()};
}

absl::Status EvidenceNotFound(const evidence::ItemKey& key) {
  return status::Error(absl::StatusCode::kNotFound, "EVIDENCE_NOT_FOUND",
                       "nothing was ever said under this key",
                       {{"organisation", key.organisation},
                        {"period", key.period},
                        {"code", key.code},
                        {"instance", key.instance}});
}

absl::StatusOr<Plan> PlanWithdraw(const Parts& parts,
                                  const assessment::v1::WithdrawEvidenceRequest& request,
                                  const Call& call) {
  const Speaker speaker(parts, call.actor);
  RETURN_IF_ERROR(speaker.CheckAbout(request.key().organisation()));
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kRequired, errors);
  errors.AddIfError("etag", evidence::CheckText(request.etag(), 0, kEtagBytesMost));
  if (request.etag() == kNone) {
    errors.Add("etag", "must be an item's etag, or empty: what is not there is not withdrawn");
  }
  const evidence::ItemKey key = KeyFromProto(request.key(), errors);
  RETURN_IF_ERROR(errors.ToStatus());

  ASSIGN_OR_RETURN(const RegisterCache::View view,
                   parts.registers.Look({}, /*fresh=*/true, call.deadline));
  if (const auto code = view.registered->codes.find(key.code);
      code != view.registered->codes.end()) {
    RETURN_IF_ERROR(speaker.CheckSays(key.organisation, code->second));
  }
  ASSIGN_OR_RETURN(const int64_t head, parts.store.Head(call.deadline));
  ASSIGN_OR_RETURN(const auto current, parts.store.ReadItem(key, head, call.deadline));
  if (!current) return EvidenceNotFound(key);
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  // The source stays: it says what was withdrawn.
  evidence::Item item;
  item.key = key;
  item.value = evidence::MissingReason::kWithdrawn;
  item.source = current->item.source;
  item.digest = wire::ItemDigest(item);
  plan.write.body =
      store::EvidenceBatch{{{std::move(item), ExpectationOf(request.etag())}}, view.revision};
  return plan;
}

}  // namespace starratings::service
