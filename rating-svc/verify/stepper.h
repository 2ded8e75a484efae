// One step of a program on one state, where it leads to one state. Internal to the
// room; see space.h.
#pragma once

#include <vector>

#include "rating-svc/verify/program.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {

class Stepper {
 public:
  // All arguments must outlive the stepper. `runs` is 1 or 2.
  Stepper(const scheme::Scheme& scheme, const std::vector<Domain>& domains,
          const Question& question, size_t runs, Observer& observer)
      : scheme_(scheme), domains_(domains), question_(question), runs_(runs), observer_(observer) {
    for (const scheme::Sum& sum : scheme.sums) free_.push_back(verify::IsFree(scheme, sum));
  }

  // Whether sum `index` can be anything.
  bool IsFree(int index) const { return free_[static_cast<size_t>(index)]; }

  // Does `op` to the slots of one run, the second or the first, and tells the
  // observer what happens.
  void Do(const Op& op, Word* words, bool second, const State& state);

  // What the tally of a sum comes to: its total, or why there is none.
  Word Close(const Op& op, const Word* words) const;

  // How the present words `a` and `b` of a value compare: below, at or above 0.
  int Order(int value, Word a, Word b) const;

 private:
  // The number that a word of `value` stands for.
  Number NumberOf(int value, Word word) const;
  // Whether a present value passes.
  bool Holds(const scheme::Condition& condition, Word word) const;

  // stepper_limits.cc
  static void Open(const Account& account, Word* words);
  void Test(const Op& op, Word* words) const;
  void Note(int limit, Word level, bool lower, Word& best, Word& by, Word& second) const;
  void Fold(const Op& op, Word* words) const;
  void Settle(const Op& op, Word* words, const State& state);

  void AddTerm(const Op& op, Word* words) const;
  void Count(const Op& op, Word* words) const;
  void Begin(const Op& op, Word* words) const;
  void Adjust(const Op& op, Word* words, bool second) const;
  void Band(const Op& op, Word* words);
  void Matrix(const Op& op, Word* words, const State& state);

  const scheme::Scheme& scheme_;
  const std::vector<Domain>& domains_;
  const Question& question_;
  const size_t runs_;
  Observer& observer_;
  std::vector<bool> free_;   // By sum.
  std::vector<Word> alone_;  // Room for Settle().
};

}  // namespace starratings::verify
