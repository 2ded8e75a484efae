#include "starctl/words.h"

#include <openssl/rand.h>

#include <array>
#include <cassert>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest/sha256.h"

namespace starratings::starctl {
namespace {

// `version` as RFC 9562 has them: 4 is random, 8 is made in a way of our own.
std::string UuidFrom(std::array<uint8_t, 16> bytes, uint8_t version) {
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | (version << 4));
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

}  // namespace

std::optional<bool> FlagFromString(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "yes") || absl::EqualsIgnoreCase(text, "true")) return true;
  if (absl::EqualsIgnoreCase(text, "no") || absl::EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

std::string OneLine(absl::string_view text) {
  std::string line(text);
  absl::RemoveExtraAsciiWhitespace(&line);
  for (char& c : line) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) c = ' ';
  }
  return line;
}

std::string Thousands(int64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    const bool grouped = i > 0 && digits[i - 1] != '-' && left % 3 == 0;
    if (grouped) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string Counted(int64_t number, absl::string_view noun) {
  if (number == 1) return absl::StrCat("1 ", noun);
  if (absl::EndsWith(noun, "ch")) return absl::StrCat(Thousands(number), " ", noun, "es");
  return absl::StrCat(Thousands(number), " ", noun, "s");
}

std::string NewUuid() {
  std::array<uint8_t, 16> bytes{};
  const int made = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  assert(made == 1);
  static_cast<void>(made);
  return UuidFrom(bytes, 4);
}

std::string UuidOf(absl::string_view content) {
  const digest::Digest digest = digest::Sha256(content);
  std::array<uint8_t, 16> bytes{};
  std::copy(digest.begin(), digest.begin() + bytes.size(), bytes.begin());
  return UuidFrom(bytes, 8);
}

}  // namespace starratings::starctl
