#include "rating-svc/rating/print.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace starratings::rating {
namespace {

std::string PrintInteger(Int128 number) {
  if (number == 0) return "0";
  const bool negative = number < 0;
  std::string digits;
  for (Int128 rest = negative ? -number : number; rest > 0; rest /= 10) {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Int128 GreatestCommonDivisor(Int128 a, Int128 b) {
  if (a < 0) a = -a;
  while (b != 0) {
    const Int128 rest = a % b;
    a = b;
    b = rest;
  }
  return a == 0 ? 1 : a;
}

// A share as a percentage with one digit after the point, rounded half up: for
// people, never for comparing.
std::string PrintPercent(Int128 numerator, Int128 denominator) {
  const Int128 tenths = (2 * 1'000 * numerator + denominator) / (2 * denominator);
  return absl::StrCat(PrintInteger(tenths / 10), ".", PrintInteger(tenths % 10), " %");
}

// `, 6 fewer children`: by how many cases the test would come out otherwise, at the
// same denominator; empty if there are not so many.
std::string PrintCases(const scheme::ValueInfo& info, const scheme::Condition& condition,
                       const Value& value) {
  // The test changes between `edge` and `edge + 1` cases.
  const Int128 product = static_cast<Int128>(condition.threshold.numerator) * value.denominator;
  const Int128 divisor = condition.threshold.denominator;
  Int128 edge = product / divisor;
  if (product % divisor != 0 && product < 0) --edge;
  const bool strict_below = condition.comparison == scheme::Comparison::kAtLeast ||
                            condition.comparison == scheme::Comparison::kBelow;
  if (strict_below && edge * divisor == product) --edge;
  const bool up = value.numerator <= edge;
  const Int128 cases = up ? edge + 1 - value.numerator : value.numerator - edge;
  const Int128 then = up ? value.numerator + cases : value.numerator - cases;
  if (then < 0 || then > std::max<Int128>(value.denominator, value.numerator)) return "";
  return absl::StrCat(", ", PrintInteger(cases), up ? " more" : " fewer", " ",
                      info.unit.empty() ? "cases" : info.unit);
}

}  // namespace

std::string PrintNumber(Int128 numerator, Int128 denominator) {
  const Int128 divisor = GreatestCommonDivisor(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  constexpr int64_t kMicros = evidence::Decimal::kMicros;
  if (kMicros % denominator != 0) {
    return absl::StrCat(PrintInteger(numerator), "/", PrintInteger(denominator));
  }
  const Int128 micros = numerator * (kMicros / denominator);
  const Int128 magnitude = micros < 0 ? -micros : micros;
  std::string text = absl::StrCat(micros < 0 ? "-" : "", PrintInteger(magnitude / kMicros));
  std::string fraction = PrintInteger(magnitude % kMicros + kMicros).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? text : absl::StrCat(text, ".", fraction);
}

std::optional<scheme::Fraction> ParseNumber(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) {
    const auto decimal = evidence::Decimal::Parse(text);
    if (!decimal.ok()) return std::nullopt;
    return scheme::Fraction{decimal->micros(), evidence::Decimal::kMicros};
  }
  scheme::Fraction number;
  const bool read = absl::SimpleAtoi(text.substr(0, slash), &number.numerator) &&
                    absl::SimpleAtoi(text.substr(slash + 1), &number.denominator);
  if (!read || number.denominator < 1) return std::nullopt;
  return number;
}

std::string PrintValue(const scheme::Scheme& scheme, int value_index, const Value& value) {
  if (value.absent != Absent::kNo) return "";
  const scheme::ValueInfo& info = scheme.values[static_cast<size_t>(value_index)];
  if (info.scale >= 0) return scheme.LevelName(value_index, value.level);
  if (info.share) {
    return absl::StrCat(PrintPercent(value.numerator, value.denominator), " (",
                        PrintInteger(value.numerator), " of ", PrintInteger(value.denominator),
                        info.unit.empty() ? "" : " ", info.unit, ")");
  }
  return absl::StrCat(PrintNumber(value.numerator, value.denominator), info.unit.empty() ? "" : " ",
                      info.unit);
}

std::string PrintCut(const scheme::Scheme& scheme, const scheme::Condition& condition) {
  const scheme::ValueInfo& info = scheme.values[static_cast<size_t>(condition.value)];
  const Int128 times = info.share ? 100 : 1;
  const std::string unit = info.share          ? " %"
                           : info.unit.empty() ? ""
                                               : absl::StrCat(" ", info.unit);
  return absl::StrCat(
      condition.comparison == scheme::Comparison::kAtMost ? "at most " : "at least ",
      PrintNumber(times * condition.threshold.numerator, condition.threshold.denominator), unit);
}

std::string PrintMargin(const scheme::Scheme& scheme, const scheme::Condition& condition,
                        const Value& value) {
  const scheme::ValueInfo& info = scheme.values[static_cast<size_t>(condition.value)];
  if (value.absent != Absent::kNo || info.scale >= 0) return "";
  // threshold - value, in percentage points for a share.
  Int128 distance = static_cast<Int128>(condition.threshold.numerator) * value.denominator -
                    value.numerator * condition.threshold.denominator;
  const Int128 denominator =
      static_cast<Int128>(condition.threshold.denominator) * value.denominator;
  const bool holds_below = condition.comparison == scheme::Comparison::kBelow ||
                           condition.comparison == scheme::Comparison::kAtMost;
  if (holds_below) distance = -distance;
  if (info.share) {
    return absl::StrCat(PrintNumber(100 * distance, denominator), " percentage points",
                        PrintCases(info, condition, value));
  }
  return absl::StrCat(PrintNumber(distance, denominator), info.unit.empty() ? "" : " ", info.unit);
}

}  // namespace starratings::rating
