#include <algorithm>
#include <cstdlib>

#include "rating-svc/verify/layer.h"
#include "rating-svc/verify/program.h"
#include "rating-svc/verify/space.h"
#include "rating-svc/verify/stepper.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

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
        runs_(question.varied < 0 && question.adjust < 0 ? 1 : 2),
        stepper_(scheme, domains, question_, runs_, observer),
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
      const Word first = words[slot];
      if (question_.second >= 0) {
        observer_.OnEnd(first, words[program_.second], *this);
        continue;
      }
      Word second = words[(runs_ - 1) * slots_ + slot];
      if (first >= 0 && second >= 0) {
        second = first + stepper_.Order(question_.target, second, first) *
                             std::max<Word>(std::abs(second - first), 1);
      }
      observer_.OnEnd(first, second, *this);
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
        for (size_t run = 0; run < runs_; ++run) {
          stepper_.Do(op, layer_[here_] + run * slots_, run == 1, *this);
        }
        if (runs_ == 2 && op.kind == OpKind::kTerm) NoteMove(op, layer_[here_]);
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

  // Of a free sum the second run's total notes whether a term is higher or lower
  // there.
  void NoteMove(const Op& op, Word* words) const {
    const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(op.index)];
    if (!stepper_.IsFree(op.index)) return;
    const Word first = words[op.from[0]];
    const Word second = words[slots_ + static_cast<size_t>(op.from[0])];
    Word& moved = words[slots_ + static_cast<size_t>(op.slot)];
    if (first < 0 && second < 0) return;
    if (first < 0 || second < 0) {  // Another set of terms: it may go either way.
      moved |= kUp | kDown;
      return;
    }
    const int order = stepper_.Order(sum.terms[static_cast<size_t>(op.part)].value, first, second);
    if (order != 0) moved |= order < 0 ? kUp : kDown;
  }

  // A free sum can be anything; in the second run anything that is not lower if no
  // term is lower.
  bool Branch(const Op& op) {
    const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(op.index)];
    const size_t choices = domains_[static_cast<size_t>(sum.output)].cells.size();
    if (layer_.size() * choices * choices * layer_.width() > kWordsMost) return false;
    const auto last = static_cast<Word>(choices) - 1;
    Layer next(layer_.width());
    for (size_t state = 0; state < layer_.size(); ++state) {
      const Word* const first = layer_[state];
      const Word* const second = first + (runs_ - 1) * slots_;
      const Word absent = std::min<Word>(stepper_.Close(op, first), 0);
      const Word absent_second = std::min<Word>(stepper_.Close(op, second), 0);
      const Word moved = runs_ == 2 ? second[op.slot] : 0;
      for (Word a = absent < 0 ? absent : 0; a <= (absent < 0 ? absent : last); ++a) {
        Word from = (moved & kDown) != 0 || a < 0 ? 0 : a;
        Word to = (moved & kUp) != 0 || a < 0 ? last : a;
        if (runs_ == 1) from = to = a;
        if (runs_ == 2 && absent_second < 0) from = to = absent_second;
        for (Word b = from; b <= to; ++b) {
          Word* const words = next.Add(
              first, {static_cast<uint32_t>(state), static_cast<int32_t>(std::max<Word>(a, 0))},
              layer_.ways(state));
          words[op.slot] = a;
          if (runs_ == 2) words[slots_ + static_cast<size_t>(op.slot)] = b;
        }
      }
    }
    Replace(std::move(next), -1);
    return true;
  }

  static constexpr Word kUp = 1;
  static constexpr Word kDown = 2;

  const Scheme& scheme_;
  const std::vector<Domain>& domains_;
  const Question question_;
  Budget& budget_;
  Observer& observer_;
  const Program program_;
  const size_t slots_;  // Of one run.
  const size_t runs_;
  Stepper stepper_;
  Layer layer_;
  size_t here_ = 0;
  std::vector<int> chosen_;                   // The input of each choice; -1: a free sum.
  std::vector<std::vector<Origin>> history_;  // Before each choice but the first.
};

}  // namespace

bool Explore(const Scheme& scheme, const std::vector<Domain>& domains, const Question& question,
             Budget& budget, Observer& observer) {
  return Explorer(scheme, domains, question, budget, observer).Run();
}

}  // namespace starratings::verify
