#include "tests/bench/records.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "rating-svc/verify/verify.h"

namespace starratings::bench {
namespace {

using rating::Absent;
using rating::Value;

// The smallest count of `denominator` that is `beyond` the minimum standard, or the
// one that just meets it.
Ratio At(const scheme::Condition& standard, uint32_t denominator, bool beyond) {
  const auto [numerator, of] = standard.threshold;
  const auto edge = static_cast<uint32_t>(numerator * denominator / of);
  if (!beyond) return {edge, denominator};
  return {standard.comparison == scheme::Comparison::kAbove ? edge + 1 : edge - 1, denominator};
}

// The minimum standard of each indicator: the condition of its cap.
std::array<scheme::Condition, kIndicators> Standards(const scheme::Scheme& scheme) {
  std::array<scheme::Condition, kIndicators> standards;
  for (const scheme::Limit& limit : scheme.limits) {
    for (const scheme::Condition& condition : limit.any) {
      const auto value = static_cast<size_t>(condition.value);
      if (value >= kJudgements && value < kJudgements + kIndicators) {
        standards[value - kJudgements] = condition;
      }
    }
  }
  return standards;
}

}  // namespace

std::shared_ptr<const scheme::Scheme> England() {
  std::ifstream in(SOURCE_ROOT "/rating-svc/schemes/england-social-services-2002/scheme.textproto",
                   std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto verification = verify::Verify(text);
  if (verification.scheme == nullptr) {
    std::fprintf(stderr, "the scheme of 2002 does not verify\n");
    std::exit(1);
  }
  return verification.scheme;
}

std::vector<Record> Cases(const scheme::Scheme& scheme) {
  constexpr size_t kMixed = 3 + kIndicators;
  const auto standards = Standards(scheme);
  std::mt19937 random(20020530);
  std::vector<Record> cases;
  for (unsigned profile = 0; profile < 256; ++profile) {
    for (size_t state = 0; state <= kMixed; ++state) {
      Record record;
      for (size_t i = 0; i < kJudgements; ++i) {
        record.levels[i] = static_cast<uint8_t>(profile >> (2 * (kJudgements - 1 - i)) & 3);
      }
      record.listed = static_cast<uint8_t>(random() % 2);
      for (size_t i = 0; state > 0 && i < kIndicators; ++i) {
        const auto denominator = static_cast<uint32_t>(100 * (1 + random() % 9));
        const bool mixed = state == kMixed;
        const bool beyond = mixed ? random() % 2 == 0 : state == 2 || state == 3 + i;
        if (mixed && random() % 3 == 0) continue;
        record.indicators[i] = At(standards[i], denominator, beyond);
      }
      cases.push_back(record);
    }
  }
  return cases;
}

std::vector<Record> Million(const std::vector<Record>& cases) {
  std::mt19937 random(20020530);
  std::vector<Record> records(1'000'000);
  for (Record& record : records) record = cases[random() % cases.size()];
  return records;
}

void Read(const Record& record, std::span<Value> readings) {
  for (size_t i = 0; i < kJudgements; ++i) readings[i] = Value::Level(record.levels[i]);
  for (size_t i = 0; i < kIndicators; ++i) {
    const auto [numerator, denominator] = record.indicators[i];
    const size_t input = kJudgements + i;
    readings[input] = denominator == 0
                          ? Value::Missing(Absent::kNotReported, static_cast<int>(input))
                          : Value::Number(numerator, denominator);
  }
  readings[kJudgements + kIndicators] = Value::Level(record.listed);
}

}  // namespace starratings::bench
