#include "common/wire/token.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"

namespace starratings::wire {
namespace {

constexpr char kFormat[] = "1";

std::string Checksum(absl::string_view body) {
  return digest::ToHex(digest::Sha256(body)).substr(0, 8);
}

}  // namespace

std::string EncodeToken(const Token& token) {
  const std::string body =
      absl::StrCat(kFormat, " ", token.store, " ", token.incarnation, " ", token.revision);
  std::string text;
  absl::WebSafeBase64Escape(absl::StrCat(body, " ", Checksum(body)), &text);
  return text;
}

absl::StatusOr<Token> DecodeToken(absl::string_view text) {
  const absl::Status error = status::Error(absl::StatusCode::kInvalidArgument, "TOKEN_MALFORMED",
                                           "must be a token from an earlier reply, copied whole");
  std::string decoded;
  if (text.size() > 200 || !absl::WebSafeBase64Unescape(text, &decoded)) return error;
  const std::vector<std::string> parts = absl::StrSplit(decoded, ' ');
  if (parts.size() != 5 || parts[0] != kFormat) return error;
  Token token;
  token.store = parts[1];
  if (!absl::SimpleAtoi(parts[2], &token.incarnation) ||
      !absl::SimpleAtoi(parts[3], &token.revision) || token.revision < 0 ||
      EncodeToken(token) != text) {
    return error;
  }
  return token;
}

}  // namespace starratings::wire
