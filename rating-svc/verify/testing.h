// What the room's tests share: texts, and where things stand in them.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/wire/scheme_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/verify/verify.h"
#include "starratings/scheme/v1/cases.pb.h"

namespace starratings::verify {

inline std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string ShippedText(const std::string& scheme, const std::string& file) {
  return ReadText(absl::StrCat(SOURCE_ROOT, "/rating-svc/schemes/", scheme, "/", file));
}

inline constexpr char kEngland[] = "england-social-services-2002";

// `text` with its one `from` replaced.
inline std::string With(const std::string& text, absl::string_view from, absl::string_view to) {
  const size_t at = text.find(std::string(from));
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(text.find(std::string(from), at + 1), std::string::npos) << from;
  return absl::StrReplaceAll(text, {{from, to}});
}

// The line, from 1, of the first `what` in `text`.
inline int LineOf(const std::string& text, absl::string_view what) {
  const size_t at = text.find(std::string(what));
  EXPECT_NE(at, std::string::npos) << what;
  return 1 + static_cast<int>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

inline std::string Told(const std::vector<Issue>& issues) {
  std::string told;
  for (const Issue& issue : issues) {
    absl::StrAppend(&told, issue.line, ": ", issue.code, " ", issue.rule_id, ": ", issue.message,
                    "\n", issue.counterexample);
  }
  return told;
}

inline scheme::v1::Cases CasesIn(const std::string& text) {
  scheme::v1::Cases cases;
  EXPECT_TRUE(wire::ParseText(text, cases).empty()) << text;
  return cases;
}

// A scheme that is right: two judgements, an indicator that caps one of them, a
// veto, a table of points, a list. Each line can be found by its words.
inline constexpr char kSmall[] = R"(
id: "small" version: "1" title: "Small"
in_force { from: "2000-01-01" to: "2010-01-01" }
publication { id: "paper" title: "A paper" date: "1999-12" }
scale { id: "s" level: "low" level: "mid" level: "high" }
scale { id: "list" level: "on" level: "off" }
input { code: "a" scale: "s" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
input { code: "b" scale: "s" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "k" ratio { unit: "cases" lower_is_better: true } on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
input { code: "was" scale: "list" standing: true on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
cap { id: "C" target: "a" limit: "mid"
  any { value: "k" above { fraction { numerator: 20 denominator: 100 } } }
  unknown: ON_UNKNOWN_SKIP basis: BASIS_ASSUMED }
veto { id: "V" target: "out"
  any { value: "b" level_at_most: "low" }
  unknown: ON_UNKNOWN_SKIP basis: BASIS_ASSUMED }
matrix { id: "M" from: "a" from: "b" output: "out" to: "s"
  row { when: "low" when: "low|mid" then: "low" basis: BASIS_ASSUMED }
  row { when: "low" when: "high" then: "mid" basis: BASIS_ASSUMED }
  row { when: "mid" when: "low" then: "low" basis: BASIS_ASSUMED }
  row { when: "mid" when: "mid" then: "mid" basis: BASIS_ASSUMED }
  row { when: "mid" when: "high" then: "mid" basis: BASIS_ASSUMED }
  row { when: "high" when: "low" then: "mid" basis: BASIS_ASSUMED }
  row { when: "high" when: "mid" then: "mid" basis: BASIS_ASSUMED }
  row { when: "high" when: "high" then: "high" basis: BASIS_FORCED }
}
result { value: "out" title: "outcome" }
transition { id: "T" previous: "was" result: "out" listed_at_most: "low" basis: BASIS_ASSUMED }
consequence { id: "F" result: "out" level: "high" text: "Freedom" basis: BASIS_ASSUMED }
property { id: "SYM" symmetric { stage: "M" pair { a: "a" b: "b" } } basis: BASIS_ASSUMED }
property { id: "OUT" outranks { stage: "M" pair { a: "a" b: "b" } } basis: BASIS_ASSUMED }
property { id: "PTS" equals_points { stage: "M" weight: 1 weight: 1 cut: 2 cut: 4 } basis: BASIS_ASSUMED }
property { id: "MON" monotone { result: "out" } basis: BASIS_ASSUMED }
property { id: "VET" veto { stage: "V" } basis: BASIS_ASSUMED }
)";

}  // namespace starratings::verify
