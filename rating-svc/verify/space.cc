#include "rating-svc/verify/space.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace starratings::verify {
namespace {

using rating::Absent;
using rating::Value;
using scheme::StageKind;

int Class(const Value& value) {
  if (value.absent == Absent::kNo) return 0;
  return rating::DoesNotCount(value.absent) ? 2 : 1;
}

// The value that a stage writes or limits.
int TargetOf(const scheme::Scheme& scheme, const scheme::Stage& stage) {
  const auto index = static_cast<size_t>(stage.index);
  switch (stage.kind) {
    case StageKind::kSum:
      return scheme.sums[index].output;
    case StageKind::kBand:
      return scheme.bands[index].output;
    case StageKind::kMatrix:
      return scheme.matrices[index].output;
    case StageKind::kLimit:
      return scheme.limits[index].target;
  }
  return -1;
}

void AddReads(const scheme::Scheme& scheme, const scheme::Stage& stage, std::set<int>& reads) {
  const auto index = static_cast<size_t>(stage.index);
  switch (stage.kind) {
    case StageKind::kSum:
      for (const scheme::Term& term : scheme.sums[index].terms) reads.insert(term.value);
      break;
    case StageKind::kBand:
      reads.insert(scheme.bands[index].from);
      break;
    case StageKind::kMatrix:
      reads.insert(scheme.matrices[index].from.begin(), scheme.matrices[index].from.end());
      break;
    case StageKind::kLimit:
      for (const scheme::Condition& condition : scheme.limits[index].any) {
        reads.insert(condition.value);
      }
      break;
  }
}

// Whether a stage writes or limits the value.
bool IsComputed(const scheme::Scheme& scheme, int value) {
  return std::any_of(
      scheme.stages.begin(), scheme.stages.end(),
      [&](const scheme::Stage& stage) { return TargetOf(scheme, stage) == value; });
}

bool Overlap(const std::vector<bool>& a, const std::vector<bool>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] && b[i]) return true;
  }
  return false;
}

}  // namespace

bool SameOutcome(const Value& a, const Value& b) {
  if (Class(a) != Class(b)) return false;
  if (a.absent != Absent::kNo) return true;
  return a.level == b.level && a.numerator * b.denominator == b.numerator * a.denominator;
}

struct Space::Local {
  int value = 0;
  // The values that are enumerated; `raw` ones are inputs before their limits.
  struct Variable {
    int value = 0;
    bool raw = false;
    std::vector<bool> support;
    int count = 0;
    int64_t stride = 0;
  };
  std::vector<Variable> variables;
  std::set<int> computed;           // The values whose stages are run.
  scheme::Scheme part;              // The scheme with only those stages.
  std::vector<size_t> part_limits;  // Its limits on the value.
  int64_t combinations = 1;
  std::vector<int> outcome;         // Of each combination.
};

Space::Space(const scheme::Scheme& scheme, Issues& issues)
    : scheme_(scheme),
      domains_(DomainsOf(scheme)),
      reach_(scheme.values.size()),
      limit_matters_(scheme.limits.size(), false) {
  for (const scheme::Matrix& matrix : scheme.matrices) {
    rows_.emplace_back(matrix.rows.size(), false);
  }
  // Inputs without limits first; then what the stages write, in their order.
  std::vector<int> order;
  std::set<int> written;
  for (const scheme::Stage& stage : scheme.stages) written.insert(TargetOf(scheme, stage));
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    if (written.count(static_cast<int>(i)) == 0) order.push_back(static_cast<int>(i));
  }
  for (const scheme::Stage& stage : scheme.stages) {
    const int target = TargetOf(scheme, stage);
    if (order.empty() || order.back() != target) order.push_back(target);
  }
  for (const int value : order) {
    if (!issues.empty()) return;
    Enumerate(value, issues);
  }
}

