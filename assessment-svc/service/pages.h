// Page tokens: where a list goes on, opaque on the wire. They carry the
// revision of the first page, so that every page shows the same record, and
// fit only the filters they were made for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/store/store.h"
#include "common/status/field_errors.h"
#include "google/protobuf/message.h"

namespace starratings::service {

inline constexpr int kPageSizeMost = 1'000;
inline constexpr int kPageSizeDefault = 100;

// What stands in a page token.
struct Page {
  int64_t revision = 0;
  std::vector<std::string> cursor;  // What the list makes of it; not empty.
};

// The number of entries asked for by `page_size`, or its default.
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

// Places in the order of organisations and of items, as cursors of a page.
std::vector<std::string> CursorOf(absl::string_view organisation);
store::OrganisationCursor OrganisationCursorOf(const Page& page);
std::vector<std::string> CursorOf(const evidence::ItemKey& key);
store::ItemCursor ItemCursorOf(const Page& page);

}  // namespace starratings::service
