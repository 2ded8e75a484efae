#include "rating-svc/analysis/packed.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "rating-svc/analysis/structure.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::analysis {
namespace {

using rating::Value;
using scheme::Scheme;

// The scheme as far as one result needs it, whose stages then come last.
Scheme PartFor(const Scheme& scheme, size_t result) {
  Scheme part = scheme;
  part.results = {scheme.results[result]};
  const std::vector<bool> cone = ConeOf(scheme, part.results[0].value);
  std::erase_if(part.stages, [&](const scheme::Stage& stage) {
    return !cone[static_cast<size_t>(scheme::OutputOf(scheme, stage))];
  });
  return part;
}

// Numbers first, then levels.
rating::Packing PackingOf(const Scheme& scheme) {
  rating::Packing packing;
  packing.offsets.resize(scheme.inputs.size());
  uint32_t at = 0;
  for (const bool numbers : {true, false}) {
    for (size_t i = 0; i < scheme.inputs.size(); ++i) {
      if ((scheme.values[i].scale < 0) != numbers) continue;
      packing.offsets[i] = at;
      at += numbers ? 8 : 1;
    }
  }
  packing.bytes = std::max<size_t>((at + 7) / 8 * 8, 16);
  return packing;
}

}  // namespace

std::unique_ptr<Packed> Packed::Of(const Scheme& scheme, size_t result,
                                   std::span<const Value> readings) {
  std::unique_ptr<Packed> packed(new Packed);
  packed->scheme_ = PartFor(scheme, result);
  packed->packing_ = PackingOf(packed->scheme_);
  packed->tables_ = rating::Tables::Of(packed->scheme_, packed->packing_);
  if (!packed->tables_) return nullptr;
  if (!packed->tables_->Fits(readings)) return nullptr;
  for (const Value& reading : readings) {
    packed->present_.push_back(reading.absent == rating::Absent::kNo);
  }
  packed->bytes_.assign(packed->packing_.bytes, 0);
  for (size_t i = 0; i < readings.size(); ++i) {
    if (!packed->Set(i, readings[i])) return nullptr;
  }
  return packed;
}

bool Packed::Set(size_t input, const Value& reading) {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  const bool present = reading.absent == rating::Absent::kNo;
  uint8_t* const at = bytes_.data() + packing_.offsets[input];
  if (scheme_.values[input].scale >= 0) {
    if (!present && present_[input]) return false;
    *at = static_cast<uint8_t>(present ? reading.level : 0);
    return true;
  }
  std::array<uint32_t, 2> number{};
  if (present) {
    if (reading.numerator < 0 || reading.numerator > kMost || reading.denominator > kMost) {
      return false;
    }
    number = {static_cast<uint32_t>(reading.numerator), static_cast<uint32_t>(reading.denominator)};
  }
  std::memcpy(at, number.data(), sizeof number);
  return true;
}

int Packed::Level() const {
  uint8_t level = 0;
  tables_->Evaluate(bytes_, {&level, 1});
  return level;
}

}  // namespace starratings::analysis
