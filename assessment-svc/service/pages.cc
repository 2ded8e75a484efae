#include "assessment-svc/service/pages.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"
#include "google/protobuf/descriptor.h"

namespace starratings::service {
namespace {

constexpr char kFormat[] = "p1";
constexpr size_t kTokenMost = 4'000;

// Sixteen digits that tell one list from another.
std::string FiltersOf(const google::protobuf::Message& request, const store::Identity& identity) {
  const std::unique_ptr<google::protobuf::Message> filters(request.New());
  filters->CopyFrom(request);
  for (const char* name : {"page_size", "page_token", "freshness"}) {
    const auto* field = request.GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) filters->GetReflection()->ClearField(filters.get(), field);
  }
  return digest::ToHex(digest::Sha256(absl::StrCat(request.GetDescriptor()->full_name(), "\n",
                                                   identity.store, "\n", identity.incarnation, "\n",
                                                   filters->SerializeAsString())))
      .substr(0, 16);
}

std::string Checksum(absl::string_view body) {
  return digest::ToHex(digest::Sha256(body)).substr(0, 8);
}

// `length:bytes`, so that a part may hold anything.
void AppendPart(absl::string_view part, std::string& body) {
  absl::StrAppend(&body, part.size(), ":", part);
}

// Takes the first part off `body`; nothing if it is not one of ours.
std::optional<std::string> TakePart(absl::string_view& body) {
  const size_t colon = body.find(':');
  size_t length = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(body.substr(0, colon), &length) ||
      length > body.size() - colon - 1) {
    return std::nullopt;
  }
  std::string part(body.substr(colon + 1, length));
  body.remove_prefix(colon + 1 + length);
  return part;
}

absl::Status Refused(absl::string_view reason, absl::string_view rule) {
  status::ErrorDetail detail;
  detail.reason = std::string(reason);
  detail.fields = {{"page_token", std::string(rule)}};
  return status::ErrorWithDetail(absl::StatusCode::kInvalidArgument,
                                 absl::StrCat("page_token: ", rule), detail);
}

absl::Status Malformed() {
  return Refused("PAGE_TOKEN_MALFORMED",
                 "must be the next_page_token of an earlier reply, copied whole");
}

}  // namespace

int PageSizeOf(int32_t page_size, status::FieldErrors& errors) {
  constexpr int kMost = RequestLimits::kPageMost;
  if (page_size < 0 || page_size > kMost) {
    errors.Add("page_size", absl::StrCat("must be 1 to ", kMost, ", or 0 for ", kPageSizeDefault));
  }
  // A page may have fewer entries than were asked for; a caller goes by its token.
  return std::min(page_size <= 0 ? kPageSizeDefault : page_size, CurrentRequestLimits().page_size);
}

std::string EncodePage(const Page& page, const google::protobuf::Message& request,
                       const store::Identity& identity) {
  std::string body;
  AppendPart(kFormat, body);
  AppendPart(FiltersOf(request, identity), body);
  AppendPart(absl::StrCat(page.revision), body);
  for (const std::string& part : page.cursor) AppendPart(part, body);
  std::string token;
  absl::WebSafeBase64Escape(absl::StrCat(Checksum(body), body), &token);
  return token;
}

absl::StatusOr<Page> DecodePage(absl::string_view token, const google::protobuf::Message& request,
                                const store::Identity& identity, size_t cursor_size) {
  std::string decoded;
  if (token.size() > kTokenMost || !absl::WebSafeBase64Unescape(token, &decoded) ||
      decoded.size() < 8) {
    return Malformed();
  }
  absl::string_view body = absl::string_view(decoded).substr(8);
  if (Checksum(body) != decoded.substr(0, 8)) return Malformed();
  std::vector<std::string> parts;
  while (!body.empty()) {
    std::optional<std::string> part = TakePart(body);
    if (!part) return Malformed();
    parts.push_back(*std::move(part));
  }
  Page page;
  if (parts.size() < 3 || parts[0] != kFormat || !absl::SimpleAtoi(parts[2], &page.revision)) {
    return Malformed();
  }
  if (parts[1] != FiltersOf(request, identity) || parts.size() != 3 + cursor_size) {
    return Refused("PAGE_TOKEN_MISMATCH",
                   "must be used with the request that it was made for, its filters unchanged");
  }
  page.cursor.assign(parts.begin() + 3, parts.end());
  return page;
}

absl::Status CheckPage(const store::EvidenceStore& store, const Page& page, absl::Time deadline) {
  if (page.revision < 0) return Malformed();
  if (page.revision <= store.GetKnownHead().revision) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t head, store.Head(deadline));
  return page.revision <= head ? absl::OkStatus() : Malformed();
}

std::vector<std::string> CursorOf(absl::string_view organisation) {
  return {std::string(organisation)};
}

store::OrganisationCursor OrganisationCursorOf(const Page& page) {
  if (page.cursor.empty()) return {};
  return {digest::BucketOf(page.cursor.at(0)), page.cursor.at(0)};
}

std::vector<std::string> CursorOf(const evidence::ItemKey& key) {
  return {key.organisation, key.period, key.code, key.instance};
}

store::ItemCursor ItemCursorOf(const Page& page) {
  if (page.cursor.empty()) return {};
  return {digest::BucketOf(page.cursor.at(0)),
          {page.cursor.at(0), page.cursor.at(1), page.cursor.at(2), page.cursor.at(3)}};
}

std::vector<std::string> CursorOf(int64_t before) { return {absl::StrCat(before)}; }

absl::StatusOr<int64_t> BeforeOf(const Page& page) {
  if (page.cursor.empty()) return page.revision + 1;
  int64_t before = 0;
  if (!absl::SimpleAtoi(page.cursor.at(0), &before)) return Malformed();
  return std::min(before, page.revision + 1);
}

}  // namespace starratings::service
