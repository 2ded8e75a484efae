// A scheme as small steps over the slots of a state. Internal to the room; see
// space.h.
#pragma once

#include <array>
#include <vector>

#include "rating-svc/verify/domain.h"

namespace starratings::verify {

enum class OpKind {
  kInput,      // slot = one of the cells of input `index`
  kOpen,       // empties an account
  kCondition,  // condition `part` of limit `index`, read from `from[0]`
  kFold,       // limit `index` is entered into the account
  kSettle,     // slot = what the account makes of it
  kZero,       // slot = 0
  kTerm,       // slot += term `part` of sum `index`, read from `from[0]`
  kFreeSum,    // slot = anything that sum `index` may be for `from`
  kBand,       // slot = band `index` of from[0]
  kMatrix,     // slot = matrix `index` of `from`
};

// The slots in which the limits of one target are drawn up.
struct Account {
  int verdict = 0;    // Of the limit at hand: 0 no, 1 holds, 2 unknown.
  int lowest = 0;     // The lowest limit that fired.
  int by = 0;         // Which that is, if it is one.
  int second = 0;     // The lowest of the others.
  int absent = 0;     // Which makes an absent target present.
  int undecided = 0;  // The lowest limit that nobody can decide.
  int claimed = 0;    // Whether the claimed veto fired.

  std::array<int, 7> Slots() const {
    return {verdict, lowest, by, second, absent, undecided, claimed};
  }
};

inline constexpr Word kNone = 99;    // Above all levels.
inline constexpr Word kNobody = -1;  // For `by` and `absent`.
inline constexpr Word kSeveral = -2;

struct Op {
  OpKind kind = OpKind::kInput;
  int index = 0;
  int part = 0;
  int slot = 0;
  std::vector<int> from;  // Slots.
  Account account;
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
