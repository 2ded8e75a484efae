// The scheme that docs/schemes.md builds up step by step verifies as it stands.
#include <fstream>
#include <sstream>

#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "rating-svc/verify/verify.h"

namespace starratings::verify {
namespace {

TEST(DocumentTest, TheExampleVerifies) {
  std::ifstream in(SOURCE_ROOT "/docs/schemes.md");
  std::string scheme;
  bool inside = false;
  int blocks = 0;
  for (std::string line; std::getline(in, line);) {
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    if (text == "```textproto") {
      inside = true;
      ++blocks;
    } else if (text == "```") {
      inside = false;
    } else if (inside) {
      scheme += line + "\n";
    }
  }
  ASSERT_EQ(blocks, 5);

  const Verification verification = Verify(scheme);

  for (const Issue& issue : verification.issues) {
    ADD_FAILURE() << issue.line << ": " << issue.code << " " << issue.message;
  }
  EXPECT_NE(verification.scheme, nullptr);
}

}  // namespace
}  // namespace starratings::verify
