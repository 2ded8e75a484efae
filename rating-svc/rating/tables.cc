#include "rating-svc/rating/tables.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "rating-svc/scheme/constants.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::rating {
namespace {

using scheme::Comparison;
using scheme::Condition;
using scheme::Fraction;
using scheme::Scheme;
using scheme::StageKind;

constexpr uint32_t kMostCells = 1 << 16;  // What 16 bits can tell apart.
constexpr size_t kMostTests = 12;
constexpr int64_t kMostTimes = int64_t{1} << 31;
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

uint32_t LevelsOf(const Scheme& scheme, int value) {
  const int scale = scheme.values[static_cast<size_t>(value)].scale;
  return static_cast<uint32_t>(scheme.scales[static_cast<size_t>(scale)].levels.size());
}

bool OnScale(const Scheme& scheme, int value) {
  return scheme.values[static_cast<size_t>(value)].scale >= 0;
}

// A number at each threshold, on either side and between: one of every kind.
std::vector<Value> Samples(std::vector<Fraction> thresholds) {
  std::sort(thresholds.begin(), thresholds.end(), scheme::Less);
  std::vector<Value> samples = {Value::Missing(Absent::kNotApplicable, 0), Value::Number(0, 1)};
  Fraction before = {0, 1};
  for (const Fraction& at : thresholds) {
    samples.push_back(Value::Number(at.numerator, at.denominator));
    // The mediant lies between.
    samples.push_back(Value::Number(Int128{before.numerator} + at.numerator,
                                    before.denominator + at.denominator));
    before = at;
  }
  samples.push_back(
      Value::Number(Int128{before.numerator} + before.denominator, before.denominator));
  return samples;
}

// Of two tests which come out true, a bit each. In the dossier two numbers stand side by
// side, a numerator and a denominator each.
unsigned Outcome(const uint8_t* numbers, const int64_t* times, const int64_t* of,
                 const int64_t* bias) {
#ifdef __SSE2__
  const auto load = [](const int64_t* from) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(from));
  };
  const __m128i ratios = _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers));
  const __m128i left = _mm_mul_epu32(ratios, load(times));
  const __m128i right = _mm_mul_epu32(_mm_srli_epi64(ratios, 32), load(of));
  const __m128i sum = _mm_add_epi64(_mm_sub_epi64(left, right), load(bias));
  return static_cast<unsigned>(_mm_movemask_pd(_mm_castsi128_pd(sum)));
#else
  unsigned outcome = 0;
  for (unsigned k = 0; k < 2; ++k) {
    uint32_t ratio[2];
    std::memcpy(ratio, numbers + k * sizeof ratio, sizeof ratio);
    outcome |= unsigned{ratio[0] * times[k] - ratio[1] * of[k] + bias[k] < 0} << k;
  }
  return outcome;
#endif
}

}  // namespace

std::optional<Tables> Tables::Of(const Scheme& scheme, const Packing& packing) {
  Tables tables;
  if (!tables.Compile(scheme, packing)) return std::nullopt;
  return tables;
}

bool Tables::Compile(const Scheme& scheme, const Packing& packing) {
  bytes_ = packing.bytes;
  scheme_ = &scheme;
  if (scheme.results.size() != 1 || !OnScale(scheme, scheme.results[0].value)) return false;
  // What is tested of numbers comes first: a group has a digit for it.
  tests_of_.resize(scheme.values.size());
  samples_.resize(scheme.values.size());
  bool simple = true;
  for (const scheme::Limit& limit : scheme.limits) {
    for (const Condition& condition : limit.any) {
      if (OnScale(scheme, condition.value)) continue;
      simple = simple && limit.unknown == scheme::OnUnknown::kSkip && AddTests(scheme, condition);
    }
  }
  if (!simple || tests_.size() > kMostTests) return false;
  for (size_t value = 0; value < tests_of_.size(); ++value) {
    std::vector<Fraction> thresholds;
    for (const size_t test : tests_of_[value]) thresholds.push_back(tests_[test].threshold);
    if (!thresholds.empty()) samples_[value] = Samples(std::move(thresholds));
  }
  for (size_t begin = 0; begin < scheme.stages.size();) {
    const int output = OutputOf(scheme, scheme.stages[begin]);
    size_t end = begin + 1;
    while (end < scheme.stages.size() && OutputOf(scheme, scheme.stages[end]) == output) ++end;
    if (!AddGroup(scheme, begin, end)) return false;
    begin = end;
  }
  if (groups_.empty() || groups_.size() > kLanes ||
      groups_.back().output != scheme.results[0].value) {
    return false;
  }
  PlaceLevels(packing);
  PlaceTests(packing);
  return Fill();
}

