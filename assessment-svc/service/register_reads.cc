#include "assessment-svc/service/register_reads.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/service/snapshots.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using status::FieldErrors;

// Where a list of the register stands.
struct Place {
  int page_size = 0;
  Page page;
};

template <typename Request>
absl::StatusOr<Place> PlaceOf(const store::EvidenceStore& store, const Request& request,
                              FieldErrors& errors, absl::Time deadline) {
  Place place;
  place.page_size = PageSizeOf(request.page_size(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(place.page, PageOf(store, request, 1, deadline));
  return place;
}

// Of `all`, which are in the order of `id_of`, calls `add` for those of the
// page; true if there are more.
template <typename Entry, typename IdOf, typename Add>
bool WritePage(const std::vector<Entry>& all, const Place& place, IdOf id_of, Add add) {
  auto entry = all.begin();
  if (!place.page.cursor.empty()) {
    const std::string& after = place.page.cursor[0];
    entry = std::find_if(all.begin(), all.end(),
                         [&](const Entry& candidate) { return id_of(candidate) > after; });
  }
  for (int i = 0; i < place.page_size && entry != all.end(); ++i) add(*entry++);
  return entry != all.end();
}

}  // namespace

absl::Status ListOrganisations(const store::EvidenceStore& store,
                               const assessment::v1::ListOrganisationsRequest& request,
                               absl::Time deadline,
                               assessment::v1::ListOrganisationsResponse& response) {
  FieldErrors errors;
  const rounds::Selector selector = SelectorFromProto(request.selector(), "selector.", errors);
  ASSIGN_OR_RETURN(const Place place, PlaceOf(store, request, errors, deadline));
  ASSIGN_OR_RETURN(const auto organisations,
                   store.ListOrganisations(FilterOf(selector), OrganisationCursorOf(place.page),
                                           place.page_size + 1, place.page.revision, deadline));
  const size_t shown = std::min(organisations.size(), static_cast<size_t>(place.page_size));
  for (size_t i = 0; i < shown; ++i) {
    *response.add_organisations() = wire::ToProto(organisations[i]);
  }
  if (organisations.size() > shown) {
    response.set_next_page_token(
        EncodePage({place.page.revision, CursorOf(organisations[shown - 1].id)}, request,
                   store.GetIdentity()));
  }
  *response.mutable_snapshot() = SnapshotAt(store, place.page.revision);
  return absl::OkStatus();
}

absl::Status ListPeriods(const store::EvidenceStore& store,
                         const assessment::v1::ListPeriodsRequest& request, absl::Time deadline,
                         assessment::v1::ListPeriodsResponse& response) {
  FieldErrors errors;
  ASSIGN_OR_RETURN(const Place place, PlaceOf(store, request, errors, deadline));
  ASSIGN_OR_RETURN(const auto periods, store.ReadPeriods(place.page.revision, deadline));
  const bool more = WritePage(
      periods, place, [](const evidence::Period& period) { return period.id; },
      [&](const evidence::Period& period) { *response.add_periods() = wire::ToProto(period); });
  if (more) {
    const std::string& last = response.periods().rbegin()->id();
    response.set_next_page_token(
        EncodePage({place.page.revision, {last}}, request, store.GetIdentity()));
  }
  *response.mutable_snapshot() = SnapshotAt(store, place.page.revision);
  return absl::OkStatus();
}

absl::Status ListCodes(const store::EvidenceStore& store,
                       const assessment::v1::ListCodesRequest& request, absl::Time deadline,
                       assessment::v1::ListCodesResponse& response) {
  FieldErrors errors;
  ASSIGN_OR_RETURN(const Place place, PlaceOf(store, request, errors, deadline));
  ASSIGN_OR_RETURN(const auto codes, store.ReadCodes(place.page.revision, deadline));
  const bool more = WritePage(
      codes, place, [](const store::RegisteredCode& code) { return code.code.id; },
      [&](const store::RegisteredCode& code) { *response.add_codes() = wire::ToProto(code.code); });
  if (more) {
    const std::string& last = response.codes().rbegin()->id();
    response.set_next_page_token(
        EncodePage({place.page.revision, {last}}, request, store.GetIdentity()));
  }
  *response.mutable_snapshot() = SnapshotAt(store, place.page.revision);
  return absl::OkStatus();
}

absl::StatusOr<store::SchemeRow> FindScheme(const store::EvidenceStore& store,
                                            const std::string& name, int64_t revision,
                                            absl::Time deadline) {
  ASSIGN_OR_RETURN(auto row, store.ReadScheme(name, deadline));
  if (row && row->commit.revision <= revision) return *std::move(row);
  return status::Error(absl::StatusCode::kNotFound, "SCHEME_UNKNOWN",
                       absl::StrCat("scheme `", name, "` is not registered"), {{"scheme", name}});
}

absl::Status GetSchemeText(const store::EvidenceStore& store,
                           const assessment::v1::GetSchemeTextRequest& request, absl::Time deadline,
                           assessment::v1::GetSchemeTextResponse& response) {
  FieldErrors errors;
  if (!IsSchemeName(request.scheme()) && !evidence::CheckSha256(request.scheme()).ok()) {
    errors.Add("scheme", "must be a digest of 64 hexadecimal digits, or id@version");
  }
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionFor(store, request.freshness(), "freshness", deadline));
  ASSIGN_OR_RETURN(const store::SchemeRow row,
                   FindScheme(store, request.scheme(), revision, deadline));
  response.set_text(row.text);
  response.set_digest(row.digest);
  *response.mutable_registered() = ToProto(row.commit);
  if (row.approval && row.approval->revision <= revision) {
    *response.mutable_approved() = ToProto(*row.approval);
  }
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  return absl::OkStatus();
}

}  // namespace starratings::service
