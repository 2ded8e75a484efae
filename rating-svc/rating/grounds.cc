#include "rating-svc/rating/grounds.h"

#include <algorithm>

#include "rating-svc/scheme/reads.h"

namespace starratings::rating {
namespace {

using scheme::Basis;
using scheme::StageKind;

Basis Weakest(Basis a, Basis b) { return std::max(a, b); }
Basis Strongest(Basis a, Basis b) { return std::min(a, b); }

// What a stage that writes a value reads, and what it writes.
struct Writer {
  int output = -1;
  std::vector<int> reads;
  Basis basis = Basis::kAssumed;
};

Basis BasisOf(const scheme::Scheme& scheme, const scheme::Stage& stage, const StageTrace& trace,
              const std::vector<Value>& values) {
  const auto index = static_cast<size_t>(stage.index);
  switch (stage.kind) {
    case StageKind::kSum:
      return scheme.sums[index].basis;
    case StageKind::kBand: {
      const scheme::Band& band = scheme.bands[index];
      if (band.quantiles >= 0) {
        return Weakest(band.basis, scheme.quantiles[static_cast<size_t>(band.quantiles)].basis);
      }
      if (band.by < 0) return band.basis;
      const Value& by = values[static_cast<size_t>(band.by)];
      if (by.absent != Absent::kNo) return band.basis;
      const auto list = static_cast<size_t>(band.list_of[static_cast<size_t>(by.level)]);
      return Weakest(band.basis, band.lists[list].basis);
    }
    case StageKind::kMatrix: {
      const scheme::Matrix& matrix = scheme.matrices[index];
      return trace.cell < 0 ? Basis::kDocumented
                            : matrix.rows[matrix.row_of[static_cast<size_t>(trace.cell)]].basis;
    }
    case StageKind::kCount:
      return scheme.counts[index].basis;
    case StageKind::kAdjust:
      return scheme.adjusts[index].basis;
    case StageKind::kLimit:
      break;
  }
  return Basis::kDocumented;
}

Writer WriterOf(const scheme::Scheme& scheme, size_t at, const Evaluation& evaluation) {
  const scheme::Stage& stage = scheme.stages[at];
  if (stage.kind == StageKind::kLimit) return {};
  Writer writer{scheme::OutputOf(scheme, stage),
                {},
                BasisOf(scheme, stage, evaluation.stages[at], evaluation.values)};
  const bool sum = stage.kind == StageKind::kSum;
  for (const int read : scheme::ReadsOf(scheme, stage)) {
    // What a sum did without is no ground of it.
    const bool absent = evaluation.values[static_cast<size_t>(read)].absent != Absent::kNo;
    if (!sum || !absent) writer.reads.push_back(read);
  }
  return writer;
}

}  // namespace

Grounds::Grounds(const scheme::Scheme& scheme, std::span<const Value> readings,
                 const Evaluation& evaluation)
    : scheme_(scheme),
      readings_(readings),
      evaluation_(evaluation),
      decided_(scheme.stages.size(), false),
      stages_(scheme.values.size()) {
  for (size_t stage = 0; stage < scheme.stages.size(); ++stage) {
    Range& range = stages_[static_cast<size_t>(scheme::OutputOf(scheme, scheme.stages[stage]))];
    if (range.end == 0) range.begin = static_cast<uint32_t>(stage);
    range.end = static_cast<uint32_t>(stage) + 1;
  }
  if (evaluation.refused) return;
  for (const scheme::Result& result : scheme.results) Follow(result.value);
}

const scheme::Limit* Grounds::LimitAt(size_t stage) const {
  if (scheme_.stages[stage].kind != StageKind::kLimit) return nullptr;
  return &scheme_.limits[static_cast<size_t>(scheme_.stages[stage].index)];
}

bool Grounds::Reached(size_t stage) const {
  const scheme::Limit& limit = *LimitAt(stage);
  const StageTrace& trace = evaluation_.stages[stage];
  const Value& final = evaluation_.values[static_cast<size_t>(limit.target)];
  if (!trace.fired || final.absent != Absent::kNo) return false;
  if (final.level == limit.level) return true;
  // A floor above a cap that held: what the cap lowered is what the floor raised.
  return limit.floor && limit.level > final.level &&
         (trace.before.absent != Absent::kNo || trace.before.level < final.level);
}

void Grounds::Follow(int value) {
  const Value& final = evaluation_.values[static_cast<size_t>(value)];
  const Range range = stages_[static_cast<size_t>(value)];
  for (size_t stage = range.begin; stage < range.end; ++stage) {
    const StageTrace& trace = evaluation_.stages[stage];
    if (scheme::OutputOf(scheme_, scheme_.stages[stage]) != value) continue;
    if (const scheme::Limit* limit = LimitAt(stage); limit != nullptr) {
      if (limit->target != value || decided_[stage] || !Reached(stage)) continue;
      decided_[stage] = true;
      for (size_t i = 0; i < limit->any.size() && i < 64; ++i) {
        if ((trace.held >> i & 1) != 0) Follow(limit->any[i].value);
      }
      continue;
    }
    const Writer writer = WriterOf(scheme_, stage, evaluation_);
    if (writer.output != value || decided_[stage] || trace.after.absent != Absent::kNo) continue;
    // What a cap or veto lowered did not reach the final value.
    const bool same =
        final.absent == Absent::kNo &&
        (scheme_.values[static_cast<size_t>(value)].scale < 0 || final.level == trace.after.level);
    if (!same) continue;
    decided_[stage] = true;
    for (const int read : writer.reads) Follow(read);
  }
}

Basis Grounds::BasisOf(size_t result) const {
  if (evaluation_.refused) return Basis::kDocumented;
  return Ground(scheme_.results[result].value);
}

Basis Grounds::LimitGround(size_t stage) const {
  const scheme::Limit& limit = *LimitAt(stage);
  // Of conditions that each suffice the strongest counts, of those that are all
  // needed the weakest.
  Basis ground = limit.all ? Basis::kDocumented : Basis::kAssumed;
  for (size_t i = 0; i < limit.any.size() && i < 64; ++i) {
    if ((evaluation_.stages[stage].held >> i & 1) == 0) continue;
    const Basis of = Ground(limit.any[i].value);
    ground = limit.all ? Weakest(ground, of) : Strongest(ground, of);
  }
  return Weakest(limit.basis, ground);
}

Basis Grounds::Ground(int value) const {
  const Value& final = evaluation_.values[static_cast<size_t>(value)];
  // The strongest of the limits that reached it, of each kind.
  bool capped = false;
  bool floored = false;
  Basis by_caps = Basis::kAssumed;
  Basis by_floors = Basis::kAssumed;
  Basis raw = Basis::kDocumented;
  bool raw_reached = true;
  if (static_cast<size_t>(value) < readings_.size()) {
    const Value& reading = readings_[static_cast<size_t>(value)];
    raw = reading.assumed ? Basis::kAssumed : scheme_.inputs[static_cast<size_t>(value)].basis;
    raw_reached = reading.absent == final.absent && reading.level == final.level;
  }
  const Range range = stages_[static_cast<size_t>(value)];
  for (size_t stage = range.begin; stage < range.end; ++stage) {
    const StageTrace& trace = evaluation_.stages[stage];
    if (scheme::OutputOf(scheme_, scheme_.stages[stage]) != value) continue;
    if (const scheme::Limit* limit = LimitAt(stage); limit != nullptr) {
      if (limit->target != value || !Reached(stage)) continue;
      Basis& by = limit->floor ? by_floors : by_caps;
      by = Strongest(by, LimitGround(stage));
      (limit->floor ? floored : capped) = true;
      continue;
    }
    const Writer writer = WriterOf(scheme_, stage, evaluation_);
    if (writer.output != value) continue;
    raw = writer.basis;
    for (const int read : writer.reads) raw = Weakest(raw, Ground(read));
    raw_reached = trace.after.absent == final.absent && trace.after.level == final.level;
  }
  if (!capped && !floored) return raw;
  const int scale = scheme_.values[static_cast<size_t>(value)].scale;
  const auto best = static_cast<int>(scheme_.scales[static_cast<size_t>(scale)].levels.size()) - 1;
  // At the lowest level a cap suffices, at the highest a floor. Between them
  // something must keep it from being lower and something from being higher.
  Basis ground = Basis::kAssumed;
  if (capped && final.level == 0) ground = Strongest(ground, by_caps);
  if (floored && final.level == best) ground = Strongest(ground, by_floors);
  if (raw_reached) return Strongest(ground, raw);
  if (capped && floored) return Strongest(ground, Weakest(by_caps, by_floors));
  if (capped && final.level == 0) return ground;
  if (floored && final.level == best) return ground;
  return Strongest(ground, Weakest(capped ? by_caps : by_floors, raw));
}

}  // namespace starratings::rating