bool Tables::AddTests(const Scheme& scheme, const Condition& condition) {
  const Fraction& at = condition.threshold;
  const auto value = static_cast<size_t>(condition.value);
  if (value >= scheme.inputs.size() || scheme.inputs[value].type != scheme::InputType::kRatio) {
    return false;
  }
  if (at.numerator < 0 || at.numerator >= kMostTimes || at.denominator >= kMostTimes) return false;
  const auto add = [&](int64_t times, int64_t of, int64_t bias) {
    tests_of_[value].push_back(tests_.size());
    tests_.push_back({condition.value, at, times, of, bias});
  };
  // Below or not; or not above or above, where the edge lies on the other side.
  const Comparison comparison = condition.comparison;
  const bool below = comparison == Comparison::kBelow || comparison == Comparison::kAtLeast;
  add(at.denominator, at.numerator, below ? 0 : -1);
  // Whether there is a number, where no number would look like one that holds.
  if (comparison == Comparison::kAtLeast || comparison == Comparison::kAtMost) add(0, 1, 0);
  return true;
}

// What the stages [begin, end) read: levels, and tests of numbers.
bool Tables::AddGroup(const Scheme& scheme, size_t begin, size_t end) {
  Group group;
  group.part = scheme;
  group.part.stages.assign(scheme.stages.begin() + static_cast<ptrdiff_t>(begin),
                           scheme.stages.begin() + static_cast<ptrdiff_t>(end));
  group.first_stage = begin;
  group.output = OutputOf(scheme, scheme.stages[begin]);
  std::set<int> values;
  for (size_t i = begin; i < end; ++i) {
    const StageKind kind = scheme.stages[i].kind;
    if (kind != StageKind::kLimit && kind != StageKind::kMatrix) return false;
    for (const int value : ReadsOf(scheme, scheme.stages[i])) values.insert(value);
  }
  if (scheme.stages[begin].kind == StageKind::kLimit) values.insert(group.output);
  values.erase(scheme.stages[begin].kind == StageKind::kLimit ? -1 : group.output);
  for (const int value : values) {
    const uint32_t size = OnScale(scheme, value)
                              ? LevelsOf(scheme, value)
                              : uint32_t{1} << tests_of_[static_cast<size_t>(value)].size();
    group.reads.push_back({value, group.size, size});
    group.size *= size;
    if (group.size > kMostCells) return false;
  }
  groups_.push_back(std::move(group));
  return true;
}

// A number of which the tests come out as `bits` say; null if there is none.
const Value* Tables::SampleOf(int value, uint32_t bits) const {
  const auto& own = tests_of_[static_cast<size_t>(value)];
  for (const Value& sample : samples_[static_cast<size_t>(value)]) {
    const bool number = sample.absent == Absent::kNo;
    const Int128 numerator = number ? sample.numerator : 0;
    const Int128 denominator = number ? sample.denominator : 0;
    uint32_t found = 0;
    for (size_t k = 0; k < own.size(); ++k) {
      const Test& test = tests_[own[k]];
      found |= uint32_t{numerator * test.times - denominator * test.of + test.bias < 0} << k;
    }
    if (found == bits) return &sample;
  }
  return nullptr;
}

