#include "common/evidence/decimal.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace starratings::evidence {
namespace {

constexpr size_t kWholeDigits = 12;
constexpr size_t kFractionDigits = 6;

// Appends the digits of `text` to `number`; false unless there are between 1
// and `limit` of them and nothing else.
bool TakeDigits(absl::string_view text, size_t limit, int64_t& number) {
  if (text.empty() || text.size() > limit) return false;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
    number = number * 10 + (c - '0');
  }
  return true;
}

absl::Status NoDecimal() {
  return absl::InvalidArgumentError(
      "must be a decimal such as 12.5: up to 12 digits before the point and up to 6 after");
}

}  // namespace

absl::StatusOr<Decimal> Decimal::Parse(absl::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  int64_t micros = 0;
  if (!TakeDigits(text.substr(0, point), kWholeDigits, micros)) return NoDecimal();
  size_t fraction_digits = 0;
  if (point != absl::string_view::npos) {
    const absl::string_view fraction = text.substr(point + 1);
    if (!TakeDigits(fraction, kFractionDigits, micros)) return NoDecimal();
    fraction_digits = fraction.size();
  }
  for (; fraction_digits < kFractionDigits; ++fraction_digits) micros *= 10;
  return FromMicros(negative ? -micros : micros);
}

std::string Decimal::ToString() const {
  const int64_t magnitude = micros_ < 0 ? -micros_ : micros_;
  std::string text = absl::StrCat(micros_ < 0 ? "-" : "", magnitude / kMicros);
  int64_t fraction = magnitude % kMicros;
  if (fraction == 0) return text;
  absl::StrAppend(&text, ".", absl::Dec(fraction, absl::kZeroPad6));
  while (text.back() == '0') text.pop_back();
  return text;
}

}  // namespace starratings::evidence
