// Random small schemes for the tests of this room: of all sorts, monotone or
// not, with gaps.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "rating-svc/rating/test_schemes.h"

namespace starratings::analysis {

struct Sample {
  scheme::Scheme scheme;
  std::vector<rating::Value> readings;
};

class Author {
 public:
  explicit Author(uint32_t seed) : random_(seed) {}

  // Two or three levels, a decimal, up to three ratios; caps on what they lead
  // to; a table, an adjustment, a sum or count with a band; the last of these is
  // the result.
  Sample Write() {
    sample_ = {};
    scheme::Scheme& scheme = sample_.scheme;
    scheme.id = "random";
    scheme.version = "1";
    scheme.scales = {{"two", {"l0", "l1"}, 0},
                     {"three", {"l0", "l1", "l2"}, 1},
                     {"four", {"l0", "l1", "l2", "l3"}, 0}};
    const int levels = 2 + Pick(2);
    for (int i = 0; i < levels; ++i) Level("a" + std::to_string(i));
    const int ratios = Pick(4);
    for (int i = 0; i < ratios; ++i) Ratio("k" + std::to_string(i));
    const bool decimal = Pick(3) == 0;
    if (decimal) Decimal();
    for (int i = 0; i < Pick(3); ++i) Limit(Pick(levels));
    int first = Table({0, 1});
    if (Pick(2) == 0) Limit(first);
    if (Pick(3) == 0) first = Adjusted(first);
    int result = first;
    if (Pick(4) == 0) {
      result = Band(Counted(first));
    } else if (levels == 3 || decimal) {
      std::vector<int> terms = {first, levels == 3 ? 2 : 0};
      if (decimal) terms.push_back(static_cast<int>(scheme.inputs.size()) - 1);
      result = Band(Summed(terms));
    }
    for (int i = 0; i < 1 + Pick(2); ++i) Limit(result);
    scheme.results = {{result, "result"}};
    return std::move(sample_);
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }

  int LevelsOf(int value) const {
    const auto& scheme = sample_.scheme;
    const int scale = scheme.values[static_cast<size_t>(value)].scale;
    return static_cast<int>(scheme.scales[static_cast<size_t>(scale)].levels.size());
  }

  void Level(const std::string& code) {
    rating::AddInput(sample_.scheme, code, Pick(3), scheme::OnMissing::kAbsent);
    const int value = static_cast<int>(sample_.scheme.values.size()) - 1;
    sample_.readings.push_back(Pick(12) == 0 ? Gap(value)
                                             : rating::Value::Level(Pick(LevelsOf(value))));
  }

  void Ratio(const std::string& code) {
    rating::AddInput(sample_.scheme, code, -1, scheme::OnMissing::kAbsent);
    sample_.scheme.values.back().lower_is_better = Pick(2) == 0;
    const int denominator = 1 + Pick(12);
    sample_.readings.push_back(Pick(6) == 0
                                   ? Gap(static_cast<int>(sample_.scheme.values.size()) - 1)
                                   : rating::Value::Number(Pick(denominator + 1), denominator));
  }

