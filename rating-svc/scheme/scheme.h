// A scheme, resolved: names have become indices, stages stand in the order in
// which they are computed, and everything is known to fit together. Made only
// by rating-svc/verify, which proves what is promised here; whoever holds a
// Scheme need not check it.
//
// Immutable and shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/evidence/date.h"

namespace starratings::scheme {

// The numbers are those of the wire.
enum class Basis { kDocumented = 1, kForced = 2, kAssumed = 3 };

// The words that a rule restates.
struct Citation {
  std::string source;  // The id of a publication.
  std::string quote;
};

struct Publication {
  std::string id;
  std::string title;
  std::string date;
  std::string uri;
};

// An exact fraction; the denominator is 1 or more.
struct Fraction {
  int64_t numerator = 0;
  int64_t denominator = 1;
};

struct Scale {
  std::string id;
  std::vector<std::string> levels;  // Worst to best; 2 to 64.
  int lowest_score = 0;             // What a sum counts for levels[0]: 0 or 1.
};

// What is known of a value before it is computed. Inputs come first, in the
// scheme's order; then the outputs of stages.
struct ValueInfo {
  std::string name;              // An input's code, or a stage's output.
  std::string title;             // For sentences.
  std::string unit;              // Of a number; may be empty.
  int scale = -1;                // Index of the scale of a level; -1: a number.
  bool share = false;            // A ratio input: shown as a percentage.
  bool lower_is_better = false;  // Of a number.
};

enum class OnMissing { kRefuse = 1, kAbsent = 2, kAssume = 3 };
enum class Fold { kEmptyInstance = 0, kWorst = 1, kBest = 2 };
enum class InputType { kLevel, kRatio, kDecimal };
// Where an input is read: in the evidence, in the register, among the published
// ratings of other schemes. Of the last two the type is a level.
enum class InputFrom { kEvidence, kAttribute, kPublished };
enum class Attribute { kKind = 1, kRegion = 2 };

// Input i is value i.
struct Input {
  std::string code;
  InputType type = InputType::kLevel;
  OnMissing on_missing = OnMissing::kRefuse;
  int assume = 0;                           // A level.
  std::optional<int64_t> exempt_below;      // Denominators below do not count.
  std::optional<int32_t> stale_after_days;  // Older observations are absent.
  Fold fold = Fold::kEmptyInstance;
  bool standing = false;  // Read from the period `standing`.
  InputFrom from = InputFrom::kEvidence;
  Attribute attribute = Attribute::kKind;  // Of an attribute.
  std::string published_scheme;            // Of a published rating: the scheme's id,
  std::string published_result;            // and which of its results.
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
};

enum class Comparison { kAbove, kBelow, kAtLeast, kAtMost, kLevelAtMost, kLevelAtLeast };

struct Condition {
  int value = 0;
  Comparison comparison = Comparison::kAbove;
  Fraction threshold;  // Of the first four.
  int level = 0;       // Of the others.
  std::string text;    // For people, for example `above 20 %`.
};

enum class OnUnknown { kRefuse = 1, kSkip = 2 };

// A cap, a veto or a floor.
struct Limit {
  std::string id;
  bool veto = false;
  bool floor = false;          // The level is the lowest that remains, not the highest.
  int target = 0;              // A value on a scale.
  int level = 0;               // The highest that remains; of a veto 0.
  bool all = false;            // Every condition must hold, not just one.
  std::vector<Condition> any;  // The conditions.
  OnUnknown unknown = OnUnknown::kRefuse;
  bool limits_absent = false;  // An absent target becomes the limit.
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  std::string say;
};

struct Term {
  int value = 0;
  int64_t weight = 1;
};

// The numbers are those of the wire.
enum class Need { kAll = 1, kAtLeast = 2, kMoreThanHalf = 3 };

// output = sum(weight * term) * times / over, of a mean divided by the weights of
// the terms that are known; rounded half up to `unit`.
struct Sum {
  std::string id;
  int output = 0;
  std::vector<Term> terms;
  int64_t times = 1;
  int64_t over = 1;
  std::optional<Fraction> round_to;
  bool mean = false;
  Need need = Need::kAll;
  int least = 0;  // Of kAtLeast.
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  std::string say;
};

// The cuts for some levels of what selects them.
struct CutList {
  int lowest = 0;  // The level below the first cut.
  std::vector<Fraction> cuts;
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
};

// Cuts that divide a cohort into equal parts by one number of each of its members.
// They are derived from all of them, before anybody is rated.
struct Quantiles {
  std::string id;
  int of = 0;         // A number.
  int parts = 2;      // There is one cut fewer.
  int64_t least = 1;  // With fewer numbers known there are no cuts.
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
};

// What was derived for them.
struct CutTable {
  std::string id;              // Of the quantiles.
  std::vector<Fraction> cuts;  // Ascending, maybe equal; empty with too few known.
  int64_t organisations = 0;   // In the cohort.
  int64_t known = 0;           // Of them, those whose number is known.
  std::string digest;          // Hexadecimal.
};

// The output's level is the number of cuts at or below the number (at or above
// it, where lower is better), counted from the lowest level of the cuts.
struct Band {
  std::string id;
  int from = 0;
  int output = 0;
  bool at_most = false;        // Lower is better.
  std::vector<Fraction> cuts;  // Where nothing selects them.
  int by = -1;                 // The value on a scale that selects a list; or none.
  std::vector<CutList> lists;
  std::vector<int> list_of;  // By level of `by`.
  int quantiles = -1;        // Whose table has the cuts; or none. See Scheme::tables.
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  std::string say;
};

enum class CountUnknown { kAbsent = 1, kSkip = 2, kAsTrue = 3 };

// The output is the number of conditions that hold.
struct Count {
  std::string id;
  int output = 0;
  std::vector<Condition> conditions;
  CountUnknown unknown = CountUnknown::kAbsent;
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  std::string say;
};

struct AdjustStep {
  Condition when;
  int by = 0;
};

// From `from`, a step up or down for each condition that holds, within the scale
// after each; where `bound` holds the gain is at most `gain_at_most`.
struct Adjust {
  std::string id;
  int from = 0;
  int output = 0;
  std::vector<AdjustStep> steps;
  std::optional<Condition> bound;
  int gain_at_most = 0;
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  std::string say;
};

struct Row {
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
  int line = 0;  // In the scheme's text.
};

struct Matrix {
  std::string id;
  std::vector<int> from;         // Values on scales.
  std::vector<uint32_t> stride;  // Cell = sum of stride[i] * level of from[i].
  int output = 0;
  std::vector<uint8_t> cells;    // The output's level.
  std::vector<uint32_t> row_of;  // Of each cell, the index of its row.
  // Of each cell the lowest and highest level that the declared principles and the
  // documented cells alone leave; empty if no principle is declared for it.
  std::vector<std::pair<uint8_t, uint8_t>> allowed;
  std::vector<Row> rows;
  std::string say;
};

enum class StageKind { kSum, kBand, kMatrix, kLimit, kCount, kAdjust };

// One step of the computation.
struct Stage {
  StageKind kind = StageKind::kLimit;
  int index = 0;  // In the vector of its kind.
};

struct Result {
  int value = 0;  // Its name is the result's id.
  std::string title;
};

// On the list at `listed_at_most` or worse. The scale of `previous` has two
// levels: 0 is on the list.
struct Transition {
  std::string id;
  int previous = 0;  // An input.
  int result = 0;    // Index in results.
  int listed_at_most = 0;
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
};

struct Consequence {
  std::string id;
  int result = 0;           // Index in results.
  std::vector<int> levels;  // Ascending.
  std::string text;
  std::string code;
  Basis basis = Basis::kAssumed;
  std::vector<Citation> citations;
};

// The result is on a scale unless it is the output of a sum or count.
struct Scheme {
  std::string id;
  std::string version;
  std::string title;
  std::string digest;      // Hexadecimal.
  std::string text;        // As it was read.
  std::string supersedes;  // `id@version`, or empty.
  evidence::Date from;
  std::optional<evidence::Date> to;  // The day after the last.

