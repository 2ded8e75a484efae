// A scheme as tables, for many dossiers at a time. A scheme tells apart only so many
// values of an input: its levels, and on which side of each threshold a number lies.
// So what the stages of one value make of what they read is a table, and a dossier is
// an index into each. The evaluator fills them: nothing about rules is told a second
// time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// A dossier is so many bytes. At the input's offset it has a level in one byte, or a
// numerator and a denominator in four bytes each, 0 of 0 where there is none.
struct Packing {
  size_t bytes = 0;
  std::vector<uint32_t> offsets;  // One for each input.
};

class Tables {
 public:
  // None where tables cannot say what the scheme does: it adds numbers, a number that is
  // unknown could make a difference, or it is too large. `scheme` must outlive it.
  static std::optional<Tables> Of(const scheme::Scheme& scheme, const Packing& packing);

  // Whether a dossier can be packed; if not, Evaluate() it.
  bool Fits(std::span<const Value> readings) const;

  // Of each packed dossier the level of the scheme's result. With `traces` room for one
  // each: what stages did, for Expand.
  void Evaluate(std::span<const uint8_t> dossiers, std::span<uint8_t> levels) const;
  void EvaluateTraced(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
                      std::span<uint64_t> traces) const;

  // What EvaluateTraced of the dossier leaves in evaluation.stages.
  void Expand(uint64_t trace, Evaluation& evaluation) const;

 private:
  static constexpr size_t kLanes = 4;  // Indices of 16 bits in a word.

  // What is tested of a number: whether numerator * times - denominator * of + bias is
  // negative. Of no number, 0 of 0, it is too if the bias is.
  struct Test {
    int value = 0;
    scheme::Fraction threshold;
    int64_t times = 0;
    int64_t of = 0;
    int64_t bias = 0;
  };
  // Two tests of what stands in a dossier side by side; one may be of nothing.
  struct TestPair {
    alignas(16) std::array<int64_t, 2> times{};
    alignas(16) std::array<int64_t, 2> of{};
    alignas(16) std::array<int64_t, 2> bias{};
    uint32_t offset = 0;
  };
  // What four levels side by side add to the indices of those who read them.
  struct Levels {
    uint32_t offset = 0;
    std::array<std::array<uint64_t, 64>, 4> adds{};
  };
  // A digit of a group's index: a level, or how the tests of a number come out.
  struct Read {
    int value = 0;
    uint32_t stride = 1;
    uint32_t size = 1;
  };
  // The stages of one value, and what they make of every combination of what they read.
  struct Group {
    scheme::Scheme part;  // The scheme with these stages only.
    size_t first_stage = 0;
    int output = 0;
    std::vector<Read> reads;
    uint32_t size = 1;
    std::vector<uint64_t> next;  // What the output adds to later indices; of the last itself.
  };

  bool Compile(const scheme::Scheme& scheme, const Packing& packing);
  bool AddTests(const scheme::Scheme& scheme, const scheme::Condition& condition);
  bool AddGroup(const scheme::Scheme& scheme, size_t begin, size_t end);
  // What a step of `value` adds to the indices of the groups [from, to).
  uint64_t StepOf(int value, size_t from, size_t to) const;
  bool Fill();
  void PlaceLevels(const Packing& packing);
  void PlaceTests(const Packing& packing);
  const Value* SampleOf(int value, uint32_t bits) const;
  // Makes what the group reads what `index` stands for; false if no number lies so.
  bool Represent(const Group& group, uint32_t index, std::vector<Value>& readings,
                 Evaluation& evaluation) const;

  template <bool kTraced>
  void Run(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
           std::span<uint64_t> traces) const;
  template <bool kTraced, size_t kGroups>
  void RunGroups(std::span<const uint8_t> dossiers, std::span<uint8_t> levels,
                 std::span<uint64_t> traces) const;

  const scheme::Scheme* scheme_ = nullptr;
  size_t bytes_ = 0;
  std::vector<Test> tests_;
  std::vector<std::vector<size_t>> tests_of_;  // Of each value.
  std::vector<std::vector<Value>> samples_;    // Of each value: numbers of every kind.
  std::vector<size_t> level_inputs_;           // That anything reads.
  std::vector<Levels> levels_;
  std::vector<TestPair> pairs_;
  std::vector<uint64_t> test_adds_;  // By how all pairs come out, two bits each.
  std::vector<Group> groups_;
};

}  // namespace starratings::rating
