#include "common/evidence/text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace starratings::evidence {
namespace {

absl::Status NotUtf8() { return absl::InvalidArgumentError("must be UTF-8"); }

// Whether `text` is printable ASCII, which is in normal form C as it stands.
bool IsPlain(absl::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

absl::Status Check(absl::string_view text, size_t least, size_t most, bool line_breaks) {
  if (text.size() < least || text.size() > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("must have ", least, " to ", most, " bytes, and has ", text.size()));
  }
  if (IsPlain(text)) return absl::OkStatus();
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(bytes, left, &point);
    if (used < 1) return NotUtf8();
    const bool allowed = line_breaks && (point == '\n' || point == '\r' || point == '\t');
    if (utf8proc_category(point) == UTF8PROC_CATEGORY_CC && !allowed) {
      return absl::InvalidArgumentError("must not contain control characters");
    }
    bytes += used;
    left -= used;
  }
  const auto normal = ToNfc(text);
  if (!normal.ok()) return normal.status();
  if (*normal != text) return absl::InvalidArgumentError("must be in Unicode normal form C");
  return absl::OkStatus();
}

template <typename Allowed>
bool Consists(absl::string_view text, size_t most, Allowed allowed) {
  if (text.empty() || text.size() > most) return false;
  for (const char c : text) {
    if (!allowed(c)) return false;
  }
  return true;
}

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsLowerHex(char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9'); }

}  // namespace

absl::StatusOr<std::string> ToNfc(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  utf8proc_uint8_t* normal = nullptr;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const utf8proc_ssize_t length =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(text.size()), &normal,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(normal, &std::free);
  if (length < 0) return NotUtf8();
  return std::string(reinterpret_cast<const char*>(normal), static_cast<size_t>(length));
}

absl::Status CheckText(absl::string_view text, size_t least, size_t most) {
  return Check(text, least, most, /*line_breaks=*/false);
}

absl::Status CheckLongText(absl::string_view text, size_t least, size_t most) {
  return Check(text, least, most, /*line_breaks=*/true);
}

absl::Status CheckOrganisationId(absl::string_view id) {
  if (absl::Status status = CheckText(id, 1, 128); !status.ok()) return status;
  if (id.front() == ' ' || id.back() == ' ') {
    return absl::InvalidArgumentError("must not begin or end with a space");
  }
  return absl::OkStatus();
}

absl::Status CheckInstance(absl::string_view instance) {
  return instance.empty() ? absl::OkStatus() : CheckOrganisationId(instance);
}

absl::Status CheckCode(absl::string_view code) {
  if (Consists(code, 64, [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '.'; })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "must be a code such as children.placement_stability: 1 to 64 of a-z 0-9 _ .");
}

absl::Status CheckSlug(absl::string_view id) {
  if (Consists(id, 64,
               [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '.' || c == '-'; })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be an id such as 2001-02: 1 to 64 of a-z 0-9 _ . -");
}

absl::Status CheckLevel(absl::string_view level) {
  if (absl::Status status = CheckText(level, 1, 64); !status.ok()) return status;
  if (level == "any" || absl::StrContains(level, "|")) {
    return absl::InvalidArgumentError("must not be `any` and must not contain `|`");
  }
  return absl::OkStatus();
}

absl::Status CheckUuid(absl::string_view id) {
  bool ok = id.size() == 36;
  for (size_t i = 0; ok && i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    ok = dash ? id[i] == '-' : absl::ascii_isxdigit(static_cast<unsigned char>(id[i]));
  }
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError("must be a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e");
}

absl::Status CheckSha256(absl::string_view digest) {
  if (digest.size() == 64 && Consists(digest, 64, IsLowerHex)) return absl::OkStatus();
  return absl::InvalidArgumentError("must be a SHA-256 in 64 lower-case hexadecimal digits");
}

}  // namespace starratings::evidence