bool Tables::Represent(const Group& group, uint32_t index, std::vector<Value>& readings,
                       Evaluation& evaluation) const {
  for (const Read& read : group.reads) {
    const uint32_t digit = index / read.stride % read.size;
    const auto value = static_cast<size_t>(read.value);
    const Value level = Value::Level(static_cast<int>(digit));
    const bool on_scale = OnScale(*scheme_, read.value);
    const Value* const what = on_scale ? &level : SampleOf(read.value, digit);
    if (what == nullptr) return false;
    (value < readings.size() ? readings[value] : evaluation.values[value]) = *what;
  }
  return true;
}

uint64_t Tables::StepOf(int value, size_t from, size_t to) const {
  uint64_t step = 0;
  for (size_t g = from; g < std::min(to, groups_.size()); ++g) {
    for (const Read& read : groups_[g].reads) {
      if (read.value == value) step += uint64_t{read.stride} << 16 * g;
    }
  }
  return step;
}

void Tables::PlaceLevels(const Packing& packing) {
  for (size_t i = 0; i < scheme_->inputs.size(); ++i) {
    const int value = static_cast<int>(i);
    if (!OnScale(*scheme_, value)) continue;
    // Behind the group that limits it, its output is what is read.
    size_t writer = 0;
    while (writer < groups_.size() && groups_[writer].output != value) ++writer;
    const uint64_t step = StepOf(value, 0, writer + 1);
    if (step == 0) continue;
    level_inputs_.push_back(i);
    const uint32_t offset = packing.offsets[i] / 4 * 4;
    auto at = std::find_if(levels_.begin(), levels_.end(),
                           [&](const Levels& levels) { return levels.offset == offset; });
    if (at == levels_.end()) {
      levels_.push_back({offset, {}});
      at = levels_.end() - 1;
    }
    auto& adds = at->adds[packing.offsets[i] - offset];
    for (uint64_t k = 0; k < LevelsOf(*scheme_, value); ++k) adds[k] = k * step;
  }
}

void Tables::PlaceTests(const Packing& packing) {
  std::vector<std::pair<size_t, size_t>> places;  // Of each test a pair and its half.
  bool open = false;                              // The last pair has room for another.
  for (const Test& test : tests_) {
    const uint32_t offset = packing.offsets[static_cast<size_t>(test.value)];
    size_t half = 0;
    if (open && offset == pairs_.back().offset + 8) {
      half = 1;
    } else {
      // Nothing is read behind the end.
      half = offset + 16 > bytes_ ? 1 : 0;
      pairs_.emplace_back().offset = offset - 8 * static_cast<uint32_t>(half);
    }
    open = half == 0;
    TestPair& pair = pairs_.back();
    pair.times[half] = test.times;
    pair.of[half] = test.of;
    pair.bias[half] = test.bias;
    places.emplace_back(pairs_.size() - 1, half);
  }
  test_adds_.assign(size_t{1} << 2 * pairs_.size(), 0);
  for (size_t t = 0; t < tests_.size(); ++t) {
    const auto& own = tests_of_[static_cast<size_t>(tests_[t].value)];
    const auto bit = std::find(own.begin(), own.end(), t) - own.begin();
    const uint64_t step = StepOf(tests_[t].value, 0, groups_.size()) << bit;
    const size_t at = 2 * (pairs_.size() - 1 - places[t].first) + places[t].second;
    for (size_t k = 0; k < test_adds_.size(); ++k) {
      if (k >> at & 1) test_adds_[k] += step;
    }
  }
}

bool Tables::Fill() {
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const bool last = g + 1 == groups_.size();
    const uint64_t step = last ? 1 : StepOf(group.output, g + 1, groups_.size());
    group.next.assign(group.size, 0);
    Evaluation evaluation(*scheme_);
    std::vector<Value> readings(scheme_->inputs.size());
    for (uint32_t index = 0; index < group.size; ++index) {
      if (!Represent(group, index, readings, evaluation)) continue;
      rating::Evaluate(group.part, readings, evaluation);
      const Value& made = evaluation.values[static_cast<size_t>(group.output)];
      if (made.absent != Absent::kNo) return false;
      group.next[index] = step * static_cast<uint64_t>(made.level);
    }
  }
  return true;
}

