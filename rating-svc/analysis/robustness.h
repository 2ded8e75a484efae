// How likely each level of a result is if the year were repeated: each ratio's
// numerator is drawn anew on its denominator, independently of the others;
// whatever else is known stays as it is.
//
// Pure, and exact but for rounding: no simulation. Only inputs that vary
// multiply; those that matter through one value alone are drawn together into
// the values that it takes, before they meet the others.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "rating-svc/analysis/chances.h"
#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

// The probabilities are off by no more than this.
inline constexpr double kErrorBound = 1e-12;

// What is done with one input.
enum class Treatment {
  kVaries,
  kOutside,   // The result does not depend on it.
  kAbsent,    // Stays absent: missing, stale or exempt, which is a matter of the denominator.
  kNoRatio,   // A level or a decimal: says nothing of how it varies.
  kOverride,  // Decided by a person: nothing is counted anew.
  kFolded,    // The worst or best of several instances: not one count.
  kAboveOne,  // The numerator is above the denominator: no share of cases.
  kTooLarge,  // The denominator is above kDenominatorMost.
};
// For example `NO_RATIO`.
const char* ToString(Treatment treatment);

struct Odds {
  // False if more combinations than kCombinationsMost would have to be tried, or
  // more inputs than kVariedMost vary; nothing else is set then.
  bool possible = true;
  std::vector<double> levels;  // Of the result's scale.
  double not_rated = 0;
};

// The least and the greatest that each probability can be, however the inputs
// depend on each other.
struct Bounds {
  struct Range {
    double least = 0;
    double most = 0;
  };
  std::vector<Range> levels;
  Range not_rated;
};

// Keeps what it has found out about the scheme from one dossier to the next. Not
// thread-safe.
class Assessor {
 public:
  static constexpr size_t kCombinationsMost = 1 << 16;
  static constexpr size_t kBoundedMost = 4'096;
  static constexpr size_t kVariedMost = 48;
  static constexpr size_t kPlansMost = 1'024;

  // `result` is an index in scheme.results; its value is on a scale. `scheme`
  // must outlive the object.
  Assessor(const scheme::Scheme& scheme, size_t result, RateModel model);

  Treatment TreatmentOf(size_t input, const rating::Value& reading) const;

  Odds Assess(std::span<const rating::Value> readings);

  // None if there are more than kBoundedMost combinations.
  std::optional<Bounds> BoundsOf(std::span<const rating::Value> readings);

 private:
  // A part of an input's line of which all tests say the same; begins at or
  // after `edge`, but for the first, which begins at 0.
  struct Cell {
    scheme::Fraction edge;
    bool after = false;
    rating::Value sample;
  };
  // Some inputs, or what came of earlier steps, met in every combination.
  struct Step {
    std::vector<size_t> factors;    // Inputs that vary, then earlier steps.
    std::vector<uint32_t> classes;  // Of each combination; the last factor changes fastest.
    size_t count = 0;               // Of classes.
  };
  struct Plan {
    bool possible = true;
    std::vector<size_t> varied;  // Inputs.
    std::vector<Step> steps;     // The last gives the result.
    std::vector<int> levels;     // Of the classes of the last step; -1: not rated.
  };
  friend class Planner;

  std::vector<Cell> CellsOf(size_t input) const;
  const Plan& PlanOf(std::span<const rating::Value> readings);
  void Draw(const Plan& plan, std::span<const rating::Value> readings);

  const scheme::Scheme& scheme_;
  const size_t result_;
  const RateModel model_;
  const std::vector<bool> cone_;
  const size_t levels_;
  std::vector<std::vector<Cell>> cells_;  // Of each input; empty if it cannot vary.
  absl::flat_hash_map<std::string, Plan> plans_;

  // Used again and again.
  std::string key_;
  std::vector<int64_t> firsts_;
  std::vector<std::vector<double>> factors_;
  std::vector<double> products_;
  std::vector<double> wider_;
};

// The distribution of how many of independent events happen: element k is the
// probability of exactly k.
std::vector<double> CountDistribution(const std::vector<double>& probabilities);

}  // namespace starratings::analysis
