#include "common/digest/sha256.h"

#include <openssl/evp.h>

#include <cassert>
#include <cstdlib>

#include "absl/strings/escaping.h"

namespace starratings::digest {
namespace {

// OpenSSL fails here only when memory is short; there is no going on then.
void Require(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

void Sha256Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256Hasher::Sha256Hasher() : context_(EVP_MD_CTX_new()) {
  Require(context_ != nullptr);
  Begin();
}

void Sha256Hasher::Begin() {
  // Fetched once: looking the algorithm up costs more than hashing an item.
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Require(sha256 != nullptr && EVP_DigestInit_ex2(context_.get(), sha256, nullptr) == 1);
}

void Sha256Hasher::Add(absl::string_view bytes) {
  Require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256Hasher::Add(const Digest& digest) {
  Require(EVP_DigestUpdate(context_.get(), digest.data(), digest.size()) == 1);
}

void Sha256Hasher::AddNumber(uint64_t number, int bytes) {
  assert(bytes >= 1 && bytes <= 8);
  std::string big_endian;
  for (int i = bytes - 1; i >= 0; --i) big_endian.push_back(static_cast<char>(number >> (8 * i)));
  Add(big_endian);
}

Digest Sha256Hasher::Finish() {
  Digest digest;
  Require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  Begin();
  return digest;
}

Digest Sha256(absl::string_view bytes) {
  thread_local Sha256Hasher hasher;  // Made anew it takes longer than an item does.
  hasher.Add(bytes);
  return hasher.Finish();
}

std::string ToHex(const Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

bool IsHexOf(absl::string_view hex, const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (hex.size() != 2 * digest.size()) return false;
  for (size_t i = 0; i < digest.size(); ++i) {
    if (hex[2 * i] != kDigits[digest[i] >> 4] || hex[2 * i + 1] != kDigits[digest[i] & 15]) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<Digest> FromHex(absl::string_view hex) {
  bool ok = hex.size() == 64;
  for (const char c : hex) ok = ok && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  if (!ok) {
    return absl::InvalidArgumentError("must be a SHA-256 in 64 lower-case hexadecimal digits");
  }
  const std::string bytes = absl::HexStringToBytes(hex);
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<uint8_t>(bytes[i]);
  return digest;
}

}  // namespace starratings::digest
