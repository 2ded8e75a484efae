#include "common/evidence/date.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"

namespace starratings::evidence {

absl::StatusOr<Date> Date::Parse(absl::string_view text) {
  const absl::Status error = absl::InvalidArgumentError("must be a day such as 2002-05-30");
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return error;
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return error;
  }
  int year = 0, month = 0, day = 0;
  if (!absl::SimpleAtoi(text.substr(0, 4), &year) || !absl::SimpleAtoi(text.substr(5, 2), &month) ||
      !absl::SimpleAtoi(text.substr(8, 2), &day)) {
    return error;
  }
  const absl::CivilDay civil(year, month, day);
  // CivilDay turns the 31st of June into the 1st of July.
  const bool exists = civil.year() == year && civil.month() == month && civil.day() == day;
  if (!exists || year < 1800 || year > 2999) return error;
  return FromDays(static_cast<int32_t>(civil - absl::CivilDay(1970, 1, 1)));
}

std::string Date::ToString() const {
  return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + days_);
}

}  // namespace starratings::evidence
