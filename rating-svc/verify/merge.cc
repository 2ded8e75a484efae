#include "rating-svc/verify/merge.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace starratings::verify {
namespace {

using scheme::Input;
using scheme::Scheme;
using scheme::StageKind;

const std::vector<std::string>* LevelsOf(const Scheme& scheme, size_t value) {
  const int scale = scheme.values[value].scale;
  return scale < 0 ? nullptr : &scheme.scales[static_cast<size_t>(scale)].levels;
}

bool SameSource(const Input& a, const Input& b) {
  return a.type == b.type && a.from == b.from && a.attribute == b.attribute &&
         a.published_scheme == b.published_scheme && a.published_result == b.published_result;
}

bool SameKind(const Scheme& a, size_t i, const Scheme& b, size_t j) {
  const auto* const x = LevelsOf(a, i);
  const auto* const y = LevelsOf(b, j);
  if ((x == nullptr) != (y == nullptr) || !SameSource(a.inputs[i], b.inputs[j])) return false;
  return x == nullptr || *x == *y;
}

bool SameGaps(const Input& a, const Input& b) {
  return a.on_missing == b.on_missing &&
         (a.on_missing != scheme::OnMissing::kAssume || a.assume == b.assume) &&
         a.exempt_below == b.exempt_below && a.stale_after_days == b.stale_after_days &&
         a.fold == b.fold && a.standing == b.standing;
}

// Appends the stages of one scheme to the merged one.
class Half {
 public:
  Half(const Scheme& from, std::string prefix, Merged& into)
      : from_(from), prefix_(std::move(prefix)), into_(into.scheme) {}

  // Where each input of `from` is in the merged scheme.
  void SetInput(size_t input, int at) {
    if (value_.size() < from_.values.size()) value_.resize(from_.values.size(), -1);
    value_[input] = at;
  }

  void Append() {
    value_.resize(from_.values.size(), -1);
    scales_ = static_cast<int>(into_.scales.size());
    into_.scales.insert(into_.scales.end(), from_.scales.begin(), from_.scales.end());
    for (size_t i = from_.inputs.size(); i < from_.values.size(); ++i) {
      scheme::ValueInfo info = from_.values[i];
      if (info.scale >= 0) info.scale += scales_;
      value_[i] = Add(std::move(info));
    }
    // What limits lower must be a value of this half's own.
    for (size_t i = 0; i < from_.inputs.size(); ++i) {
      const bool limited = std::any_of(
          from_.limits.begin(), from_.limits.end(),
          [i](const scheme::Limit& limit) { return limit.target == static_cast<int>(i); });
      if (limited) value_[i] = Copy(value_[i]);
    }
    for (const scheme::Stage& stage : from_.stages) Append(stage);
  }

  int At(int value) const { return value_[static_cast<size_t>(value)]; }

 private:
  int Add(scheme::ValueInfo info) {
    info.name = prefix_ + info.name;
    into_.values.push_back(std::move(info));
    return static_cast<int>(into_.values.size()) - 1;
  }

  // A table that gives each level itself.
  int Copy(int value) {
    scheme::ValueInfo info = into_.values[static_cast<size_t>(value)];
    const size_t levels = into_.scales[static_cast<size_t>(info.scale)].levels.size();
    scheme::Matrix matrix;
    matrix.id = prefix_ + info.name;
    matrix.from = {value};
    matrix.stride = {1};
    matrix.output = Add(std::move(info));
    for (size_t level = 0; level < levels; ++level) {
      matrix.cells.push_back(static_cast<uint8_t>(level));
      matrix.row_of.push_back(0);
    }
    matrix.rows.emplace_back();
    const int output = matrix.output;
    Push(StageKind::kMatrix, into_.matrices, std::move(matrix));
    return output;
  }

  template <typename Stages, typename One>
  void Push(StageKind kind, Stages& stages, One one) {
    into_.stages.push_back({kind, static_cast<int>(stages.size())});
    stages.push_back(std::move(one));
  }

  void Move(scheme::Condition& condition) const { condition.value = At(condition.value); }