void Space::FindVariables(Local& local) const {
  local.computed = {local.value};
  while (true) {
    std::set<int> reads;
    for (const scheme::Stage& stage : scheme_.stages) {
      if (local.computed.count(TargetOf(scheme_, stage)) > 0) AddReads(scheme_, stage, reads);
    }
    local.variables.clear();
    const auto inputs = static_cast<int>(scheme_.inputs.size());
    for (const int computed : local.computed) {
      if (computed >= inputs) continue;
      Local::Variable raw{computed, true, std::vector<bool>(scheme_.inputs.size()), 0, 0};
      raw.support[static_cast<size_t>(computed)] = true;
      local.variables.push_back(raw);
    }
    for (const int read : reads) {
      if (local.computed.count(read) > 0) continue;
      local.variables.push_back({read, false, reach_[static_cast<size_t>(read)].support, 0, 0});
    }
    // A value that shares an input with another has to be computed as well.
    const auto shared = std::find_if(
        local.variables.begin(), local.variables.end(), [&](const Local::Variable& variable) {
          return !variable.raw && IsComputed(scheme_, variable.value) &&
                 std::any_of(local.variables.begin(), local.variables.end(),
                             [&](const Local::Variable& other) {
                               return other.value != variable.value &&
                                      Overlap(other.support, variable.support);
                             });
        });
    if (shared == local.variables.end()) return;
    local.computed.insert(shared->value);
  }
}

void Space::Enumerate(int value, Issues& issues) {
  Local local;
  local.value = value;
  FindVariables(local);
  for (Local::Variable& variable : local.variables) {
    const auto index = static_cast<size_t>(variable.value);
    variable.count = static_cast<int>(variable.raw ? domains_[index].values.size()
                                                   : reach_[index].outcomes.size());
    variable.stride = local.combinations;
    local.combinations *= variable.count;
    if (local.combinations > kCombinationsMost) {
      issues.Add("LIMIT_EXCEEDED", scheme_.values[static_cast<size_t>(value)].name, 0,
                 absl::StrCat("too many combinations to prove anything about `",
                              scheme_.values[static_cast<size_t>(value)].name,
                              "`: split it into stages with fewer inputs"));
      return;
    }
  }
  local.part = scheme_;
  local.part.stages.clear();
  for (const scheme::Stage& stage : scheme_.stages) {
    if (local.computed.count(TargetOf(scheme_, stage)) == 0) continue;
    local.part.stages.push_back(stage);
    if (stage.kind == StageKind::kLimit && TargetOf(scheme_, stage) == value) {
      local.part_limits.push_back(static_cast<size_t>(stage.index));
    }
  }
  Evaluate(local);
}

void Space::Evaluate(Local& local) {
  Reach& reach = reach_[static_cast<size_t>(local.value)];
  reach.support.assign(scheme_.inputs.size(), false);
  for (const Local::Variable& variable : local.variables) {
    for (size_t i = 0; i < variable.support.size(); ++i) {
      if (variable.support[i]) reach.support[i] = true;
    }
  }
  const auto value = static_cast<size_t>(local.value);
  rating::Evaluation evaluation(local.part);
  rating::Evaluation without(local.part);
  std::vector<Value> readings(scheme_.inputs.size(), Value::Level(0));
  local.outcome.resize(static_cast<size_t>(local.combinations));
  for (int64_t c = 0; c < local.combinations; ++c) {
    for (const Local::Variable& variable : local.variables) {
      const auto index = static_cast<size_t>(variable.value);
      const auto choice = static_cast<size_t>(c / variable.stride % variable.count);
      const Value& chosen =
          variable.raw ? domains_[index].values[choice] : reach_[index].outcomes[choice];
      // What no stage of the part writes stays as it is put here.
      evaluation.values[index] = without.values[index] = chosen;
      if (index < readings.size()) readings[index] = chosen;
    }
    rating::EvaluateTraced(local.part, readings, evaluation);
    const Value& result = evaluation.values[value];
    size_t found = 0;
    while (found < reach.outcomes.size() && !SameOutcome(reach.outcomes[found], result)) ++found;
    if (found == reach.outcomes.size()) {
      reach.outcomes.push_back(result);
      reach.witnesses.push_back(Witness(local, c));
    }
    local.outcome[static_cast<size_t>(c)] = static_cast<int>(found);
    for (size_t s = 0; s < local.part.stages.size(); ++s) {
      const scheme::Stage& stage = local.part.stages[s];
      const auto index = static_cast<size_t>(stage.index);
      const rating::StageTrace& trace = evaluation.stages[s];
      if (stage.kind == StageKind::kMatrix && trace.cell >= 0) {
        rows_[index][scheme_.matrices[index].row_of[static_cast<size_t>(trace.cell)]] = true;
      }
      const bool veto = stage.kind == StageKind::kLimit && scheme_.limits[index].veto &&
                        scheme_.limits[index].target == local.value;
      if (veto && trace.fired && (result.absent != Absent::kNo || result.level != 0)) {
        broken_.emplace(index, Witness(local, c));
      }
    }
    for (const size_t limit : local.part_limits) {
      if (limit_matters_[limit]) continue;
      rating::Evaluate(local.part, readings, without, static_cast<int>(limit));
      limit_matters_[limit] = !SameOutcome(without.values[value], result);
    }
  }
  CollectChanges(local, reach);
}

