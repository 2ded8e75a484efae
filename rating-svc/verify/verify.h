// From a text to a scheme, or a list of what is wrong with it. A Scheme that
// comes out of here is well-formed and everything it declares is proven.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::verify {

// One thing that is wrong with a scheme.
struct Issue {
  std::string code;     // Stable, for example `MATRIX_HOLE`; docs/schemes.md.
  std::string rule_id;  // The rule or value at fault; may be empty.
  int line = 0;         // In the text, from 1; 0 if unknown.
  std::string message;  // What is wrong and what is required.
  // Evidence that shows it, as textproto of scheme.v1.Cases: one case, or two
  // that are compared; may be empty. Was run through the evaluator before it was
  // put here, and expects what came out; a MATRIX_HOLE has nothing to expect.
  std::string counterexample;
};

struct Verification {
  std::vector<Issue> issues;
  // Set if there are no issues.
  std::shared_ptr<const scheme::Scheme> scheme;
  // What was proven and counted, a sentence each.
  std::vector<std::string> report;
  // Set if the text parses and has them, even where there are issues.
  std::string id;
  std::string version;
  std::string digest;
};

// The most a scheme's text may be, in bytes.
inline constexpr size_t kTextMost = 1 << 20;

// Parses, resolves and proves. Pure.
Verification Verify(absl::string_view text);

// What came of one case.
struct CaseOutcome {
  std::string id;
  bool passed = false;
  int completions = 0;  // How many combinations of what was left open.
  std::string message;  // What differs, if it did not pass.
};

// Runs the cases in `text` (textproto of scheme.v1.Cases). Text that does not
// parse, or a case that names what the scheme does not have, is an issue.
struct CaseReport {
  std::vector<Issue> issues;
  std::vector<CaseOutcome> outcomes;
};
CaseReport RunCases(const scheme::Scheme& scheme, absl::string_view text);

}  // namespace starratings::verify
