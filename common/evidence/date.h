// A day of the calendar, without time or zone.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::evidence {

class Date {
 public:
  constexpr Date() = default;
  static constexpr Date FromDays(int32_t days) { return Date(days); }

  // Parses "2002-05-30". Returns INVALID_ARGUMENT on anything else, such as a
  // day the calendar does not have or a year outside 1800 to 2999.
  static absl::StatusOr<Date> Parse(absl::string_view text);

  // "2002-05-30".
  std::string ToString() const;

  // Days since 1970-01-01.
  constexpr int32_t days() const { return days_; }

  friend constexpr auto operator<=>(Date, Date) = default;

 private:
  explicit constexpr Date(int32_t days) : days_(days) {}

  int32_t days_ = 0;
};

}  // namespace starratings::evidence
