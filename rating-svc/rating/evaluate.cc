#include "rating-svc/rating/evaluate.h"

#include <algorithm>
#include <cassert>

#include "rating-svc/rating/limits.h"
#include "rating-svc/rating/writers.h"

namespace starratings::rating {
namespace {

using scheme::Limit;
using scheme::Scheme;
using scheme::StageKind;

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
  Runner(const Scheme& scheme, Evaluation& evaluation, int skip)
      : scheme_(scheme), evaluation_(evaluation), values_(evaluation.values), skip_(skip) {}

  void Run() {
    for (size_t i = 0; i < scheme_.stages.size();) {
      if (scheme_.stages[i].kind == StageKind::kLimit) {
        i = evaluation_.floors ? RunGroup<CapsAndFloors>(i) : RunGroup<Caps>(i);
      } else {
        RunWriter(i++);
      }
    }
  }

 private:
  void RunWriter(size_t at) {
    const scheme::Stage& stage = scheme_.stages[at];
    const auto index = static_cast<size_t>(stage.index);
    int32_t cell = -1;
    uint64_t held = 0;
    int output = 0;
    Value value;
    switch (stage.kind) {
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
      case StageKind::kCount:
        output = scheme_.counts[index].output;
        value = CountOf(scheme_.counts[index], values_, held);
        break;
      case StageKind::kAdjust:
        output = scheme_.adjusts[index].output;
        value = AdjustedOf(scheme_, scheme_.adjusts[index], values_, held);
        break;
      case StageKind::kLimit:
        assert(false);
        break;
    }
    if (static_cast<int>(at) == skip_) value = Value::Missing(Absent::kNotReported, 0);
    values_[static_cast<size_t>(output)] = value;
    if constexpr (kTraced) {
      StageTrace& trace = evaluation_.stages[at];
      trace.after = value;
      trace.fired = value.absent == Absent::kNo;
      trace.cell = cell;
      trace.held = held;
    }
  }

  // Runs the limits from stage `at` on that share its target; returns the
  // stage behind them.
  template <typename Group>
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
      if (static_cast<int>(end) == skip_) continue;
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
void Run(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation, int skip) {
  assert(readings.size() == scheme.inputs.size());
  evaluation.refused = false;
  for (size_t i = 0; i < readings.size(); ++i) {
    evaluation.values[i] = readings[i];
    if (readings[i].refused && !evaluation.refused) {
      evaluation.refused = true;
      evaluation.refused_by = static_cast<int16_t>(i);
      evaluation.refused_for = readings[i].absent;
    }
  }
  Runner<kTraced>(scheme, evaluation, skip).Run();
}

}  // namespace

const char* ToString(Absent absent) {
  switch (absent) {
    case Absent::kNo:
      return "";
    case Absent::kStale:
      return "STALE";
    case Absent::kExpired:
      return "EXPIRED";
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
    : values(scheme.values.size()),
      stages(scheme.stages.size()),
      floors(std::any_of(scheme.limits.begin(), scheme.limits.end(),
                         [](const Limit& limit) { return limit.floor; })) {}

Value Evaluation::ResultOf(const Scheme& scheme, size_t i) const {
  if (!refused) return values[static_cast<size_t>(scheme.results[i].value)];
  Value value = Value::Missing(refused_for, refused_by);
  value.refused = true;
  return value;
}

void Evaluate(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation,
              int skip) {
  Run<false>(scheme, readings, evaluation, skip);
}

void EvaluateTraced(const Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation) {
  Run<true>(scheme, readings, evaluation, -1);
}

}  // namespace starratings::rating
