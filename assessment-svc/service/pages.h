// Page tokens: where a list goes on, opaque on the wire. They carry the
// revision of the first page, so that every page shows the same record, and
// fit only the filters they were made for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/service/request_limits.h"
#include "assessment-svc/service/snapshots.h"
#include "assessment-svc/store/store.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "google/protobuf/message.h"

namespace starratings::service {

inline constexpr int kPageSizeDefault = 100;

// What stands in a page token.
struct Page {
  int64_t revision = 0;
  std::vector<std::string> cursor;  // What the list makes of it; empty: the start.
};

// The number of entries asked for by `page_size`, or its default; no more than the
// process gives.
int PageSizeOf(int32_t page_size, status::FieldErrors& errors);

// The token that continues the list `request` asks for. All fields of the
// request are filters but `page_size`, `page_token` and `freshness`.
std::string EncodePage(const Page& page, const google::protobuf::Message& request,
                       const store::Identity& identity);

// Reads `token` back; it must have `cursor_size` parts. Returns
// INVALID_ARGUMENT: PAGE_TOKEN_MALFORMED, or PAGE_TOKEN_MISMATCH if it was made
// for other filters or by another store.
absl::StatusOr<Page> DecodePage(absl::string_view token, const google::protobuf::Message& request,
                                const store::Identity& identity, size_t cursor_size);

// OK if the record has the revision that a page token names: nobody was given a
// token of another. Returns INVALID_ARGUMENT, PAGE_TOKEN_MALFORMED.
absl::Status CheckPage(const store::EvidenceStore& store, const Page& page, absl::Time deadline);

// The page that `request` asks for: where its token stands; or the start, at the
// revision that its freshness asks for.
template <typename Request>
absl::StatusOr<Page> PageOf(const store::EvidenceStore& store, const Request& request,
                            size_t cursor_size, absl::Time deadline) {
  Page page;
  if (request.page_token().empty()) {
    ASSIGN_OR_RETURN(page.revision, RevisionFor(store, request.freshness(), "freshness", deadline));
  } else {
    ASSIGN_OR_RETURN(page,
                     DecodePage(request.page_token(), request, store.GetIdentity(), cursor_size));
    RETURN_IF_ERROR(CheckPage(store, page, deadline));
  }
  return page;
}

// Places in the order of organisations and of items, as cursors of a page.
std::vector<std::string> CursorOf(absl::string_view organisation);
store::OrganisationCursor OrganisationCursorOf(const Page& page);
std::vector<std::string> CursorOf(const evidence::ItemKey& key);
store::ItemCursor ItemCursorOf(const Page& page);

// The same for what is listed from the newest revision back: whatever came
// before one, and never what came after the page's revision.
std::vector<std::string> CursorOf(int64_t before);
absl::StatusOr<int64_t> BeforeOf(const Page& page);

}  // namespace starratings::service
