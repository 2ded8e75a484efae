#include <algorithm>
#include <limits>

#include "rating-svc/verify/layer.h"
#include "rating-svc/verify/program.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

// What the limits of one target come to.
struct Limits {
  Word lowest = kNone;             // The lowest cap that fired.
  bool absent = false;             // A cap that makes an absent target present did.
  Word undecided = kNone;          // The lowest cap that nobody can decide.
  Word highest = kBelow;           // The same of floors: the highest ...
  bool floor_absent = false;       //
  Word floor_undecided = kBelow;   //
  Word absent_undecided = kBelow;  // ... and of caps that make a target present.
};

// What they make of it together; rating/evaluate.cc says the same about one
// dossier.
Word Apply(Word raw, const Limits& limits) {
  if (raw < 0 && !limits.absent && !limits.floor_absent) return raw;
  const Word start = raw >= 0 ? raw : limits.absent ? kNone : kBelow;
  const Word level = std::min(std::max(start, limits.highest), limits.lowest);
  // Whatever could still fire must leave it where it is.
  Word most = std::max({start, limits.highest, limits.floor_undecided});
  if (start == kBelow) most = std::max(most, limits.absent_undecided);
  if (std::min(most, limits.lowest) != level || limits.undecided < level) return kUnknown;
  return level;
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
        program_(Compile(scheme, question.target)),
        slots_(static_cast<size_t>(program_.slots)),
        runs_(question.varied < 0 ? 1 : 2),
        layer_(slots_ * runs_) {}

  bool Run() {
    const std::vector<Word> nothing(layer_.width(), 0);
    layer_.Add(nothing.data(), {});
    for (const Op& op : program_.ops) {
      if (!Step(op)) return false;
    }
    for (here_ = 0; here_ < layer_.size(); ++here_) {
      const Word* const words = layer_[here_];
      const auto slot = static_cast<size_t>(program_.result);
      observer_.OnEnd(words[slot], words[(runs_ - 1) * slots_ + slot], *this);
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
            next.Add(layer_[state], {static_cast<uint32_t>(state), static_cast<int32_t>(choice)});
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
          Word* const words =
              next.Add(first, {static_cast<uint32_t>(state), static_cast<int32_t>(a)});
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
        Open(op.account, words);
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

  static void Open(const Account& account, Word* words) {
    words[account.verdict] = 0;
    words[account.lowest] = kNone;
    words[account.by] = kNobody;
    words[account.second] = kNone;
    words[account.absent] = kNobody;
    words[account.undecided] = kNone;
    words[account.claimed] = 0;
    if (!account.floors) return;
    words[account.highest] = kBelow;
    words[account.floor_by] = kNobody;
    words[account.floor_second] = kBelow;
    words[account.floor_absent] = kNobody;
    words[account.floor_undecided] = kBelow;
    words[account.absent_undecided] = kBelow;
  }

  // Notes in `verdict` what a condition says: 1 if it settles the limit (it holds
  // and one is enough; or it does not and all are needed), else 2 if it is
  // unknown.
  void Test(const Op& op, Word* words) const {
    const scheme::Limit& limit = scheme_.limits[static_cast<size_t>(op.index)];
    const scheme::Condition& condition = limit.any[static_cast<size_t>(op.part)];
    const Word word = words[op.from[0]];
    Word& verdict = words[op.account.verdict];
    if (verdict == 1) return;
    if (word == kUnknown) {
      verdict = 2;
    } else if ((word != kDoesNotCount && Holds(condition, word)) != limit.all) {
      verdict = 1;
    }
  }

  // Whether a present value passes.
  bool Holds(const scheme::Condition& condition, Word word) const {
    if (condition.comparison == scheme::Comparison::kLevelAtMost) return word <= condition.level;
    if (condition.comparison == scheme::Comparison::kLevelAtLeast) return word >= condition.level;
    return Passes(condition.comparison, NumberOf(condition.value, word), condition.threshold);
  }

  // What limit fired, of one run. Who it was is asked only where there is one; of
  // two it would only tell states apart that are equal.
  void Note(int limit, Word level, bool lower, Word& best, Word& by, Word& second) const {
    const auto before = [lower](Word a, Word b) { return lower ? a < b : a > b; };
    if (before(level, best)) {
      if (runs_ == 1) second = best;
      best = level;
      if (runs_ == 1) by = limit;
    } else if (runs_ == 1 && before(level, second)) {
      second = level;
    }
  }

  void Fold(const Op& op, Word* words) const {
    const scheme::Limit& limit = scheme_.limits[static_cast<size_t>(op.index)];
    const Account& account = op.account;
    const Word verdict = words[account.verdict];
    const bool fired = limit.all ? verdict == 0 : verdict == 1;
    words[account.verdict] = 0;
    if (verdict == 2 && limit.unknown == scheme::OnUnknown::kRefuse) {
      if (limit.floor) {
        words[account.floor_undecided] =
            std::max<Word>(words[account.floor_undecided], limit.level);
      } else {
        words[account.undecided] = std::min<Word>(words[account.undecided], limit.level);
      }
      if (account.floors && !limit.floor && limit.limits_absent) {
        words[account.absent_undecided] =
            std::max<Word>(words[account.absent_undecided], limit.level);
      }
    }
    if (!fired) return;
    if (op.index == question_.claimed) words[account.claimed] = 1;
    if (limit.limits_absent) {
      Word& absent = words[limit.floor ? account.floor_absent : account.absent];
      absent = absent == kNobody && runs_ == 1 ? op.index : kSeveral;
    }
    if (limit.floor) {
      Note(op.index, limit.level, false, words[account.highest], words[account.floor_by],
           words[account.floor_second]);
    } else {
      Note(op.index, limit.level, true, words[account.lowest], words[account.by],
           words[account.second]);
    }
  }

  static Limits LimitsOf(const Account& account, const Word* words) {
    Limits limits;
    limits.lowest = words[account.lowest];
    limits.absent = words[account.absent] != kNobody;
    limits.undecided = words[account.undecided];
    if (!account.floors) return limits;
    limits.highest = words[account.highest];
    limits.floor_absent = words[account.floor_absent] != kNobody;
    limits.floor_undecided = words[account.floor_undecided];
    limits.absent_undecided = words[account.absent_undecided];
    return limits;
  }

  // The same as if `limit` did not exist.
  static Limits Without(Word limit, const Account& account, const Word* words, Limits limits) {
    if (words[account.by] == limit) limits.lowest = words[account.second];
    if (words[account.absent] == limit) limits.absent = false;
    if (!account.floors) return limits;
    if (words[account.floor_by] == limit) limits.highest = words[account.floor_second];
    if (words[account.floor_absent] == limit) limits.floor_absent = false;
    return limits;
  }

  void Settle(const Op& op, Word* words) {
    const Account& account = op.account;
    const Word raw = words[op.slot];
    const Limits limits = LimitsOf(account, words);
    const Word settled = Apply(raw, limits);
    words[op.slot] = settled;
    if (runs_ == 2) return;
    if (words[account.claimed] == 1) observer_.OnVeto(settled, *this);
    if (settled < 0) return;
    // Only one of these can have made a difference by itself.
    std::vector<Word>& alone = alone_;
    alone = {words[account.by], words[account.absent]};
    if (account.floors) {
      alone.push_back(words[account.floor_by]);
      alone.push_back(words[account.floor_absent]);
    }
    for (const Word limit : alone) {
      if (limit >= 0 && Apply(raw, Without(limit, account, words, limits)) != settled) {
        observer_.OnLimit(static_cast<int>(limit));
      }
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
  std::vector<Word> alone_;                   // Room for Settle().
  std::vector<int> chosen_;                   // The input of each choice; -1: a sum of decimals.
  std::vector<std::vector<Origin>> history_;  // Before each choice but the first.
};

}  // namespace

bool Explore(const Scheme& scheme, const std::vector<Domain>& domains, const Question& question,
             Budget& budget, Observer& observer) {
  return Explorer(scheme, domains, question, budget, observer).Run();
}

}  // namespace starratings::verify
