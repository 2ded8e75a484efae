#include "rating-svc/rating/evaluate.h"

#include <cassert>
#include <limits>

namespace starratings::rating {
namespace {

using scheme::Comparison;
using scheme::Condition;
using scheme::Limit;
using scheme::Scheme;
using scheme::StageKind;

// Whether a condition holds. Unknown is neither.
enum class Truth { kFalse, kTrue, kUnknown };

// Exact: numerators are below 10^32 and denominators below 10^12 by what the
// verifier admits, so that the products fit 128 bits.
bool Compare(Comparison comparison, const Value& value, const scheme::Fraction& threshold) {
  const Int128 left = value.numerator * threshold.denominator;
  const Int128 right = static_cast<Int128>(threshold.numerator) * value.denominator;
  switch (comparison) {
    case Comparison::kAbove:
      return left > right;
    case Comparison::kBelow:
      return left < right;
    case Comparison::kAtLeast:
      return left >= right;
    case Comparison::kAtMost:
      return left <= right;
    case Comparison::kLevelAtMost:
    case Comparison::kLevelAtLeast:
      break;
  }
  assert(false);  // A condition on a level.
  return false;
}

Truth Test(const Condition& condition, const Value& value) {
  if (value.absent != Absent::kNo) {
    return DoesNotCount(value.absent) ? Truth::kFalse : Truth::kUnknown;
  }
  if (condition.comparison == Comparison::kLevelAtMost) {
    return value.level <= condition.level ? Truth::kTrue : Truth::kFalse;
  }
  if (condition.comparison == Comparison::kLevelAtLeast) {
    return value.level >= condition.level ? Truth::kTrue : Truth::kFalse;
  }
  return Compare(condition.comparison, value, condition.threshold) ? Truth::kTrue : Truth::kFalse;
}

// What the conditions of one limit say together.
struct Verdict {
  Truth truth = Truth::kFalse;
  Absent unknown = Absent::kNo;  // The first unknown's reason.
  uint64_t held = 0;
};

template <bool kTraced>
Verdict Judge(const Limit& limit, const std::vector<Value>& values) {
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

constexpr int kNoLimit = std::numeric_limits<int>::max();

// All limits of one target, together: so that their order cannot matter. First
// the highest floor that fired, then the lowest cap.
struct Group {
  // What fired.
  int lowest = kNoLimit;
  int highest = -1;
  bool cap_present = false;    // A cap that makes an absent target present.
  bool floor_present = false;  // A floor that does.
  // What nobody can decide.
  int undecided = kNoLimit;    // The lowest of the caps.
  int undecided_floor = -1;    // The highest of the floors.
  int undecided_present = -1;  // The highest of the caps that make a target present.
  int undecided_index = 0;     // Of the lowest cap.
  int undecided_floor_index = 0;
  int undecided_present_index = 0;
  Absent undecided_reason = Absent::kNo;
  Absent undecided_floor_reason = Absent::kNo;
  Absent undecided_present_reason = Absent::kNo;

  void Add(const Limit& limit, int index, const Verdict& verdict) {
    if (limit.floor) return AddFloor(limit, index, verdict);
    if (verdict.truth == Truth::kTrue) {
      if (limit.level < lowest) lowest = limit.level;
      cap_present = cap_present || limit.limits_absent;
    } else if (verdict.truth == Truth::kUnknown && limit.unknown == scheme::OnUnknown::kRefuse) {
      if (limit.level < undecided || (limit.level == undecided && index < undecided_index)) {
        undecided = limit.level;
        undecided_index = index;
        undecided_reason = verdict.unknown;
      }
      if (limit.limits_absent && limit.level > undecided_present) {
        undecided_present = limit.level;
        undecided_present_index = index;
        undecided_present_reason = verdict.unknown;
      }
    }
  }

  void AddFloor(const Limit& limit, int index, const Verdict& verdict) {
    if (verdict.truth == Truth::kTrue) {
      if (limit.level > highest) highest = limit.level;
      floor_present = floor_present || limit.limits_absent;
    } else if (verdict.truth == Truth::kUnknown && limit.unknown == scheme::OnUnknown::kRefuse) {
      if (limit.level > undecided_floor) {
        undecided_floor = limit.level;
        undecided_floor_index = index;
        undecided_floor_reason = verdict.unknown;
      }
    }
  }

  Value Apply(const Value& raw) const {
    const bool present = raw.absent == Absent::kNo;
    if (!present && !cap_present && !floor_present) return raw;
    // An absent target begins above all levels where a cap gives it one, below
    // all where only a floor does.
    const int start = present ? raw.level : cap_present ? kNoLimit : -1;
    const int raised = start < highest ? highest : start;
    const int level = raised < lowest ? raised : lowest;
    // A limit that nobody can decide matters only if it would change that.
    if (undecided < level) return Value::Missing(undecided_reason, -1 - undecided_index);
    if (undecided_floor > level && level < lowest) {
      return Value::Missing(undecided_floor_reason, -1 - undecided_floor_index);
    }
    if (start == -1 && undecided_present > level && level < lowest) {
      return Value::Missing(undecided_present_reason, -1 - undecided_present_index);
    }
    if (present && level == raw.level) return raw;
    return Value::Level(level);
  }
};

Int128 FloorDivide(Int128 numerator, Int128 denominator) {
  Int128 quotient = numerator / denominator;
  if (numerator % denominator != 0 && numerator < 0) --quotient;
  return quotient;
}

// floor(x / unit + 1/2) * unit.
Value RoundHalfUp(const Value& x, const scheme::Fraction& unit) {
  // x / unit + 1/2 = (2 * a + b) / (2 * b) with a / b = x / unit.
  const Int128 a = x.numerator * unit.denominator;
  const Int128 b = static_cast<Int128>(x.denominator) * unit.numerator;
  const Int128 steps = FloorDivide(2 * a + b, 2 * b);
  return Value::Number(steps * unit.numerator, unit.denominator);
}

Value Add(const Scheme& scheme, const scheme::Sum& sum, const std::vector<Value>& values) {
  // Decimals are millionths; so that one denominator fits all, scores are too.
  constexpr int64_t kMicros = evidence::Decimal::kMicros;
  Int128 total = 0;
  for (const scheme::Term& term : sum.terms) {
    const Value& value = values[static_cast<size_t>(term.value)];
    if (value.absent != Absent::kNo) return Value::Missing(value.absent, value.origin);
    const int scale = scheme.values[static_cast<size_t>(term.value)].scale;
    if (scale < 0) {
      total += term.weight * (value.numerator * (kMicros / value.denominator));
    } else {
      const int score = scheme.scales[static_cast<size_t>(scale)].lowest_score + value.level;
      total += static_cast<Int128>(term.weight) * score * kMicros;
    }
  }
  const Value exact = Value::Number(total * sum.times, sum.over * kMicros);
  return sum.round_to ? RoundHalfUp(exact, *sum.round_to) : exact;
}

Value BandOf(const scheme::Band& band, const std::vector<Value>& values) {
  const Value& value = values[static_cast<size_t>(band.from)];
  if (value.absent != Absent::kNo) return Value::Missing(value.absent, value.origin);
  int level = 0;
  for (const scheme::Fraction& cut : band.cuts) {
    if (!Compare(Comparison::kAtLeast, value, cut)) break;  // Cuts ascend.
    ++level;
  }
  return Value::Level(level);
}

// The cell that the values fall into, or the first value that is absent.
struct Cell {
  int32_t cell = -1;
  const Value* absent = nullptr;
};

Cell Locate(const scheme::Matrix& matrix, const std::vector<Value>& values) {
  uint32_t cell = 0;
  for (size_t i = 0; i < matrix.from.size(); ++i) {
    const Value& value = values[static_cast<size_t>(matrix.from[i])];
    if (value.absent != Absent::kNo) return {-1, &value};
    cell += matrix.stride[i] * static_cast<uint32_t>(value.level);
  }
  return {static_cast<int32_t>(cell), nullptr};
}

template <bool kTraced>
class Runner {
 public:
  Runner(const Scheme& scheme, Evaluation& evaluation, int skip_limit)
      : scheme_(scheme), evaluation_(evaluation), values_(evaluation.values), skip_(skip_limit) {}

  void Run() {
    for (size_t i = 0; i < scheme_.stages.size();) {
      if (scheme_.stages[i].kind == StageKind::kLimit) {
        i = RunGroup(i);
      } else {
        RunWriter(i++);
      }
    }
  }

 private:
  void RunWriter(size_t at) {
    const auto index = static_cast<size_t>(scheme_.stages[at].index);
    int32_t cell = -1;
    int output = 0;
    Value value;
    switch (scheme_.stages[at].kind) {
      case StageKind::kSum:
        output = scheme_.sums[index].output;
        value = Add(scheme_, scheme_.sums[index], values_);
        break;
      case StageKind::kBand:
        output = scheme_.bands[index].output;
        value = BandOf(scheme_.bands[index], values_);
        break;
      case StageKind::kMatrix: {
        const scheme::Matrix& matrix = scheme_.matrices[index];
        output = matrix.output;
        const Cell found = Locate(matrix, values_);
        cell = found.cell;
        value = cell >= 0 ? Value::Level(matrix.cells[static_cast<size_t>(cell)])
                          : Value::Missing(found.absent->absent, found.absent->origin);
        break;
      }
      case StageKind::kLimit:
        assert(false);
        break;
    }
    values_[static_cast<size_t>(output)] = value;
    if constexpr (kTraced) {
      StageTrace& trace = evaluation_.stages[at];
      trace.after = value;
      trace.fired = value.absent == Absent::kNo;
      trace.cell = cell;
    }
  }

  // Runs the limits from stage `at` on that share its target; returns the
  // stage behind them.
  size_t RunGroup(size_t at) {
    const int target = LimitAt(at).target;
    Value& value = values_[static_cast<size_t>(target)];
    const Value raw = value;
    Group group;
    size_t end = at;
    for (; end < scheme_.stages.size() && scheme_.stages[end].kind == StageKind::kLimit &&
           LimitAt(end).target == target;
         ++end) {
      const int index = scheme_.stages[end].index;
      if (index == skip_) continue;
      const Limit& limit = LimitAt(end);
      const Verdict verdict = Judge<kTraced>(limit, values_);
      group.Add(limit, index, verdict);
      if constexpr (kTraced) Note(end, limit, raw, verdict);
    }
    value = group.Apply(raw);
    return end;
  }

  // What a limit does on its own.
  void Note(size_t at, const Limit& limit, const Value& raw, const Verdict& verdict) {
    StageTrace& trace = evaluation_.stages[at];
    trace.before = raw;
    trace.after = raw;
    trace.fired = verdict.truth == Truth::kTrue;
    trace.held = verdict.held;
    if (!trace.fired) return;
    const bool moves = raw.absent != Absent::kNo ? limit.limits_absent
                       : limit.floor             ? limit.level > raw.level
                                                 : limit.level < raw.level;
    if (moves) trace.after = Value::Level(limit.level);
  }

  const Limit& LimitAt(size_t at) const {
    return scheme_.limits[static_cast<size_t>(scheme_.stages[at].index)];
  }

  const Scheme& scheme_;
  Evaluation& evaluation_;
  std::vector<Value>& values_;
  const int skip_;
};

template <bool kTraced>
void Run(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation,
         int skip_limit) {
  assert(readings.size() == scheme.inputs.size());
  evaluation.refused = false;
  for (size_t i = 0; i < readings.size(); ++i) {
    evaluation.values[i] = readings[i];
    if (readings[i].refused && !evaluation.refused) {
      evaluation.refused = true;
      evaluation.refused_by = static_cast<int16_t>(i);
    }
  }
  Runner<kTraced>(scheme, evaluation, skip_limit).Run();
}

}  // namespace

const char* ToString(Absent absent) {
  switch (absent) {
    case Absent::kNo:
      return "";
    case Absent::kStale:
      return "STALE";
    case Absent::kExempt:
      return "EXEMPT";
    default:
      return evidence::ToString(static_cast<evidence::MissingReason>(absent));
  }
}

Value Value::Level(int level) {
  Value value;
  value.level = static_cast<int16_t>(level);
  value.absent = Absent::kNo;
  return value;
}

Value Value::Number(Int128 numerator, int64_t denominator) {
  assert(denominator > 0);
  Value value;
  value.numerator = numerator;
  value.denominator = denominator;
  value.absent = Absent::kNo;
  return value;
}

Value Value::Missing(Absent absent, int origin) {
  assert(absent != Absent::kNo);
  Value value;
  value.absent = absent;
  value.origin = static_cast<int16_t>(origin);
  return value;
}

Evaluation::Evaluation(const Scheme& scheme)
    : values(scheme.values.size()), stages(scheme.stages.size()) {}

Value Evaluation::ResultOf(const Scheme& scheme, size_t i) const {
  if (!refused) return values[static_cast<size_t>(scheme.results[i].value)];
  Value value = Value::Missing(values[static_cast<size_t>(refused_by)].absent, refused_by);
  value.refused = true;
  return value;
}

void Evaluate(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation,
              int skip_limit) {
  Run<false>(scheme, readings, evaluation, skip_limit);
}

void EvaluateTraced(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation) {
  Run<true>(scheme, readings, evaluation, -1);
}

}  // namespace starratings::rating
