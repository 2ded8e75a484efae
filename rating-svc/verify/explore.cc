#include <algorithm>
#include <limits>

#include "rating-svc/verify/layer.h"
#include "rating-svc/verify/program.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

// What the limits of one target make of it together; rating/evaluate.cc says
// the same about one dossier.
Word Apply(Word raw, Word lowest, bool limits_absent, Word undecided) {
  if (raw < 0 && !limits_absent) return raw;
  const Word level = raw < 0 ? lowest : std::min(raw, lowest);
  return undecided < level ? kUnknown : level;
}

class Explorer final : public State {
 public:
  Explorer(const Scheme& scheme, const std::vector<Domain>& domains, const Question& question,
           Budget& budget, Observer& observer)
      : scheme_(scheme),
        domains_(domains),
        question_(question),
        budget_(budget),
        observer_(observer),
        program_(Compile(scheme, question)),
        slots_(static_cast<size_t>(program_.slots)),
        runs_(question.varied < 0 ? 1 : 2),
        layer_(slots_ * runs_) {}

  bool Run() {
    const std::vector<Word> nothing(layer_.width(), 0);
    layer_.Add(nothing.data(), {}, 1);
    for (const Op& op : program_.ops) {
      if (!Step(op)) return false;
    }
    for (here_ = 0; here_ < layer_.size(); ++here_) {
      const Word* const words = layer_[here_];
      const auto slot = static_cast<size_t>(program_.result);
      const size_t second =
          question_.second < 0 ? (runs_ - 1) * slots_ + slot : static_cast<size_t>(program_.second);
      observer_.OnEnd(words[slot], words[second], *this);
    }
    return true;
  }

  Assignment Trace(bool second) const override {
    Assignment assignment(scheme_.inputs.size(), -1);
    Origin origin = layer_.origin(here_);
    for (size_t depth = chosen_.size(); depth-- > 0;) {
      const int input = chosen_[depth];
      if (input >= 0) {
        // The second run is one step higher in the input that is varied.
        const bool higher = second && input == question_.varied;
        assignment[static_cast<size_t>(input)] = origin.choice + (higher ? 1 : 0);
      }
      if (depth > 0) origin = history_[depth - 1][origin.parent];
    }
    return assignment;
  }

  verify::Ways Ways() const override { return layer_.ways(here_); }

 private:
  bool Step(const Op& op) {
    if (op.kind == OpKind::kInput) {
      if (!TakeUp(op)) return false;
    } else if (op.kind == OpKind::kFreeSum) {
      if (!Branch(op)) return false;
    } else {
      for (here_ = 0; here_ < layer_.size(); ++here_) {
        for (size_t run = 0; run < runs_; ++run) Do(op, layer_[here_] + run * slots_);
      }
    }
    if (!op.forget.empty()) Forget(op);
    return Spend();
  }

  bool Spend() {
    budget_.words -= static_cast<int64_t>(layer_.size() * layer_.width());
    return budget_.words > 0;
  }

  void Forget(const Op& op) {
    for (size_t state = 0; state < layer_.size(); ++state) {
      for (size_t run = 0; run < runs_; ++run) {
        Word* const words = layer_[state] + run * slots_;
        for (const int slot : op.forget) words[slot] = 0;
      }
    }
    layer_.Compact();
  }

  // Each state becomes one for each cell of the input.
  bool TakeUp(const Op& op) {
    const Domain& domain = domains_[static_cast<size_t>(op.index)];
    const bool varies = op.index == question_.varied;
    const size_t choices = varies ? std::max<size_t>(domain.present, 1) - 1 : domain.cells.size();
    if (layer_.size() * choices * layer_.width() > kWordsMost) return false;
    Layer next(layer_.width());
    for (size_t state = 0; state < layer_.size(); ++state) {
      for (size_t choice = 0; choice < choices; ++choice) {
        Word* const words =
            next.Add(layer_[state], {static_cast<uint32_t>(state), static_cast<int32_t>(choice)},
                     layer_.ways(state));
        words[op.slot] = domain.cells[choice].word;
        if (runs_ == 2) {
          words[slots_ + static_cast<size_t>(op.slot)] =
              domain.cells[choice + (varies ? 1 : 0)].word;
        }
      }
    }
    Replace(std::move(next), op.index);
    return true;
  }

