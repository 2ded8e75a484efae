// What the proofs are worth: each cell of England's table changed to each other
// value, 768 mutants.
#include "absl/strings/str_join.h"
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

// The table's rows in `text`: where the digit of `then` stands.
std::vector<size_t> ThensOf(const std::string& text) {
  std::vector<size_t> thens;
  for (size_t at = text.find("then: \""); at != std::string::npos;
       at = text.find("then: \"", at + 1)) {
    thens.push_back(at + 7);
  }
  return thens;
}

TEST(Mutants, OfEnglandsTableAreAllCaught) {
  std::string text = ShippedText(kEngland, "scheme.textproto");
  const std::vector<size_t> thens = ThensOf(text);
  ASSERT_EQ(thens.size(), 256u);
  int caught = 0;
  for (const size_t then : thens) {
    const char right = text[then];
    for (const char wrong : {'0', '1', '2', '3'}) {
      if (wrong == right) continue;
      text[then] = wrong;
      if (!Verify(text).issues.empty()) ++caught;
    }
    text[then] = right;
  }
  EXPECT_EQ(caught, 768);
}

// The published outcomes that name all four judgements.
constexpr char kPublished[] = R"(
case { id: "walsall" basis: BASIS_ASSUMED
  given { code: "adults.serving" value { level: "no" } }
  given { code: "adults.prospects" value { level: "poor" } }
  given { code: "children.serving" value { level: "no" } }
  given { code: "children.prospects" value { level: "poor" } }
  expect { result: "stars" level: "0" } }
case { id: "hull" basis: BASIS_ASSUMED
  given { code: "adults.serving" value { level: "some" } }
  given { code: "adults.prospects" value { level: "promising" } }
  given { code: "children.serving" value { level: "most" } }
  given { code: "children.prospects" value { level: "promising" } }
  expect { result: "stars" level: "2" } }
case { id: "isle-of-wight" basis: BASIS_ASSUMED
  given { code: "adults.serving" value { level: "most" } }
  given { code: "adults.prospects" value { level: "promising" } }
  given { code: "children.serving" value { level: "some" } }
  given { code: "children.prospects" value { level: "promising" } }
  expect { result: "stars" level: "2" } }
)";

// The principles of 2002 and the outcomes that name all four judgements leave
// six changes open, all on the diagonal; and nine changes of cells with `poor` on
// both sides, which V2 masks: MONOTONE is about results, and these show in none.
TEST(Mutants, WithoutThePointsFewSurvive) {
  std::string text = ShippedText(kEngland, "scheme.textproto");
  const size_t property = text.rfind("property {", text.find("equals_points"));
  ASSERT_NE(property, std::string::npos);
  text = text.substr(0, property) + text.substr(text.find("\n}", property) + 2);
  std::vector<std::string> survivors;
  for (const size_t then : ThensOf(text)) {
    const char right = text[then];
    for (const char wrong : {'0', '1', '2', '3'}) {
      if (wrong == right) continue;
      text[then] = wrong;
      const Verification verification = Verify(text);
      if (verification.scheme == nullptr) continue;
      const CaseReport report = RunCases(*verification.scheme, kPublished);
      if (std::all_of(report.outcomes.begin(), report.outcomes.end(),
                      [](const CaseOutcome& outcome) { return outcome.passed; })) {
        const size_t row = text.rfind('\n', then) + 1;
        survivors.push_back(text.substr(row, then + 1 - row));
      }
    }
    text[then] = right;
  }
  const auto masked = std::count_if(survivors.begin(), survivors.end(), [](const std::string& row) {
    return row.find("\"poor\"") != std::string::npos;
  });
  EXPECT_EQ(masked, 9) << absl::StrJoin(survivors, "\n");
  EXPECT_EQ(survivors.size(), 6u + 9u) << absl::StrJoin(survivors, "\n");
}

}  // namespace
}  // namespace starratings::verify
