#include "assessment-svc/store/checks.h"

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::store {
namespace {

// docs/store.md spells the same commit out.
TEST(ChecksTest, TheLeafHashIsWhatTheDocumentSays) {
  Nonce nonce;
  for (size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<uint8_t>(i);
  const digest::Digest payload = digest::Sha256("payload");
  const Commit commit = {1, "spiffe://example/ann", "", "First return", 1'022'716'800'000'000};
  const digest::Digest request_hash = RequestHash(nonce, payload);

  const std::string content = std::string("\0", 1) + absl::HexStringToBytes("0000000000000001") +
                              absl::HexStringToBytes("0003a227cf91e000") +
                              std::string("\0\0\0\x14", 4) + "spiffe://example/ann" +
                              std::string("\0\0\0\0", 4) + std::string("\0\0\0\x02", 4) + "r1" +
                              std::string("\0\0\0\x0c", 4) + "First return" +
                              absl::HexStringToBytes(digest::ToHex(request_hash));

  EXPECT_EQ(
      digest::ToHex(request_hash),
      digest::ToHex(digest::Sha256(absl::HexStringToBytes("000102030405060708090a0b0c0d0e0f") +
                                   absl::HexStringToBytes(digest::ToHex(payload)))));
  EXPECT_EQ(LeafHash(commit, "r1", request_hash), digest::Sha256(content));
  EXPECT_EQ(digest::ToHex(request_hash),
            "15ede25e0ce6cf8ecb5aac5f2d97490e9249161256df15d291381822bd225581");
  EXPECT_EQ(digest::ToHex(LeafHash(commit, "r1", request_hash)),
            "a3729e4e106ea09b67e1fc8662dfcab804ad7a4578954f68490987d62586fa81");
}

TEST(ChecksTest, AUuidIsRandomAndOfVersionFour) {
  const std::string uuid = MakeUuid();

  EXPECT_THAT(uuid, testing::MatchesRegex(
                        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(uuid, MakeUuid());
}

}  // namespace
}  // namespace starratings::store
