#include "starctl/encoding.h"

#include <utf8proc.h>

#include <array>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace starratings::starctl {
namespace {

// Bytes 0x80 to 0x9f of Windows-1252; 0 where it has no character.
constexpr std::array<int, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

// The character that Windows-1252 has for `byte`, which is 0x80 or more; empty
// if it has none.
std::string InWindows1252(unsigned char byte) {
  const int point = byte >= 0xa0 ? byte : kWindows1252[byte - 0x80u];
  if (point == 0) return "";
  std::array<utf8proc_uint8_t, 4> encoded{};
  const utf8proc_ssize_t length = utf8proc_encode_char(point, encoded.data());
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<size_t>(length)};
}

std::string RuleFor(unsigned char byte, int column) {
  std::string rule =
      absl::StrFormat("character %d must be UTF-8, and is the byte 0x%02X", column, byte);
  const std::string character = byte < 0x80 ? "" : InWindows1252(byte);
  if (!character.empty()) {
    absl::StrAppend(&rule, ", which is `", character,
                    "` in Windows-1252; save the file as UTF-8, or convert it: "
                    "iconv -f WINDOWS-1252 -t UTF-8");
  }
  return rule;
}

}  // namespace

void CheckEncoding(absl::string_view text, BadRows& bad) {
  if (absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff")) {
    bad.Add(1, "",
            "the file must be UTF-8, and is UTF-16; save it as UTF-8, or convert it: "
            "iconv -f UTF-16 -t UTF-8");
    return;
  }
  int line = 1;
  int column = 1;  // In characters.
  bool noted = false;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    const bool lone_return = text[at] == '\r' && (at + 1 >= text.size() || text[at + 1] != '\n');
    if (text[at] == '\n' || lone_return) {
      ++line;
      column = 1;
      noted = false;
      ++at;
      continue;
    }
    utf8proc_int32_t point = 0;
    utf8proc_ssize_t used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (used < 1 || point == 0) {
      if (!noted) bad.Add(line, "", RuleFor(bytes[at], column));
      noted = true;
      used = 1;
    }
    at += static_cast<size_t>(used);
    ++column;
  }
}

}  // namespace starratings::starctl
