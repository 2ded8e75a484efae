#include "rating-svc/verify/stepper.h"

#include <algorithm>

namespace starratings::verify {
namespace {

using scheme::Need;

}  // namespace

void Stepper::Do(const Op& op, Word* words, bool second, const State& state) {
  switch (op.kind) {
    case OpKind::kOpen:
      Open(op.account, words);
      break;
    case OpKind::kCondition:
      Test(op, words);
      break;
    case OpKind::kFold:
      Fold(op, words);
      break;
    case OpKind::kSettle:
      Settle(op, words, state);
      break;
    case OpKind::kZero:
      for (const int slot : op.tally.Slots()) words[slot] = 0;
      words[op.slot] = 0;
      break;
    case OpKind::kTerm:
      AddTerm(op, words);
      break;
    case OpKind::kSum:
      words[op.slot] = Close(op, words);
      break;
    case OpKind::kCount:
      Count(op, words);
      break;
    case OpKind::kBegin:
      Begin(op, words);
      break;
    case OpKind::kStep:
    case OpKind::kBound:
      Adjust(op, words, second);
      break;
    case OpKind::kBand:
      Band(op, words);
      break;
    case OpKind::kMatrix:
      Matrix(op, words, state);
      break;
    case OpKind::kInput:
    case OpKind::kFreeSum:
      break;
  }
}

Number Stepper::NumberOf(int value, Word word) const {
  const Domain& domain = domains_[static_cast<size_t>(value)];
  if (!domain.cells.empty()) return domain.cells[static_cast<size_t>(word)].number;
  for (const scheme::Sum& sum : scheme_.sums) {
    if (sum.output == value) return SumOf(sum, word);
  }
  return {word, 1};  // A count.
}

bool Stepper::Holds(const scheme::Condition& condition, Word word) const {
  if (condition.comparison == scheme::Comparison::kLevelAtMost) return word <= condition.level;
  if (condition.comparison == scheme::Comparison::kLevelAtLeast) return word >= condition.level;
  return Passes(condition.comparison, NumberOf(condition.value, word), condition.threshold);
}

int Stepper::Order(int value, Word a, Word b) const {
  for (size_t i = 0; i < scheme_.sums.size(); ++i) {
    const scheme::Sum& sum = scheme_.sums[i];
    if (sum.output != value || !sum.mean || free_[i]) continue;
    const Number left = SumOf(sum, a);
    const Number right = SumOf(sum, b);
    const Int128 difference =
        left.numerator * right.denominator - right.numerator * left.denominator;
    return difference < 0 ? -1 : difference > 0 ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

// What a tally has to remember depends on what the sum needs. ALL: whether a term is
// unknown (then nothing else), and whether any is known. AT_LEAST: how many are
// known, up to that many, and whether any is unknown. MORE_THAN_HALF: how many more
// are known than unknown, since known > floor((known + unknown) / 2) says just that
// known > unknown; and whether any is unknown.
void Stepper::AddTerm(const Op& op, Word* words) const {
  const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(op.index)];
  const scheme::Term& term = sum.terms[static_cast<size_t>(op.part)];
  Word& total = words[op.slot];
  Word& weight = words[op.tally.weight];
  Word& known = words[op.tally.known];
  Word& unknown = words[op.tally.unknown];
  const Word word = words[op.from[0]];
  if (word == kDoesNotCount) return;
  if (word == kUnknown) {
    unknown = 1;
    if (sum.need == Need::kAll) total = weight = known = 0;
    if (sum.need == Need::kMoreThanHalf) --known;
    return;
  }
  if (sum.need == Need::kAll && unknown != 0) return;
  if (sum.need == Need::kAll) known = 1;
  if (sum.need == Need::kAtLeast) known = std::min<Word>(known + 1, sum.least);
  if (sum.need == Need::kMoreThanHalf) ++known;
  if (IsFree(op.index)) return;  // Its total can be anything.
  const int scale = scheme_.values[static_cast<size_t>(term.value)].scale;
  const int lowest = scale < 0 ? 0 : scheme_.scales[static_cast<size_t>(scale)].lowest_score;
  total += term.weight * (word + lowest);
  if (sum.mean) weight += term.weight;
}

Word Stepper::Close(const Op& op, const Word* words) const {
  const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(op.index)];
  const Word known = words[op.tally.known];
  const Word unknown = words[op.tally.unknown];
  const bool enough = sum.need == Need::kAll       ? known > 0 && unknown == 0
                      : sum.need == Need::kAtLeast ? known >= sum.least
                                                   : known > 0;
  if (!enough) return unknown != 0 ? kUnknown : kDoesNotCount;
  return TotalOf(sum, words[op.slot], words[op.tally.weight]);
}

void Stepper::Count(const Op& op, Word* words) const {
  using scheme::CountUnknown;
  const scheme::Count& count = scheme_.counts[static_cast<size_t>(op.index)];
  const scheme::Condition& condition = count.conditions[static_cast<size_t>(op.part)];
  Word& holds = words[op.slot];
  const Word word = words[op.from[0]];
  if (holds < 0 || word == kDoesNotCount) return;
  if (word == kUnknown) {
    if (count.unknown == CountUnknown::kAbsent) holds = kUnknown;
    if (count.unknown == CountUnknown::kAsTrue) ++holds;
    return;
  }
  if (Holds(condition, word)) ++holds;
}

void Stepper::Begin(const Op& op, Word* words) const {
  const scheme::Adjust& adjust = scheme_.adjusts[static_cast<size_t>(op.index)];
  const Word from = words[op.from[0]];
  words[op.slot] = from;
  words[op.start] = adjust.bound ? from : 0;
}

void Stepper::Adjust(const Op& op, Word* words, bool second) const {
  // The second run is without the step that is asked about.
  if (second && op.index == question_.adjust && op.part == question_.step) return;
  const scheme::Adjust& adjust = scheme_.adjusts[static_cast<size_t>(op.index)];
  const bool bound = op.kind == OpKind::kBound;
  const scheme::Condition& when =
      bound ? *adjust.bound : adjust.steps[static_cast<size_t>(op.part)].when;
  const Word word = words[op.from[0]];
  Word& level = words[op.slot];
  if (level < 0 || word == kDoesNotCount) return;
  if (word == kUnknown) {
    level = kUnknown;
    return;
  }
  if (!Holds(when, word)) return;
  const int scale = scheme_.values[static_cast<size_t>(adjust.output)].scale;
  const auto best = static_cast<Word>(scheme_.scales[static_cast<size_t>(scale)].levels.size()) - 1;
  if (bound) {
    level = std::min(level, words[op.start] + adjust.gain_at_most);
  } else {
    level = std::clamp<Word>(level + adjust.steps[static_cast<size_t>(op.part)].by, 0, best);
  }
}

void Stepper::Band(const Op& op, Word* words) {
  const scheme::Band& band = scheme_.bands[static_cast<size_t>(op.index)];
  const Word word = words[op.from[0]];
  const Word by = band.by < 0 ? 0 : words[op.from[1]];
  if (word < 0 || by < 0) {
    words[op.slot] = word < 0 ? word : by;
    return;
  }
  const size_t list = band.by < 0 ? 0 : static_cast<size_t>(band.list_of[static_cast<size_t>(by)]);
  words[op.slot] = BandLevel(band, NumberOf(band.from, word), list);
  observer_.OnBand(op.index, list, static_cast<int>(words[op.slot]));
}

void Stepper::Matrix(const Op& op, Word* words, const State& state) {
  const scheme::Matrix& matrix = scheme_.matrices[static_cast<size_t>(op.index)];
  uint32_t cell = 0;
  for (size_t i = 0; i < op.from.size(); ++i) {
    const Word word = words[op.from[i]];
    if (word < 0) {
      words[op.slot] = word;
      return;
    }
    cell += matrix.stride[i] * static_cast<uint32_t>(word);
  }
  words[op.slot] = matrix.cells[cell];
  if (runs_ == 1) observer_.OnMatrix(op.index, cell, state);
}

}  // namespace starratings::verify
