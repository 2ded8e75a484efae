// Dossiers of England's scheme of 2002 in 64 bytes each: what the evaluator, the
// code written by hand and the peers are compared on.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::bench {

inline constexpr size_t kJudgements = 4;
inline constexpr size_t kIndicators = 5;

struct Ratio {
  uint32_t numerator = 0;
  uint32_t denominator = 0;  // 0: not reported.
};

// In the order of the scheme's inputs.
struct alignas(64) Record {
  std::array<uint8_t, kJudgements> levels{};
  uint8_t listed = 0;  // 0 is on the list, 1 off it.
  std::array<Ratio, kIndicators> indicators{};
};
static_assert(sizeof(Record) == 64);

// The scheme that is shipped; ends the process if it does not verify.
std::shared_ptr<const scheme::Scheme> England();

// Every profile of judgements, each with the indicators not reported, at their minimum
// standards, beyond all of them, beyond one, and mixed.
std::vector<Record> Cases(const scheme::Scheme& scheme);

// A million of `cases`, in no order.
std::vector<Record> Million(const std::vector<Record>& cases);

// What a record says, as the evaluator reads it: one value for each input.
void Read(const Record& record, std::span<rating::Value> readings);

// The stars of each record, by C++ that knows this one scheme.
void StarsByHand(std::span<const Record> records, std::span<uint8_t> stars);

}  // namespace starratings::bench
