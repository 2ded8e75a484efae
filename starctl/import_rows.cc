#include "starctl/import_rows.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/evidence/date.h"
#include "common/evidence/decimal.h"
#include "common/evidence/evidence.h"
#include "common/evidence/text.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using evidence::Code;
using evidence::Decimal;
using evidence::Ratio;
using evidence::ValueType;
using evidence::v1::Value;
using Field = ImportField;

constexpr size_t kTitleMost = 500;
constexpr size_t kUriMost = 2'000;
constexpr size_t kTextMost = 4'000;
constexpr size_t kAuthorityMost = 500;

constexpr absl::string_view kReasons =
    "must be NOT_REPORTED, UNRELIABLE, SUPPRESSED, WITHDRAWN or NOT_APPLICABLE";

constexpr size_t At(Field field) { return static_cast<size_t>(field); }

// Holds 10^18 times 10^12, the largest product below.
__extension__ using Wide = __int128;

// What keeps numerator/denominator from the code's range, exactly.
std::string RangeFault(const Code& code, int64_t numerator, int64_t denominator, int64_t scale) {
  const auto less = [&](Decimal bound) {
    return static_cast<Wide>(numerator) * (Decimal::kMicros / scale) <
           static_cast<Wide>(bound.micros()) * denominator;
  };
  const auto more = [&](Decimal bound) {
    return static_cast<Wide>(numerator) * (Decimal::kMicros / scale) >
           static_cast<Wide>(bound.micros()) * denominator;
  };
  if (code.minimum && less(*code.minimum)) {
    return absl::StrCat("must not be less than ", code.minimum->ToString(), ", the minimum of ",
                        code.id);
  }
  if (code.maximum && more(*code.maximum)) {
    return absl::StrCat("must not be more than ", code.maximum->ToString(), ", the maximum of ",
                        code.id);
  }
  return "";
}