  // No default: a kind of stage that is not merged must not pass unnoticed.
  void Append(const scheme::Stage& stage) {
    const auto index = static_cast<size_t>(stage.index);
    switch (stage.kind) {
      case StageKind::kSum: {
        scheme::Sum sum = from_.sums[index];
        sum.output = At(sum.output);
        for (scheme::Term& term : sum.terms) term.value = At(term.value);
        Push(stage.kind, into_.sums, std::move(sum));
        return;
      }
      case StageKind::kBand: {
        scheme::Band band = from_.bands[index];
        band.from = At(band.from);
        if (band.by >= 0) band.by = At(band.by);
        band.output = At(band.output);
        Push(stage.kind, into_.bands, std::move(band));
        return;
      }
      case StageKind::kMatrix: {
        scheme::Matrix matrix = from_.matrices[index];
        for (int& value : matrix.from) value = At(value);
        matrix.output = At(matrix.output);
        Push(stage.kind, into_.matrices, std::move(matrix));
        return;
      }
      case StageKind::kCount: {
        scheme::Count count = from_.counts[index];
        count.output = At(count.output);
        for (scheme::Condition& condition : count.conditions) Move(condition);
        Push(stage.kind, into_.counts, std::move(count));
        return;
      }
      case StageKind::kAdjust: {
        scheme::Adjust adjust = from_.adjusts[index];
        adjust.from = At(adjust.from);
        adjust.output = At(adjust.output);
        for (scheme::AdjustStep& step : adjust.steps) Move(step.when);
        if (adjust.bound) Move(*adjust.bound);
        Push(stage.kind, into_.adjusts, std::move(adjust));
        return;
      }
      case StageKind::kLimit: {
        scheme::Limit limit = from_.limits[index];
        limit.target = At(limit.target);
        for (scheme::Condition& condition : limit.any) Move(condition);
        Push(stage.kind, into_.limits, std::move(limit));
        return;
      }
    }
  }

  const Scheme& from_;
  const std::string prefix_;
  Scheme& into_;
  std::vector<int> value_;
  int scales_ = 0;
};

void AddInput(const Scheme& from, size_t i, Scheme& into) {
  scheme::ValueInfo info = from.values[i];
  if (info.scale >= 0) {
    into.scales.push_back(from.scales[static_cast<size_t>(info.scale)]);
    info.scale = static_cast<int>(into.scales.size()) - 1;
  }
  into.inputs.push_back(from.inputs[i]);
  into.values.push_back(std::move(info));
}

std::optional<size_t> FindInput(const Scheme& scheme, const std::string& code) {
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    if (scheme.inputs[i].code == code) return i;
  }
  return std::nullopt;
}

void NoteNeed(const Input& input, Merged& merged) {
  if (input.on_missing == scheme::OnMissing::kRefuse) merged.needed_by_one.push_back(input.code);
}

// Makes the inputs, and says which is which.
void MergeInputs(const Scheme& before, const Scheme& after, Half& first, Half& second,
                 Merged& merged) {
  Scheme& into = merged.scheme;
  for (size_t i = 0; i < before.inputs.size(); ++i) {
    first.SetInput(i, static_cast<int>(i));
    AddInput(before, i, into);
    const std::string& code = before.inputs[i].code;
    const std::optional<size_t> same = FindInput(after, code);
    if (!same) {
      NoteNeed(before.inputs[i], merged);
      continue;
    }
    const Input& other = after.inputs[*same];
    second.SetInput(*same, static_cast<int>(i));
    if (!SameKind(before, i, after, *same)) merged.incomparable.push_back(code);
    if (SameGaps(before.inputs[i], other)) continue;
    merged.without_gaps.push_back(code);
    Input& input = into.inputs.back();
    input.on_missing = scheme::OnMissing::kRefuse;
    input.exempt_below = std::max(input.exempt_below.value_or(1), other.exempt_below.value_or(1));
  }
  for (size_t i = 0; i < after.inputs.size(); ++i) {
    if (FindInput(before, after.inputs[i].code)) continue;
    NoteNeed(after.inputs[i], merged);
    second.SetInput(i, static_cast<int>(into.inputs.size()));
    AddInput(after, i, into);
  }
}

}  // namespace

Merged Merge(const Scheme& before, const Scheme& after) {
  Merged merged;
  merged.scheme.id = absl::StrCat(before.Name(), "+", after.Name());
  merged.scheme.from = before.from;
  Half first(before, "before.", merged);
  Half second(after, "after.", merged);
  MergeInputs(before, after, first, second, merged);
  if (!merged.incomparable.empty()) return merged;
  first.Append();
  second.Append();
  const auto name_of = [](const Scheme& scheme, int value) {
    return scheme.values[static_cast<size_t>(value)].name;
  };
  merged.counterparts.assign(merged.scheme.values.size(), -1);
  for (size_t i = 0; i < before.values.size(); ++i) {
    for (size_t j = 0; j < after.values.size(); ++j) {
      const int a = first.At(static_cast<int>(i));
      const int b = second.At(static_cast<int>(j));
      const bool computed = std::min(a, b) >= static_cast<int>(merged.scheme.inputs.size());
      if (!computed || before.values[i].name != after.values[j].name) continue;
      merged.counterparts[static_cast<size_t>(a)] = b;
      merged.counterparts[static_cast<size_t>(b)] = a;
    }
  }
  for (const scheme::Result& result : before.results) {
    for (const scheme::Result& other : after.results) {
      const std::string name = name_of(before, result.value);
      if (name != name_of(after, other.value)) continue;
      const auto* const x = LevelsOf(before, static_cast<size_t>(result.value));
      const auto* const y = LevelsOf(after, static_cast<size_t>(other.value));
      if (x == nullptr || y == nullptr) continue;
      merged.results.push_back({name, first.At(result.value), second.At(other.value)});
    }
  }
  return merged;
}

}  // namespace starratings::verify
