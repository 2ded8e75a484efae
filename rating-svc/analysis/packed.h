// One result of many readings that differ in little, by the scheme's tables: for
// searches that would otherwise run the evaluator millions of times. Internal to the
// room.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "rating-svc/rating/tables.h"

namespace starratings::analysis {

class Packed {
 public:
  // Null where the scheme has no tables for this result, or they cannot hold the
  // readings.
  static std::unique_ptr<Packed> Of(const scheme::Scheme& scheme, size_t result,
                                    std::span<const rating::Value> readings);

  // Puts another reading in the place of one. False if the tables cannot hold it; what
  // was there stays.
  bool Set(size_t input, const rating::Value& reading);

  // The result's level; as the evaluator says, it is rated.
  int Level() const;

 private:
  Packed() = default;

  scheme::Scheme scheme_;  // With no other result.
  rating::Packing packing_;
  std::optional<rating::Tables> tables_;
  std::vector<bool> present_;  // In the readings it began with.
  std::vector<uint8_t> bytes_;
};

}  // namespace starratings::analysis