std::optional<int64_t> Count(absl::string_view text, int64_t least) {
  int64_t number = 0;
  if (text.empty() || text.size() > 13) return std::nullopt;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  if (!absl::SimpleAtoi(text, &number) || number < least || number > Ratio::kMost) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

const Fields& ImportFields() {
  static const Fields* const fields = new Fields{
      {"organisation", "period", "code", "instance", "value", "numerator", "denominator", "missing",
       "observed_on", "source", "source_uri", "source_sha256", "reconstructed", "authority",
       "expires_on"},
      {At(Field::kOrganisation), At(Field::kPeriod), At(Field::kCode), At(Field::kSource)}};
  return *fields;
}

const WideFields& ImportWideFields() {
  static const WideFields fields = {At(Field::kOrganisation), std::nullopt, At(Field::kCode),
                                    At(Field::kValue), At(Field::kMissing)};
  return fields;
}

void ItemReader::Fault(const Entry& entry, Field field, absl::string_view rule) {
  bad_.Add(entry.line(), entry.column(At(field)), rule);
}

void ItemReader::FaultIfError(const Entry& entry, Field field, const absl::Status& status) {
  if (!status.ok()) Fault(entry, field, status.message());
}

void ItemReader::Add(const Entry& entry) {
  const size_t faults_before = bad_.count();
  ImportItem item;
  item.line = entry.line();
  ReadKey(entry, item);
  ReadSource(entry, item);
  const auto code = registered_.codes.find(item.item.code());
  if (code != registered_.codes.end()) {
    ReadValue(entry, code->second, *item.item.mutable_value());
    ReadOverride(entry, code->second, item);
  }
  // A key that has faults is nobody's twin.
  if (bad_.count() == faults_before) CheckTwice(item);
  if (bad_.count() == faults_before) items_.push_back(std::move(item));
}

void ItemReader::ReadKey(const Entry& entry, ImportItem& item) {
  const std::string organisation(entry.text(At(Field::kOrganisation)));
  const std::string period(entry.text(At(Field::kPeriod)));
  const std::string code(entry.text(At(Field::kCode)));
  const std::string instance(entry.text(At(Field::kInstance)));
  if (const absl::Status status = evidence::CheckOrganisationId(organisation); !status.ok()) {
    Fault(entry, Field::kOrganisation, status.message());
  } else if (!registered_.organisations.contains(organisation)) {
    Fault(entry, Field::kOrganisation, absl::StrCat("`", organisation, "` must be registered"));
  }
  if (const absl::Status status = evidence::CheckSlug(period); !status.ok()) {
    Fault(entry, Field::kPeriod, status.message());
  } else if (period != evidence::kStanding && !registered_.periods.contains(period)) {
    Fault(entry, Field::kPeriod, absl::StrCat("`", period, "` must be registered"));
  }
  if (const absl::Status status = evidence::CheckCode(code); !status.ok()) {
    Fault(entry, Field::kCode, status.message());
  } else if (!registered_.codes.contains(code)) {
    Fault(entry, Field::kCode, absl::StrCat("`", code, "` must be registered"));
  }
  FaultIfError(entry, Field::kInstance, evidence::CheckInstance(instance));
  item.item.set_organisation(organisation);
  item.item.set_period(period);
  item.item.set_code(code);
  item.item.set_instance(instance);
}

void ItemReader::ReadSource(const Entry& entry, ImportItem& item) {
  const std::string observed_on(entry.text(At(Field::kObservedOn)));
  if (!observed_on.empty()) {
    FaultIfError(entry, Field::kObservedOn, evidence::Date::Parse(observed_on).status());
    item.item.set_observed_on(observed_on);
  }
  const std::string title = OneLine(entry.text(At(Field::kSource)));
  const std::string uri(entry.text(At(Field::kSourceUri)));
  const std::string sha256 = absl::AsciiStrToLower(entry.text(At(Field::kSourceSha256)));
  FaultIfError(entry, Field::kSource, evidence::CheckText(title, 1, kTitleMost));
  FaultIfError(entry, Field::kSourceUri, evidence::CheckText(uri, 0, kUriMost));
  if (!sha256.empty()) FaultIfError(entry, Field::kSourceSha256, evidence::CheckSha256(sha256));
  item.source.set_title(title);
  item.source.set_uri(uri);
  item.source.set_sha256(sha256);
  const absl::string_view reconstructed = entry.text(At(Field::kReconstructed));
  if (reconstructed.empty()) return;
  const auto flag = FlagFromString(reconstructed);
  if (!flag) Fault(entry, Field::kReconstructed, "must be yes, no or empty");
  item.source.set_reconstructed(flag.value_or(false));
}

void ItemReader::ReadOverride(const Entry& entry, const Code& code, ImportItem& item) {
  const std::string authority = OneLine(entry.text(At(Field::kAuthority)));
  const std::string expires_on(entry.text(At(Field::kExpiresOn)));
  if (code.kind != evidence::Kind::kOverride || item.item.value().has_missing()) {
    const std::string rule = absl::StrCat("must be empty unless there is a value and ", code.id,
                                          " is registered with the kind OVERRIDE");
    if (!authority.empty()) Fault(entry, Field::kAuthority, rule);
    if (!expires_on.empty()) Fault(entry, Field::kExpiresOn, rule);
    return;
  }
  FaultIfError(entry, Field::kAuthority, evidence::CheckText(authority, 1, kAuthorityMost));
  FaultIfError(entry, Field::kExpiresOn, evidence::Date::Parse(expires_on).status());
  item.item.mutable_override()->set_authority(authority);
  item.item.mutable_override()->set_expires_on(expires_on);
}

void ItemReader::ReadValue(const Entry& entry, const Code& code, Value& value) {
  const absl::string_view text = entry.text(At(Field::kValue));
  const absl::string_view missing = entry.text(At(Field::kMissing));
  const bool split =
      !entry.text(At(Field::kNumerator)).empty() || !entry.text(At(Field::kDenominator)).empty();
  if (!missing.empty()) {
    const auto reason = evidence::MissingReasonFromString(missing);
    if (!reason) Fault(entry, Field::kMissing, kReasons);
    if (!text.empty() || split) {
      Fault(entry, Field::kMissing,
            "must be empty where there is a value: a row says one or "
            "the other");
    }
    if (reason) value.set_missing(static_cast<evidence::v1::MissingReason>(*reason));
    return;
  }
  if (code.value_type == ValueType::kRatio) return ReadRatio(entry, code, value);
  if (split) {
    Fault(entry, Field::kNumerator,
          absl::StrCat("must be empty: ", code.id, " is a ", evidence::ToString(code.value_type)));
  }
  if (text.empty()) {
    Fault(entry, Field::kValue, "must have a value, or a reason why it is missing");
    return;
  }
  if (code.value_type == ValueType::kDecimal) {
    const auto decimal = Decimal::Parse(text);
    FaultIfError(entry, Field::kValue, decimal.status());
    if (!decimal.ok()) return;
    value.set_decimal(std::string(text));
    const std::string fault = RangeFault(code, decimal->micros(), 1, Decimal::kMicros);
    if (!fault.empty()) Fault(entry, Field::kValue, fault);
  } else if (code.value_type == ValueType::kLevel) {
    value.set_level(std::string(text));
    for (const std::string& level : code.levels) {
      if (level == text) return;
    }
    Fault(entry, Field::kValue,
          absl::StrCat("must be one of the levels of ", code.id, ": ",
                       absl::StrJoin(code.levels, ", ")));
  } else if (code.value_type == ValueType::kFlag) {
    const auto flag = FlagFromString(text);
    if (!flag) Fault(entry, Field::kValue, "must be yes or no");
    value.set_flag(flag.value_or(false));
  } else {
    value.set_text(std::string(text));
    FaultIfError(entry, Field::kValue, evidence::CheckLongText(text, 1, kTextMost));
  }
}

// `30/140` in the column of values, or a column each.
void ItemReader::ReadRatio(const Entry& entry, const Code& code, Value& value) {
  const absl::string_view text = entry.text(At(Field::kValue));
  absl::string_view above = entry.text(At(Field::kNumerator));
  absl::string_view below = entry.text(At(Field::kDenominator));
  Field above_field = Field::kNumerator;
  Field below_field = Field::kDenominator;
  if (!text.empty()) {
    if (!above.empty() || !below.empty()) {
      Fault(entry, Field::kValue, "must be empty where there are numerator and denominator");
      return;
    }
    const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
    if (parts.size() != 2) {
      Fault(entry, Field::kValue,
            absl::StrCat("must be cases of all cases such as 30/140: ", code.id, " is a RATIO"));
      return;
    }
    above = absl::StripAsciiWhitespace(parts[0]);
    below = absl::StripAsciiWhitespace(parts[1]);
    above_field = below_field = Field::kValue;
  } else if (above.empty() && below.empty()) {
    Fault(entry, Field::kValue, "must have a value, or a reason why it is missing");
    return;
  }
  const auto numerator = Count(above, 0);
  const auto denominator = Count(below, 1);
  if (!numerator) Fault(entry, above_field, "must have a whole number of cases, 0 to 10^12");
  if (!denominator) Fault(entry, below_field, "must have a whole number of all cases, 1 to 10^12");
  if (!numerator || !denominator) return;
  value.mutable_ratio()->set_numerator(*numerator);
  value.mutable_ratio()->set_denominator(*denominator);
  const std::string fault = RangeFault(code, *numerator, *denominator, 1);
  if (!fault.empty()) Fault(entry, above_field, fault);
}

void ItemReader::CheckTwice(const ImportItem& item) {
  const auto& key = item.item;
  // No part has control characters, so that the separator cannot be in one.
  const auto [first, fresh] = lines_.emplace(
      absl::StrJoin({key.organisation(), key.period(), key.code(), key.instance()}, "\n"),
      item.line);
  if (fresh) return;
  bad_.Add(item.line, "",
           absl::StrCat("must not say the same again: organisation, period, code and instance "
                        "are those of line ",
                        first->second, " (", key.organisation(), ", ", key.period(), ", ",
                        key.code(), key.instance().empty() ? "" : ", ", key.instance(), ")"));
}

}  // namespace starratings::starctl
