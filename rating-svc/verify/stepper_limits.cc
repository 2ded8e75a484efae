// Caps, floors and vetoes.
#include <algorithm>

#include "rating-svc/verify/stepper.h"

namespace starratings::verify {
namespace {

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

Limits LimitsOf(const Account& account, const Word* words) {
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
Limits Without(Word limit, const Account& account, const Word* words, Limits limits) {
  if (words[account.by] == limit) limits.lowest = words[account.second];
  if (words[account.absent] == limit) limits.absent = false;
  if (!account.floors) return limits;
  if (words[account.floor_by] == limit) limits.highest = words[account.floor_second];
  if (words[account.floor_absent] == limit) limits.floor_absent = false;
  return limits;
}

}  // namespace

void Stepper::Open(const Account& account, Word* words) {
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
void Stepper::Test(const Op& op, Word* words) const {
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

// What limit fired, of one run. Who it was is asked only where there is one; of
// two it would only tell states apart that are equal.
void Stepper::Note(int limit, Word level, bool lower, Word& best, Word& by, Word& second) const {
  const auto before = [lower](Word a, Word b) { return lower ? a < b : a > b; };
  if (before(level, best)) {
    if (runs_ == 1) second = best;
    best = level;
    if (runs_ == 1) by = limit;
  } else if (runs_ == 1 && before(level, second)) {
    second = level;
  }
}

void Stepper::Fold(const Op& op, Word* words) const {
  const scheme::Limit& limit = scheme_.limits[static_cast<size_t>(op.index)];
  const Account& account = op.account;
  const Word verdict = words[account.verdict];
  const bool fired = limit.all ? verdict == 0 : verdict == 1;
  words[account.verdict] = 0;
  if (verdict == 2 && limit.unknown == scheme::OnUnknown::kRefuse) {
    if (limit.floor) {
      words[account.floor_undecided] = std::max<Word>(words[account.floor_undecided], limit.level);
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

void Stepper::Settle(const Op& op, Word* words, const State& state) {
  const Account& account = op.account;
  const Word raw = words[op.slot];
  const Limits limits = LimitsOf(account, words);
  const Word settled = Apply(raw, limits);
  words[op.slot] = settled;
  if (runs_ == 2) return;
  if (words[account.claimed] == 1) observer_.OnVeto(settled, state);
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

}  // namespace starratings::verify
