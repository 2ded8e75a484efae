// Which values a stage reads and writes.
#pragma once

#include <vector>

#include "rating-svc/scheme/scheme.h"

namespace starratings::scheme {

// What a stage writes; of a limit its target.
inline int OutputOf(const Scheme& scheme, const Stage& stage) {
  const auto index = static_cast<size_t>(stage.index);
  switch (stage.kind) {
    case StageKind::kSum:
      return scheme.sums[index].output;
    case StageKind::kBand:
      return scheme.bands[index].output;
    case StageKind::kMatrix:
      return scheme.matrices[index].output;
    case StageKind::kCount:
      return scheme.counts[index].output;
    case StageKind::kAdjust:
      return scheme.adjusts[index].output;
    case StageKind::kLimit:
      return scheme.limits[index].target;
  }
  return -1;
}

// What a stage reads, each value as often as it is read; of a limit without its
// target.
inline std::vector<int> ReadsOf(const Scheme& scheme, const Stage& stage) {
  const auto index = static_cast<size_t>(stage.index);
  std::vector<int> reads;
  switch (stage.kind) {
    case StageKind::kSum:
      for (const Term& term : scheme.sums[index].terms) reads.push_back(term.value);
      break;
    case StageKind::kBand:
      reads.push_back(scheme.bands[index].from);
      if (scheme.bands[index].by >= 0) reads.push_back(scheme.bands[index].by);
      break;
    case StageKind::kMatrix:
      reads = scheme.matrices[index].from;
      break;
    case StageKind::kCount:
      for (const Condition& condition : scheme.counts[index].conditions) {
        reads.push_back(condition.value);
      }
      break;
    case StageKind::kAdjust: {
      const Adjust& adjust = scheme.adjusts[index];
      reads.push_back(adjust.from);
      for (const AdjustStep& step : adjust.steps) reads.push_back(step.when.value);
      if (adjust.bound) reads.push_back(adjust.bound->value);
      break;
    }
    case StageKind::kLimit:
      for (const Condition& condition : scheme.limits[index].any) reads.push_back(condition.value);
      break;
  }
  return reads;
}

// The stages that write values, kind by kind.
inline std::vector<Stage> WritersOf(const Scheme& scheme) {
  std::vector<Stage> writers;
  const auto add = [&](StageKind kind, size_t count) {
    for (size_t i = 0; i < count; ++i) writers.push_back({kind, static_cast<int>(i)});
  };
  add(StageKind::kSum, scheme.sums.size());
  add(StageKind::kBand, scheme.bands.size());
  add(StageKind::kMatrix, scheme.matrices.size());
  add(StageKind::kCount, scheme.counts.size());
  add(StageKind::kAdjust, scheme.adjusts.size());
  return writers;
}

// The values that `value` depends on, itself included. The stages must be in order.
inline std::vector<bool> ConeOf(const Scheme& scheme, int value) {
  std::vector<bool> cone(scheme.values.size(), false);
  cone[static_cast<size_t>(value)] = true;
  for (auto stage = scheme.stages.rbegin(); stage != scheme.stages.rend(); ++stage) {
    if (!cone[static_cast<size_t>(OutputOf(scheme, *stage))]) continue;
    for (const int read : ReadsOf(scheme, *stage)) cone[static_cast<size_t>(read)] = true;
  }
  return cone;
}

// Calls `each` with every condition of limits, counts and adjustments.
template <typename Each>
void ForEachCondition(const Scheme& scheme, Each each) {
  for (const Limit& limit : scheme.limits) {
    for (const Condition& condition : limit.any) each(condition);
  }
  for (const Count& count : scheme.counts) {
    for (const Condition& condition : count.conditions) each(condition);
  }
  for (const Adjust& adjust : scheme.adjusts) {
    for (const AdjustStep& step : adjust.steps) each(step.when);
    if (adjust.bound) each(*adjust.bound);
  }
}

}  // namespace starratings::scheme
