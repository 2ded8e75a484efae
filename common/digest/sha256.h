// SHA-256, and digests as hexadecimal.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace starratings::digest {

using Digest = std::array<uint8_t, 32>;

// Hashes what is added, piece by piece.
class Sha256Hasher {
 public:
  Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) = default;
  Sha256Hasher& operator=(Sha256Hasher&&) = default;

  void Add(absl::string_view bytes);
  void Add(const Digest& digest);
  // Big-endian, in `bytes` bytes (1 to 8).
  void AddNumber(uint64_t number, int bytes);

  // Call last; then begins anew.
  Digest Finish();

 private:
  void Begin();

  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest Sha256(absl::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string ToHex(const Digest& digest);
// Whether `hex` is what ToHex(digest) is.
bool IsHexOf(absl::string_view hex, const Digest& digest);

// Returns INVALID_ARGUMENT on anything but 64 lower-case hexadecimal digits.
absl::StatusOr<Digest> FromHex(absl::string_view hex);

}  // namespace starratings::digest
