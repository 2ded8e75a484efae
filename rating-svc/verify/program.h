// A scheme as small steps over the slots of a state. Internal to the room; see
// space.h.
#pragma once

#include <vector>

#include "rating-svc/verify/domain.h"

namespace starratings::verify {

enum class OpKind {
  kInput,      // slot = one of the cells of input `index`
  kOpen,       // empties an account
  kCondition,  // condition `part` of limit `index`, read from `from[0]`
  kFold,       // limit `index` is entered into the account
  kSettle,     // slot = what the account makes of it
  kZero,       // empties a tally, or counts from 0
  kTerm,       // term `part` of sum `index`, read from `from[0]`, goes into the tally
  kSum,        // slot = what the tally of sum `index` comes to
  kFreeSum,    // the same, where that can be anything
  kCount,      // slot += condition `part` of count `index`, read from `from[0]`
  kBegin,      // slot = from[0], with which adjustment `index` begins
  kStep,       // slot is moved by step `part` of it, whose condition reads from[0]
  kBound,      // slot is held by its bound, whose condition reads from[0]
  kBand,       // slot = band `index` of from[0], with cuts selected by from[1]
  kMatrix,     // slot = matrix `index` of `from`
};

// The slots in which the limits of one target are drawn up.
struct Account {
  int verdict = 0;    // Of the limit at hand: see Explorer::Test().
  int lowest = 0;     // The lowest limit that fired.
  int by = 0;         // Which that is, if it is one.
  int second = 0;     // The lowest of the others.
  int absent = 0;     // Which makes an absent target present.
  int undecided = 0;  // The lowest limit that nobody can decide.
  int claimed = 0;    // Whether the claimed veto fired.
  // Only where there are floors. Of these, as above: the highest that fired, ...
  bool floors = false;
  int highest = 0;
  int floor_by = 0;
  int floor_second = 0;
  int floor_absent = 0;
  int floor_undecided = 0;
  // ... and of caps the highest undecided one that makes an absent target
  // present.
  int absent_undecided = 0;

  std::vector<int> Slots() const {
    std::vector<int> slots = {verdict, lowest, by, second, absent, undecided, claimed};
    if (floors) {
      slots.insert(slots.end(), {highest, floor_by, floor_second, floor_absent, floor_undecided,
                                 absent_undecided});
    }
    return slots;
  }
};

// The slots in which a sum is drawn up: its total is in the slot of the step. What
// these mean depends on what the sum needs; see tally.cc.
struct Tally {
  int weight = 0;
  int known = 0;
  int unknown = 0;

  std::vector<int> Slots() const { return {weight, known, unknown}; }
};

inline constexpr Word kNone = 99;    // Above all levels.
inline constexpr Word kBelow = -9;   // Below all levels.
inline constexpr Word kNobody = -1;  // For `by` and `absent`.
inline constexpr Word kSeveral = -2;

struct Op {
  OpKind kind = OpKind::kInput;
  int index = 0;
  int part = 0;
  int slot = 0;
  std::vector<int> from;  // Slots.
  Account account;
  Tally tally;
  int start = 0;            // The slot of what an adjustment began with, for its bound.
  std::vector<int> forget;  // Slots that nothing reads after this.
};

struct Program {
  std::vector<Op> ops;
  int slots = 0;
  int result = 0;  // The slot that holds the target in the end.
  int second = 0;  // The same of the second target, if there is one.
};

// The steps that lead to what the question asks for.
struct Question;
Program Compile(const scheme::Scheme& scheme, const Question& question);

}  // namespace starratings::verify