  void Replace(Layer next, int input) {
    if (!chosen_.empty()) history_.push_back(layer_.TakeOrigins());
    chosen_.push_back(input);
    layer_ = std::move(next);
  }

  // A sum of decimals can be anything; in the second run anything that is not
  // lower if no term is lower.
  bool Branch(const Op& op) {
    const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(op.index)];
    const size_t choices = domains_[static_cast<size_t>(sum.output)].cells.size();
    if (layer_.size() * choices * choices * layer_.width() > kWordsMost) return false;
    Layer next(layer_.width());
    for (size_t state = 0; state < layer_.size(); ++state) {
      const Word* const first = layer_[state];
      const Word* const second = first + (runs_ - 1) * slots_;
      bool up = false;
      bool down = false;
      Word absent = 0;
      for (const int slot : op.from) {
        up = up || second[slot] > first[slot];
        down = down || second[slot] < first[slot];
        if (absent == 0 && first[slot] < 0) absent = first[slot];
      }
      const auto last = static_cast<Word>(choices) - 1;
      for (Word a = absent < 0 ? last : 0; a <= last; ++a) {
        const Word from = down ? 0 : a;
        const Word to = up && absent == 0 ? last : a;
        for (Word b = from; b <= to; ++b) {
          Word* const words = next.Add(
              first, {static_cast<uint32_t>(state), static_cast<int32_t>(a)}, layer_.ways(state));
          words[op.slot] = absent < 0 ? absent : a;
          if (runs_ == 2) words[slots_ + static_cast<size_t>(op.slot)] = absent < 0 ? absent : b;
        }
      }
    }
    Replace(std::move(next), -1);
    return true;
  }

  void Do(const Op& op, Word* words) {
    switch (op.kind) {
      case OpKind::kOpen:
        words[op.account.verdict] = 0;
        words[op.account.lowest] = kNone;
        words[op.account.by] = kNobody;
        words[op.account.second] = kNone;
        words[op.account.absent] = kNobody;
        words[op.account.undecided] = kNone;
        words[op.account.claimed] = 0;
        break;
      case OpKind::kCondition:
        Test(op, words);
        break;
      case OpKind::kFold:
        Fold(op, words);
        break;
      case OpKind::kSettle:
        Settle(op, words);
        break;
      case OpKind::kZero:
        words[op.slot] = 0;
        break;
      case OpKind::kTerm:
        AddTerm(op, words);
        break;
      case OpKind::kBand:
        Band(op, words);
        break;
      case OpKind::kMatrix:
        Matrix(op, words);
        break;
      case OpKind::kInput:
      case OpKind::kFreeSum:
        break;
    }
  }

  // The number that a word of `value` stands for.
  Number NumberOf(int value, Word word) const {
    const Domain& domain = domains_[static_cast<size_t>(value)];
    if (!domain.cells.empty()) return domain.cells[static_cast<size_t>(word)].number;
    for (const scheme::Sum& sum : scheme_.sums) {
      if (sum.output == value) return SumOf(sum, word);
    }
    return {};
  }

  void Test(const Op& op, Word* words) const {
    const scheme::Condition& condition =
        scheme_.limits[static_cast<size_t>(op.index)].any[static_cast<size_t>(op.part)];
    const Word word = words[op.from[0]];
    Word& verdict = words[op.account.verdict];
    if (word == kDoesNotCount || verdict == 1) return;
    if (word == kUnknown) {
      verdict = 2;
      return;
    }
    bool holds = false;
    if (condition.comparison == scheme::Comparison::kLevelAtMost) {
      holds = word <= condition.level;
    } else if (condition.comparison == scheme::Comparison::kLevelAtLeast) {
      holds = word >= condition.level;
    } else {
      holds = Passes(condition.comparison, NumberOf(condition.value, word), condition.threshold);
    }
    if (holds) verdict = 1;
  }

  void Fold(const Op& op, Word* words) const {
    const scheme::Limit& limit = scheme_.limits[static_cast<size_t>(op.index)];
    const Account& account = op.account;
    const Word verdict = words[account.verdict];
    words[account.verdict] = 0;
    if (verdict == 2 && limit.unknown == scheme::OnUnknown::kRefuse) {
      words[account.undecided] = std::min<Word>(words[account.undecided], limit.level);
    }
    if (verdict != 1) return;
    if (op.index == question_.claimed) words[account.claimed] = 1;
    if (limit.limits_absent) {
      words[account.absent] = words[account.absent] == kNobody ? op.index : kSeveral;
    }
    // Who it was is asked only of one run; in two it would only tell states
    // apart that are equal.
    if (limit.level < words[account.lowest]) {
      if (runs_ == 1) words[account.second] = words[account.lowest];
      words[account.lowest] = limit.level;
      if (runs_ == 1) words[account.by] = op.index;
    } else if (runs_ == 1 && limit.level < words[account.second]) {
      words[account.second] = limit.level;
    }
    if (runs_ == 2 && limit.limits_absent) words[account.absent] = kSeveral;
  }

  void Settle(const Op& op, Word* words) {
    const Account& account = op.account;
    const Word raw = words[op.slot];
    const Word lowest = words[account.lowest];
    const Word absent = words[account.absent];
    const Word undecided = words[account.undecided];
    const Word settled = Apply(raw, lowest, absent != kNobody, undecided);
    words[op.slot] = settled;
    if (runs_ == 2) return;
    if (words[account.claimed] == 1) observer_.OnVeto(settled, *this);
    if (settled < 0) return;
    const Word by = words[account.by];
    if (by >= 0) {
      const bool still = absent != kNobody && absent != by;
      if (Apply(raw, words[account.second], still, undecided) != settled) {
        observer_.OnLimit(static_cast<int>(by));
      }
    }
    if (absent >= 0 && absent != by && Apply(raw, lowest, false, undecided) != settled) {
      observer_.OnLimit(static_cast<int>(absent));
    }
  }

  void AddTerm(const Op& op, Word* words) const {
    const scheme::Term& term =
        scheme_.sums[static_cast<size_t>(op.index)].terms[static_cast<size_t>(op.part)];
    Word& total = words[op.slot];
    const Word word = words[op.from[0]];
    if (total < 0) return;  // The first absent term decides.
    if (word < 0) {
      total = word;
      return;
    }
    const int scale = scheme_.values[static_cast<size_t>(term.value)].scale;
    total += term.weight * (word + scheme_.scales[static_cast<size_t>(scale)].lowest_score);
  }

  void Band(const Op& op, Word* words) {
    const scheme::Band& band = scheme_.bands[static_cast<size_t>(op.index)];
    const Word word = words[op.from[0]];
    words[op.slot] = word < 0 ? word : BandLevel(band, NumberOf(band.from, word));
    if (word >= 0) observer_.OnBand(op.index, static_cast<int>(words[op.slot]));
  }

  void Matrix(const Op& op, Word* words) {
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
    if (runs_ == 1) observer_.OnMatrix(op.index, cell, *this);
  }

  const Scheme& scheme_;
  const std::vector<Domain>& domains_;
  const Question question_;
  Budget& budget_;
  Observer& observer_;
  const Program program_;
  const size_t slots_;  // Of one run.
  const size_t runs_;
  Layer layer_;
  size_t here_ = 0;
  std::vector<int> chosen_;                   // The input of each choice; -1: a sum of decimals.
  std::vector<std::vector<Origin>> history_;  // Before each choice but the first.
};

}  // namespace

bool Explore(const Scheme& scheme, const std::vector<Domain>& domains, const Question& question,
             Budget& budget, Observer& observer) {
  return Explorer(scheme, domains, question, budget, observer).Run();
}

}  // namespace starratings::verify