void Space::CollectChanges(const Local& local, Reach& reach) const {
  const auto add = [&](const Local::Variable& variable, int from, int to, int input, bool improves,
                       const Change* inner, int step_to) {
    for (int64_t c = 0; c < local.combinations; ++c) {
      if (c / variable.stride % variable.count != from) continue;
      const int before = local.outcome[static_cast<size_t>(c)];
      const int after = local.outcome[static_cast<size_t>(c + (to - from) * variable.stride)];
      if (before == after) continue;
      const auto [entry, fresh] = reach.changes.try_emplace({before, after, input, improves});
      if (!fresh) continue;
      Change& change = entry->second;
      change.before = Witness(local, c);
      change.input = input;
      change.to = step_to;
      if (inner == nullptr) continue;
      for (size_t i = 0; i < change.before.size(); ++i) {
        if (inner->before[i] >= 0) change.before[i] = inner->before[i];
      }
    }
  };
  for (const Local::Variable& variable : local.variables) {
    const auto index = static_cast<size_t>(variable.value);
    if (variable.raw) {
      for (const Domain::Step& step : domains_[index].steps) {
        add(variable, step.from, step.to, variable.value, step.improves, nullptr, step.to);
      }
      continue;
    }
    for (const auto& [key, change] : reach_[index].changes) {
      const auto& [from, to, input, improves] = key;
      add(variable, from, to, input, improves, &change, change.to);
    }
  }
}

Assignment Space::Witness(const Local& local, int64_t combination) const {
  Assignment assignment(scheme_.inputs.size(), -1);
  for (const Local::Variable& variable : local.variables) {
    const auto choice = static_cast<size_t>(combination / variable.stride % variable.count);
    const auto index = static_cast<size_t>(variable.value);
    if (variable.raw) {
      assignment[index] = static_cast<int16_t>(choice);
      continue;
    }
    const Assignment& inner = reach_[index].witnesses[choice];
    for (size_t i = 0; i < inner.size(); ++i) {
      if (inner[i] >= 0) assignment[i] = inner[i];
    }
  }
  return assignment;
}

std::vector<Value> Space::ReadingsOf(const Assignment& assignment) const {
  std::vector<Value> readings;
  for (size_t i = 0; i < assignment.size(); ++i) {
    size_t choice = 0;
    if (assignment[i] >= 0) {
      choice = static_cast<size_t>(assignment[i]);
    } else {
      while (choice + 1 < domains_[i].values.size() &&
             domains_[i].values[choice + 1].absent == Absent::kNo) {
        ++choice;
      }
    }
    readings.push_back(domains_[i].values[choice]);
  }
  return readings;
}

}  // namespace starratings::verify