  void Decimal() {
    rating::AddInput(sample_.scheme, "d", -1, scheme::OnMissing::kAbsent);
    sample_.scheme.values.back().share = false;
    sample_.scheme.inputs.back().type = scheme::InputType::kDecimal;
    sample_.readings.push_back(
        rating::Value::Number((Pick(9) - 4) * 250'000, evidence::Decimal::kMicros));
  }

  rating::Value Gap(int value) {
    return rating::Value::Missing(
        Pick(2) == 0 ? rating::Absent::kNotReported : rating::Absent::kExempt, value);
  }

  scheme::Condition Condition(int below) {
    using scheme::Comparison;
    const auto& inputs = sample_.scheme.inputs;
    const bool number = inputs.back().type != scheme::InputType::kLevel && Pick(2) == 0;
    // Numbers are the last of the inputs, and matter in conditions alone.
    const int value = number ? static_cast<int>(inputs.size()) - 1 - Pick(2) : Pick(below);
    if (sample_.scheme.values[static_cast<size_t>(value)].scale < 0) {
      static constexpr Comparison kTests[] = {Comparison::kAbove, Comparison::kBelow,
                                              Comparison::kAtLeast, Comparison::kAtMost};
      return rating::Compared(value, kTests[Pick(4)], {Pick(5), 4});
    }
    scheme::Condition condition = rating::AtMost(value, Pick(LevelsOf(value)));
    if (Pick(4) == 0) condition.comparison = Comparison::kLevelAtLeast;
    return condition;
  }

  // On what was computed last, or on an input that nothing has read yet.
  void Limit(int target) {
    const auto& scheme = sample_.scheme;
    const bool input = static_cast<size_t>(target) < scheme.inputs.size();
    std::vector<scheme::Condition> any;
    for (int i = 0; i < 1 + Pick(2); ++i) {
      const scheme::Condition condition =
          Condition(input ? static_cast<int>(scheme.inputs.size()) : target);
      // A capped input reads numbers only: no cycles.
      if (input && scheme.values[static_cast<size_t>(condition.value)].scale >= 0) continue;
      any.push_back(condition);
    }
    if (any.empty()) return;
    scheme::Limit limit = rating::Cap("L" + std::to_string(scheme.limits.size()), target,
                                      Pick(LevelsOf(target)), std::move(any));
    if (Pick(3) == 0) limit.unknown = scheme::OnUnknown::kRefuse;
    limit.limits_absent = Pick(3) == 0;
    limit.floor = Pick(4) == 0;
    limit.all = Pick(4) == 0;
    sample_.scheme.limits.push_back(std::move(limit));
    auto& stages = sample_.scheme.stages;
    const int index = static_cast<int>(sample_.scheme.limits.size()) - 1;
    // Limits of one target stand together.
    auto at = stages.end();
    while (at != stages.begin() && input &&
           sample_.scheme.limits[static_cast<size_t>((at - 1)->index)].target > target) {
      --at;
    }
    stages.insert(at, {scheme::StageKind::kLimit, index});
  }

  int Output(int scale) {
    scheme::ValueInfo info;
    info.name = "v" + std::to_string(sample_.scheme.values.size());
    info.scale = scale;
    sample_.scheme.values.push_back(info);
    return static_cast<int>(sample_.scheme.values.size()) - 1;
  }

  int Table(const std::vector<int>& from) {
    scheme::Matrix matrix;
    matrix.id = "M";
    matrix.from = from;
    matrix.output = Output(Pick(3));
    matrix.stride = {static_cast<uint32_t>(LevelsOf(from[1])), 1};
    matrix.rows.resize(1);
    const bool rising = Pick(3) > 0;
    const int highest = LevelsOf(matrix.output) - 1;
    for (int i = 0; i < LevelsOf(from[0]); ++i) {
      for (int j = 0; j < LevelsOf(from[1]); ++j) {
        const int level = rising ? std::min(highest, (i + 2 * j + 1) / 2) : Pick(highest + 1);
        matrix.cells.push_back(static_cast<uint8_t>(level));
        matrix.row_of.push_back(0);
      }
    }
    sample_.scheme.matrices.push_back(std::move(matrix));
    sample_.scheme.stages.push_back({scheme::StageKind::kMatrix, 0});
    return sample_.scheme.matrices.back().output;
  }

  int Adjusted(int from) {
    scheme::Adjust adjust;
    adjust.id = "J";
    adjust.from = from;
    adjust.output = Output(sample_.scheme.values[static_cast<size_t>(from)].scale);
    for (int i = 0; i < 1 + Pick(2); ++i) {
      adjust.steps.push_back({Condition(from), Pick(2) == 0 ? 1 : -1 - Pick(2)});
    }
    if (Pick(3) == 0) {
      adjust.bound = Condition(from);
      adjust.gain_at_most = Pick(2);
    }
    sample_.scheme.adjusts.push_back(std::move(adjust));
    sample_.scheme.stages.push_back({scheme::StageKind::kAdjust, 0});
    return sample_.scheme.adjusts.back().output;
  }

  int Counted(int below) {
    scheme::Count count;
    count.id = "N";
    count.output = Output(-1);
    for (int i = 0; i < 2 + Pick(3); ++i) count.conditions.push_back(Condition(below));
    count.unknown = static_cast<scheme::CountUnknown>(1 + Pick(3));
    sample_.scheme.counts.push_back(std::move(count));
    sample_.scheme.stages.push_back({scheme::StageKind::kCount, 0});
    return sample_.scheme.counts.back().output;
  }

  int Summed(const std::vector<int>& terms) {
    scheme::Sum sum;
    sum.id = "S";
    sum.output = Output(-1);
    for (const int term : terms) sum.terms.push_back({term, 1 + Pick(3)});
    sum.times = 1 + Pick(2);
    sum.over = 1 + Pick(3);
    if (Pick(2) == 0) sum.round_to = scheme::Fraction{1, 1 + Pick(2)};
    sum.mean = Pick(3) == 0;
    sum.need = static_cast<scheme::Need>(1 + Pick(3));
    sum.least = 1;
    sample_.scheme.sums.push_back(std::move(sum));
    sample_.scheme.stages.push_back({scheme::StageKind::kSum, 0});
    return sample_.scheme.sums.back().output;
  }

  int Band(int from) {
    scheme::Band band;
    band.id = "B";
    band.from = from;
    band.output = Output(Pick(3));
    band.at_most = Pick(4) == 0;
    if (Pick(3) > 0) {
      band.cuts = Cuts(LevelsOf(band.output) - 1);
    } else {
      band.by = Pick(2);
      band.lists.resize(2);
      for (scheme::CutList& list : band.lists) list.cuts = Cuts(LevelsOf(band.output) - 1);
      for (int level = 0; level < LevelsOf(band.by); ++level) band.list_of.push_back(level % 2);
    }
    sample_.scheme.bands.push_back(std::move(band));
    sample_.scheme.stages.push_back({scheme::StageKind::kBand, 0});
    return sample_.scheme.bands.back().output;
  }

  std::vector<scheme::Fraction> Cuts(int count) {
    std::vector<scheme::Fraction> cuts;
    for (int at = Pick(2); count > 0; --count) cuts.push_back({at += 1 + Pick(2), 1});
    return cuts;
  }

  std::mt19937 random_;
  Sample sample_;
};

}  // namespace starratings::analysis