  std::vector<Publication> publications;
  std::vector<Scale> scales;
  std::vector<ValueInfo> values;
  std::vector<Input> inputs;
  std::vector<Sum> sums;
  std::vector<Quantiles> quantiles;
  std::vector<Band> bands;
  std::vector<Matrix> matrices;
  std::vector<Count> counts;
  std::vector<Adjust> adjusts;
  std::vector<Limit> limits;  // Caps, vetoes, floors; each kind in the scheme's order.
  // Whatever reads a value stands behind all that write or limit it.
  std::vector<Stage> stages;
  std::vector<Result> results;
  std::vector<Transition> transitions;
  std::vector<Consequence> consequences;

  // One for each of the quantiles once the scheme is bound to a cohort, and the cuts
  // of the bands are theirs. Before, bands that need them give nothing.
  std::vector<CutTable> tables;

  // `id@version`.
  std::string Name() const { return id + "@" + version; }

  // Whether it may be used for a round of `date`.
  bool InForceOn(evidence::Date date) const { return date >= from && (!to || date < *to); }

  // Of a value on a scale.
  const std::string& LevelName(int value, int level) const {
    return scales[static_cast<size_t>(values[static_cast<size_t>(value)].scale)]
        .levels[static_cast<size_t>(level)];
  }
};

}  // namespace starratings::scheme
