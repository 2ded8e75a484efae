// An exact decimal with six digits after the point.
//
// Readings and thresholds are Decimals, never doubles: a reading on a
// threshold must compare equal to it, whoever typed the digits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::evidence {

class Decimal {
 public:
  static constexpr int64_t kMicros = 1'000'000;

  constexpr Decimal() = default;
  static constexpr Decimal FromMicros(int64_t micros) { return Decimal(micros); }

  // Parses "-12.5" and the like: an optional minus sign, 1 to 12 digits, and
  // optionally a point and 1 to 6 digits. Returns INVALID_ARGUMENT on anything
  // else; spaces, exponents and a seventh digit are errors, not roundings.
  static absl::StatusOr<Decimal> Parse(absl::string_view text);

  // The shortest text that parses back to this value, for example "12.5".
  std::string ToString() const;

  constexpr int64_t micros() const { return micros_; }

  friend constexpr auto operator<=>(Decimal, Decimal) = default;

 private:
  explicit constexpr Decimal(int64_t micros) : micros_(micros) {}

  int64_t micros_ = 0;  // The value times one million.
};

}  // namespace starratings::evidence