bool Tables::Fits(std::span<const Value> readings) const {
  for (const Value& reading : readings) {
    if (reading.refused) return false;
  }
  for (const size_t i : level_inputs_) {
    if (readings[i].absent != Absent::kNo) return false;
  }
  for (const Test& test : tests_) {
    const Value& reading = readings[static_cast<size_t>(test.value)];
    if (reading.absent != Absent::kNo) continue;
    if (reading.numerator < 0 || reading.numerator > kNone || reading.denominator > kNone) {
      return false;
    }
  }
  return true;
}

template <bool kTraced, size_t kGroups>
void Tables::RunGroups(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
                       std::span<uint64_t> traces) const {
  // Copies: a byte that is written could be anything of `this` to the compiler.
  const std::span<const Levels> quads = levels_;
  const std::span<const TestPair> pairs = pairs_;
  const uint64_t* const test_adds = test_adds_.data();
  std::array<const uint64_t*, kGroups> next;
  for (size_t g = 0; g < kGroups; ++g) next[g] = groups_[g].next.data();
  const size_t bytes = bytes_;
  const uint8_t* dossier = dossiers.data();
  for (size_t i = 0; i < levels.size(); ++i, dossier += bytes) {
    size_t outcome = 0;
    for (const TestPair& pair : pairs) {
      outcome = 4 * outcome +
                Outcome(dossier + pair.offset, pair.times.data(), pair.of.data(), pair.bias.data());
    }
    uint64_t index = test_adds[outcome];
    for (const Levels& quad : quads) {
      uint32_t word;
      std::memcpy(&word, dossier + quad.offset, sizeof word);
      index += quad.adds[0][word & 63] + quad.adds[1][word >> 8 & 63] +
               quad.adds[2][word >> 16 & 63] + quad.adds[3][word >> 24 & 63];
    }
    for (size_t g = 0; g + 1 < kGroups; ++g) index += next[g][index >> 16 * g & 0xFFFF];
    levels[i] = static_cast<uint8_t>(next[kGroups - 1][index >> 16 * (kGroups - 1) & 0xFFFF]);
    if constexpr (kTraced) traces[i] = index;
  }
}

template <bool kTraced>
void Tables::Run(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
                 std::span<uint64_t> traces) const {
  switch (groups_.size()) {
    case 1:
      return RunGroups<kTraced, 1>(dossiers, levels, traces);
    case 2:
      return RunGroups<kTraced, 2>(dossiers, levels, traces);
    case 3:
      return RunGroups<kTraced, 3>(dossiers, levels, traces);
    default:
      return RunGroups<kTraced, kLanes>(dossiers, levels, traces);
  }
}

void Tables::Evaluate(std::span<const uint8_t> dossiers, std::span<uint8_t> levels) const {
  Run<false>(dossiers, levels, {});
}

void Tables::EvaluateTraced(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
                            std::span<uint64_t> traces) const {
  Run<true>(dossiers, levels, traces);
}

void Tables::Expand(uint64_t trace, Evaluation& evaluation) const {
  std::vector<StageTrace> stages(evaluation.stages.size());
  std::vector<Value> readings(scheme_->inputs.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    Represent(group, static_cast<uint32_t>(trace >> 16 * g & 0xFFFF), readings, evaluation);
    std::fill(evaluation.stages.begin(), evaluation.stages.end(), StageTrace{});
    rating::EvaluateTraced(group.part, readings, evaluation);
    for (size_t i = 0; i < group.part.stages.size(); ++i) {
      stages[group.first_stage + i] = evaluation.stages[i];
    }
  }
  evaluation.stages = std::move(stages);
}

}  // namespace starratings::rating
