// Ratings as values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/digest/sha256.h"
#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

struct NotRated {
  Absent reason = Absent::kNotReported;
  std::string rule_id;  // The input's code, or the id of the rule that gave nothing.
  std::string code;     // The code whose value stood in the way.
};

// One named answer.
struct ResultOutcome {
  std::string id;
  std::string level;   // Of a result on a scale; empty otherwise.
  std::string number;  // Of a number: `12.5`, or `n/d`.
  std::optional<NotRated> not_rated;
  scheme::Basis basis = scheme::Basis::kDocumented;  // The weakest that decided.
  // What it would be without the overrides; null where none in force was read.
  std::shared_ptr<const ResultOutcome> mechanical = nullptr;
};

// The numbers are those of the wire.
enum class Move { kNone = 1, kEntered = 2, kRemained = 3, kLeft = 4, kUnknown = 5 };
const char* ToString(Move move);

struct Decision {
  std::string id;
  std::string code;
  std::string previous;  // Empty if unknown.
  std::string state;     // Empty if unknown.
  Move move = Move::kNone;
  std::string listed;  // The level that means on the list.
};

// What a scheme makes of one dossier.
struct Rating {
  std::string organisation;
  std::string name;
  std::string period;
  std::vector<ResultOutcome> results;
  std::vector<Decision> decisions;
  std::vector<const scheme::Consequence*> consequences;  // Into the scheme.
  // What it rests on beside items: attributes by name, published ratings, and cuts
  // that were derived from the cohort.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<evidence::PublishedResult> published;
  std::vector<scheme::CutTable> tables;
  digest::Digest digest{};
};

// Rates `dossier`. `date` is the round's.
Rating Rate(const scheme::Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date);

// One condition of a rule, or one cut of a band.
struct TestFinding {
  std::string value;      // The name of the value.
  std::string found;      // For people; empty if absent.
  std::string condition;  // For people, `above 20 %`.
  bool held = false;
  Absent absent = Absent::kNo;
  // Exact, of ratios in cases, too: `2.641509 percentage points, 6 fewer children`;
  // empty for levels and where absent.
  std::string margin;
};

// What one rule did.
struct StepFinding {
  std::string rule_id;
  scheme::StageKind kind = scheme::StageKind::kLimit;
  bool veto = false;
  bool floor = false;
  std::string target;
  std::string before;
  std::string after;
  bool fired = false;
  bool decided = false;
  bool binding = false;
  std::vector<TestFinding> tests;
  scheme::Basis basis = scheme::Basis::kAssumed;
  std::vector<scheme::Citation> citations;
  // Of a matrix whose cell is ASSUMED: the levels that the declared principles alone
  // would leave; empty if none is declared.
  std::vector<std::string> allowed;
  std::string sentence;
};

// What one input read.
struct ReadingFinding {
  std::string code;
  std::string value;
  Absent absent = Absent::kNo;
  bool assumed = false;
  Absent gap = Absent::kNo;  // Why there was nothing, also where a level was assumed.
  const evidence::RecordedItem* item = nullptr;  // Into the dossier.
  std::string from;  // Of what is no item: where it is from, for people.
};

// Why a rating is what it is. Recomputed when wanted, never stored.
struct Explanation {
  Rating rating;
  std::vector<ReadingFinding> readings;
  std::vector<StepFinding> steps;
  std::vector<std::string> sentences;
};

// How much of it is for people.
enum class Words {
  kNone,  // No sentences and citations.
  kAll,
};

// Rates `dossier` and says why. `dossier` must outlive the explanation.
Explanation Explain(const scheme::Scheme& scheme, const evidence::Dossier& dossier,
                    evidence::Date date, Words words = Words::kAll);

}  // namespace starratings::rating
