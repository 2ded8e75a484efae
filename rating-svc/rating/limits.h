// What the caps, floors and vetoes of one target make of it. Internal to the room;
// in a header, so that the evaluator is one piece to the compiler.
#pragma once

#include <limits>

#include "rating-svc/rating/conditions.h"

namespace starratings::rating {

// What the conditions of one limit say together.
struct Verdict {
  Truth truth = Truth::kFalse;
  Absent unknown = Absent::kNo;  // The first unknown's reason.
  uint64_t held = 0;
};

template <bool kTraced>
Verdict Judge(const scheme::Limit& limit, const std::vector<Value>& values) {
  Verdict verdict;
  bool failed = false;
  for (size_t i = 0; i < limit.any.size(); ++i) {
    const Value& value = values[static_cast<size_t>(limit.any[i].value)];
    const Truth truth = Test(limit.any[i], value);
    if (truth == Truth::kTrue) {
      verdict.truth = Truth::kTrue;
      if constexpr (!kTraced) {
        if (!limit.all) return verdict;  // One is enough.
      }
      verdict.held |= uint64_t{1} << (i & 63);
    } else if (truth == Truth::kUnknown) {
      if (verdict.unknown == Absent::kNo) verdict.unknown = value.absent;
    } else {
      failed = true;
    }
  }
  if (limit.all) {
    verdict.truth = failed                           ? Truth::kFalse
                    : verdict.unknown != Absent::kNo ? Truth::kUnknown
                                                     : Truth::kTrue;
  } else if (verdict.truth != Truth::kTrue && verdict.unknown != Absent::kNo) {
    verdict.truth = Truth::kUnknown;
  }
  return verdict;
}

inline constexpr int kNoLimit = std::numeric_limits<int>::max();

// A limit that nobody can decide.
struct Undecided {
  int level = 0;
  int index = 0;
  Absent reason = Absent::kNo;

  // Of equal levels the first rule is named, in whatever order they come.
  void Take(int other, int other_index, Absent other_reason, bool beats) {
    if (!beats && (other != level || other_index >= index)) return;
    level = other;
    index = other_index;
    reason = other_reason;
  }
  Value Missing() const { return Value::Missing(reason, -1 - index); }
};

// The caps and vetoes of one target, together: so that their order cannot matter.
struct Caps {
  int lowest = kNoLimit;  // Of those that fired.
  bool present = false;   // One that fired makes an absent target present.
  Undecided undecided = {kNoLimit, 0, Absent::kNo};  // The lowest.

  void Add(const scheme::Limit& limit, int index, const Verdict& verdict) {
    if (verdict.truth == Truth::kTrue) {
      if (limit.level < lowest) lowest = limit.level;
      present = present || limit.limits_absent;
    } else if (verdict.truth == Truth::kUnknown && limit.unknown == scheme::OnUnknown::kRefuse) {
      undecided.Take(limit.level, index, verdict.unknown, limit.level < undecided.level);
    }
  }

  Value Apply(const Value& raw) const {
    const bool known = raw.absent == Absent::kNo;
    if (!known && !present) return raw;
    const int level = known && raw.level < lowest ? raw.level : lowest;
    // One that nobody can decide matters only if it lies lower.
    if (undecided.level < level) return undecided.Missing();
    if (known && level == raw.level) return raw;
    return Value::Level(level);
  }
};

// The same where there are floors: first the highest floor that fired, then the
// lowest cap. Apart from Caps because most schemes have none, and evaluating is what
// takes the time.
struct CapsAndFloors {
  Caps caps;
  int highest = -1;                            // Of the floors that fired.
  bool present = false;                        // One of them makes an absent target present.
  Undecided undecided = {-1, 0, Absent::kNo};  // The highest floor.
  Undecided giving = {-1, 0, Absent::kNo};     // The highest cap that makes a target present.

  void Add(const scheme::Limit& limit, int index, const Verdict& verdict) {
    const bool open =
        verdict.truth == Truth::kUnknown && limit.unknown == scheme::OnUnknown::kRefuse;
    if (!limit.floor) {
      caps.Add(limit, index, verdict);
      if (!open || !limit.limits_absent) return;
      giving.Take(limit.level, index, verdict.unknown, limit.level > giving.level);
    } else if (verdict.truth == Truth::kTrue) {
      if (limit.level > highest) highest = limit.level;
      present = present || limit.limits_absent;
    } else if (open) {
      undecided.Take(limit.level, index, verdict.unknown, limit.level > undecided.level);
    }
  }

  Value Apply(const Value& raw) const {
    const bool known = raw.absent == Absent::kNo;
    if (!known && !caps.present && !present) return raw;
    // An absent target begins above all levels where a cap gives it one, below
    // all where only a floor does.
    const int start = known ? raw.level : caps.present ? kNoLimit : -1;
    const int raised = start < highest ? highest : start;
    const int level = raised < caps.lowest ? raised : caps.lowest;
    // A limit that nobody can decide matters only if it would change that.
    if (caps.undecided.level < level) return caps.undecided.Missing();
    if (undecided.level > level && level < caps.lowest) return undecided.Missing();
    if (start == -1 && giving.level > level && level < caps.lowest) return giving.Missing();
    if (known && level == raw.level) return raw;
    return Value::Level(level);
  }
};

}  // namespace starratings::rating
