// Tokens: what a reader or writer saw, opaque on the wire.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::wire {

struct Token {
  std::string store;        // The store's id, a UUID.
  int64_t incarnation = 1;  // Counts restores from backups.
  int64_t revision = 0;

  friend bool operator==(const Token&, const Token&) = default;
};

// Base64url without padding, so that it survives shells and URLs. Carries a
// checksum: a token that was cut or mistyped is noticed.
std::string EncodeToken(const Token& token);

// Returns INVALID_ARGUMENT, reason TOKEN_MALFORMED, if `text` is none of ours.
absl::StatusOr<Token> DecodeToken(absl::string_view text);

}  // namespace starratings::wire
