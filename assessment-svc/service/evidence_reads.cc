#include "assessment-svc/service/evidence_reads.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/evidence_writes.h"
#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/snapshots.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using evidence::RecordedItem;
using status::FieldErrors;

// The last second of the year 9999, beyond which a Timestamp does not go.
constexpr int64_t kSecondsMost = 253'402'300'799;

// Writes all but what is beyond the page; true if there was something beyond.
template <typename Response>
bool WritePage(const std::vector<RecordedItem>& items, int page_size, Response& response) {
  wire::SourceWriter writer(*response.mutable_sources());
  const size_t shown = std::min(items.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < shown; ++i) writer.Write(items[i], *response.add_items());
  return items.size() > shown;
}

void CheckFilters(const assessment::v1::ListEvidenceRequest& request, FieldErrors& errors) {
  if (request.organisations_size() > kFilterMost) {
    errors.Add("organisations", absl::StrCat("must have at most ", kFilterMost));
  }
  for (int i = 0; i < std::min(request.organisations_size(), kFilterMost); ++i) {
    errors.AddIfError(absl::StrCat("organisations[", i, "]"),
                      evidence::CheckOrganisationId(request.organisations(i)));
  }
  if (!request.period().empty()) {
    errors.AddIfError("period", evidence::CheckSlug(request.period()));
  }
  CheckCodes(request.codes(), errors);
}

}  // namespace

void CheckCodes(const google::protobuf::RepeatedPtrField<std::string>& codes, FieldErrors& errors) {
  if (codes.size() > kFilterMost) {
    errors.Add("codes", absl::StrCat("must have at most ", kFilterMost));
    return;
  }
  for (int i = 0; i < codes.size(); ++i) {
    errors.AddIfError(absl::StrCat("codes[", i, "]"), evidence::CheckCode(codes[i]));
  }
}

absl::Status CheckPeriodRegistered(const store::EvidenceStore& store, const std::string& period,
                                   int64_t revision, absl::Time deadline) {
  if (period == evidence::kStanding) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto periods, store.ReadPeriods(revision, deadline));
  for (const evidence::Period& registered : periods) {
    if (registered.id == period) return absl::OkStatus();
  }
  return status::Error(absl::StatusCode::kNotFound, "PERIOD_UNKNOWN",
                       absl::StrCat("period `", period, "` is not registered"),
                       {{"period", period}});
}

absl::Status GetEvidence(const store::EvidenceStore& store,
                         const assessment::v1::GetEvidenceRequest& request, absl::Time deadline,
                         assessment::v1::GetEvidenceResponse& response) {
  FieldErrors errors;
  const evidence::ItemKey key = KeyFromProto(request.key(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionFor(store, request.freshness(), "freshness", deadline));
  ASSIGN_OR_RETURN(const auto item, store.ReadItem(key, revision, deadline));
  if (!item) return EvidenceNotFound(key);
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  wire::SourceWriter(sources).Write(*item, *response.mutable_item());
  *response.mutable_source() = sources[0];
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  return absl::OkStatus();
}

absl::Status ListEvidence(const store::EvidenceStore& store,
                          const assessment::v1::ListEvidenceRequest& request, absl::Time deadline,
                          assessment::v1::ListEvidenceResponse& response) {
  FieldErrors errors;
  const int page_size = PageSizeOf(request.page_size(), errors);
  CheckFilters(request, errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const Page page, PageOf(store, request, 4, deadline));
  const store::ItemFilter filter{{request.organisations().begin(), request.organisations().end()},
                                 request.period(),
                                 {request.codes().begin(), request.codes().end()}};
  ASSIGN_OR_RETURN(const auto items, store.ListItems(filter, ItemCursorOf(page), page_size + 1,
                                                     page.revision, deadline));
  if (WritePage(items, page_size, response)) {
    const evidence::ItemKey& last = items[static_cast<size_t>(page_size) - 1].item.key;
    response.set_next_page_token(
        EncodePage({page.revision, CursorOf(last)}, request, store.GetIdentity()));
  }
  *response.mutable_snapshot() = SnapshotAt(store, page.revision);
  return absl::OkStatus();
}

absl::Status ListEvidenceRevisions(const store::EvidenceStore& store,
                                   const assessment::v1::ListEvidenceRevisionsRequest& request,
                                   absl::Time deadline,
                                   assessment::v1::ListEvidenceRevisionsResponse& response) {
  FieldErrors errors;
  const int page_size = PageSizeOf(request.page_size(), errors);
  const evidence::ItemKey key = KeyFromProto(request.key(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const Page page, PageOf(store, request, 1, deadline));
  ASSIGN_OR_RETURN(const int64_t before, BeforeOf(page));
  ASSIGN_OR_RETURN(const auto items, store.ReadHistory(key, before, page_size + 1, deadline));
  if (WritePage(items, page_size, response)) {
    const int64_t last = items[static_cast<size_t>(page_size) - 1].revision;
    response.set_next_page_token(
        EncodePage({page.revision, CursorOf(last)}, request, store.GetIdentity()));
  }
  *response.mutable_snapshot() = SnapshotAt(store, page.revision);
  return absl::OkStatus();
}

absl::Status ResolveRevision(const store::EvidenceStore& store,
                             const assessment::v1::ResolveRevisionRequest& request,
                             absl::Time deadline,
                             assessment::v1::ResolveRevisionResponse& response) {
  FieldErrors errors;
  const int64_t time_us = request.time().seconds() * 1'000'000 + request.time().nanos() / 1'000;
  if (!request.has_time()) {
    errors.Add("time", "must be given");
  } else if (request.time().seconds() < 0 || request.time().seconds() > kSecondsMost) {
    errors.Add("time", "must be of the years 1970 to 9999");
  } else if (time_us > absl::ToUnixMicros(absl::Now())) {
    // What will have been recorded by then is not known: the answer would change.
    errors.Add("time", "must not be in the future");
  }
  RETURN_IF_ERROR(errors.ToStatus());
  // What was acknowledged before the call is looked at, too.
  RETURN_IF_ERROR(store.Head(deadline).status());
  ASSIGN_OR_RETURN(const int64_t revision, store.FindRevision(time_us, deadline));
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  if (revision == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto log,
                   store.ReadLog({revision - 1, store::LogCursor::kWhole}, revision, 1, deadline));
  if (!log.empty()) *response.mutable_recorded_at() = ToProto(log.front().commit).time();
  return absl::OkStatus();
}

}  // namespace starratings::service
