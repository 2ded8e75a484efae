#include "rating-svc/rating/grounds.h"

#include <algorithm>

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

Writer WriterOf(const scheme::Scheme& scheme, size_t stage, const StageTrace& trace) {
  const auto index = static_cast<size_t>(scheme.stages[stage].index);
  switch (scheme.stages[stage].kind) {
    case StageKind::kSum: {
      const scheme::Sum& sum = scheme.sums[index];
      Writer writer{sum.output, {}, sum.basis};
      for (const scheme::Term& term : sum.terms) writer.reads.push_back(term.value);
      return writer;
    }
    case StageKind::kBand:
      return {scheme.bands[index].output, {scheme.bands[index].from}, scheme.bands[index].basis};
    case StageKind::kMatrix: {
      const scheme::Matrix& matrix = scheme.matrices[index];
      const Basis basis = trace.cell < 0
                              ? Basis::kDocumented
                              : matrix.rows[matrix.row_of[static_cast<size_t>(trace.cell)]].basis;
      return {matrix.output, matrix.from, basis};
    }
    case StageKind::kLimit:
      break;
  }
  return {};
}

}  // namespace

Grounds::Grounds(const scheme::Scheme& scheme, std::span<const Value> readings,
                 const Evaluation& evaluation)
    : scheme_(scheme),
      readings_(readings),
      evaluation_(evaluation),
      decided_(scheme.stages.size(), false) {
  if (evaluation.refused) return;
  for (const scheme::Result& result : scheme.results) Follow(result.value);
}

const scheme::Limit* Grounds::LimitAt(size_t stage) const {
  if (scheme_.stages[stage].kind != StageKind::kLimit) return nullptr;
  return &scheme_.limits[static_cast<size_t>(scheme_.stages[stage].index)];
}

bool Grounds::Reached(size_t stage) const {
  const scheme::Limit& limit = *LimitAt(stage);
  const Value& final = evaluation_.values[static_cast<size_t>(limit.target)];
  return evaluation_.stages[stage].fired && final.absent == Absent::kNo &&
         final.level == limit.level;
}

void Grounds::Follow(int value) {
  const Value& final = evaluation_.values[static_cast<size_t>(value)];
  for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
    const StageTrace& trace = evaluation_.stages[stage];
    if (const scheme::Limit* limit = LimitAt(stage); limit != nullptr) {
      if (limit->target != value || decided_[stage] || !Reached(stage)) continue;
      decided_[stage] = true;
      for (size_t i = 0; i < limit->any.size() && i < 64; ++i) {
        if ((trace.held >> i & 1) != 0) Follow(limit->any[i].value);
      }
      continue;
    }
    const Writer writer = WriterOf(scheme_, stage, trace);
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

Basis Grounds::Ground(int value) const {
  const Value& final = evaluation_.values[static_cast<size_t>(value)];
  bool limited = false;
  Basis by_limits = Basis::kAssumed;  // The strongest of the limits that reached it.
  Basis raw = Basis::kDocumented;
  bool raw_reached = true;
  if (static_cast<size_t>(value) < readings_.size()) {
    const Value& reading = readings_[static_cast<size_t>(value)];
    raw = reading.assumed ? Basis::kAssumed : scheme_.inputs[static_cast<size_t>(value)].basis;
    raw_reached = reading.absent == final.absent && reading.level == final.level;
  }
  for (size_t stage = 0; stage < scheme_.stages.size(); ++stage) {
    const StageTrace& trace = evaluation_.stages[stage];
    if (const scheme::Limit* limit = LimitAt(stage); limit != nullptr) {
      if (limit->target != value || !Reached(stage)) continue;
      Basis ground = Basis::kAssumed;
      for (size_t i = 0; i < limit->any.size() && i < 64; ++i) {
        if ((trace.held >> i & 1) != 0) ground = Strongest(ground, Ground(limit->any[i].value));
      }
      by_limits = Strongest(by_limits, Weakest(limit->basis, ground));
      limited = true;
      continue;
    }
    const Writer writer = WriterOf(scheme_, stage, trace);
    if (writer.output != value) continue;
    raw = writer.basis;
    for (const int read : writer.reads) raw = Weakest(raw, Ground(read));
    raw_reached = trace.after.absent == final.absent && trace.after.level == final.level;
  }
  if (!limited) return raw;
  // At the lowest level a limit suffices; above it the value it limited must
  // have been at least as high, so that both grounds count.
  if (final.level == 0) return raw_reached ? Strongest(by_limits, raw) : by_limits;
  return raw_reached ? raw : Weakest(by_limits, raw);
}

}  // namespace starratings::rating
