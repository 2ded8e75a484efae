#include "starctl/register_rows.h"

#include <cassert>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/wire/canonical_message.h"
#include "common/wire/evidence_wire.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RegisterRequest;

constexpr size_t kEntriesMost = 10'000;
// The record takes 3 MiB; this leaves room for the reason and the lengths.
constexpr size_t kBytesMost = (3 << 20) - (64 << 10);

// Notes what the door of the record found, by the columns of the file.
void Note(const Entry& entry, const Fields& fields, const status::FieldErrors& errors,
          BadRows& bad) {
  for (const status::FieldViolation& fault : status::DetailOf(errors.ToStatus()).fields) {
    // `levels[2]` is in the column `levels`.
    const std::string name = fault.field.substr(0, fault.field.find('['));
    std::string column = name;
    for (size_t i = 0; i < fields.names.size(); ++i) {
      if (fields.names[i] == name) column = std::string(entry.column(i));
    }
    bad.Add(entry.line(), column, fault.rule);
  }
}

// Notes ids that occur twice.
class Ids {
 public:
  explicit Ids(BadRows& bad) : bad_(bad) {}

  void Add(const Entry& entry, const std::string& id) {
    const auto [first, fresh] = lines_.emplace(id, entry.line());
    if (fresh || id.empty()) return;
    bad_.Add(entry.line(), entry.column(0),
             absl::StrCat("`", id, "` must not occur again: it is in line ", first->second));
  }

 private:
  BadRows& bad_;
  std::map<std::string, int> lines_;
};

// An enum value of a message by its short name, 0 if there is none.
template <typename Enum>
Enum EnumOf(const google::protobuf::EnumDescriptor* type, absl::string_view prefix,
            absl::string_view text) {
  const auto* value = type->FindValueByName(absl::StrCat(prefix, absl::AsciiStrToUpper(text)));
  return value == nullptr ? Enum() : static_cast<Enum>(value->number());
}

evidence::v1::Code CodeOf(const Entry& entry) {
  evidence::v1::Code code;
  code.set_id(std::string(entry.text(0)));
  code.set_title(OneLine(entry.text(1)));
  code.set_kind(
      EnumOf<evidence::v1::Kind>(evidence::v1::Kind_descriptor(), "KIND_", entry.text(2)));
  code.set_value_type(EnumOf<evidence::v1::ValueType>(evidence::v1::ValueType_descriptor(),
                                                      "VALUE_TYPE_", entry.text(3)));
  code.set_unit(std::string(entry.text(4)));
  code.set_minimum(std::string(entry.text(5)));
  code.set_maximum(std::string(entry.text(6)));
  if (!entry.text(7).empty()) {
    for (const absl::string_view level : absl::StrSplit(entry.text(7), '|')) {
      code.add_levels(std::string(absl::StripAsciiWhitespace(level)));
    }
  }
  return code;
}

// Moves entries from `whole` into requests, as many as fit each.
class Splitter {
 public:
  explicit Splitter(absl::string_view reason) : reason_(reason) {}

  // Where the next entry of `bytes` bytes goes.
  RegisterRequest& RoomFor(size_t bytes) {
    const size_t with_length = bytes + 8;
    if (requests_.empty() || count_ == kEntriesMost || bytes_ + with_length > kBytesMost) {
      requests_.emplace_back().set_reason(std::string(reason_));
      count_ = bytes_ = 0;
    }
    ++count_;
    bytes_ += with_length;
    return requests_.back();
  }

  std::vector<RegisterRequest> Take() {
    for (RegisterRequest& request : requests_) {
      const auto content = wire::CanonicalBytes(request);
      assert(content.ok());
      request.set_request_id(UuidOf(absl::StrCat("starctl register 1\n", *content)));
    }
    return std::move(requests_);
  }

 private:
  const absl::string_view reason_;
  std::vector<RegisterRequest> requests_;
  size_t count_ = 0;  // Of the last one.
  size_t bytes_ = 0;
};

// Periods and codes are never in a wide file.
constexpr WideFields kNoWideForm = {0, std::nullopt, std::nullopt, std::nullopt, std::nullopt};

}  // namespace

const Fields& OrganisationFields() {
  static const Fields* const fields =
      new Fields{{"id", "name", "kind", "region", "from", "to"}, {0, 1, 2}};
  return *fields;
}

const Fields& PeriodFields() {
  static const Fields* const fields = new Fields{{"id", "from", "to", "title"}, {0, 1, 2}};
  return *fields;
}

const Fields& CodeFields() {
  static const Fields* const fields = new Fields{
      {"id", "title", "kind", "value_type", "unit", "minimum", "maximum", "levels"}, {0, 1, 2, 3}};
  return *fields;
}

RegisterRequest ReadOrganisationRows(const Input& input, BadRows& bad) {
  constexpr WideFields kPlaces = {0, 1, std::nullopt, std::nullopt, std::nullopt};
  RegisterRequest request;
  Ids ids(bad);
  ForEachEntry(input, OrganisationFields(), kPlaces, bad, [&](const Entry& entry) {
    auto& organisation = *request.add_organisations();
    organisation.set_id(std::string(entry.text(0)));
    organisation.set_name(OneLine(entry.text(1)));
    organisation.set_kind(std::string(entry.text(2)));
    organisation.set_region(OneLine(entry.text(3)));
    organisation.set_from(std::string(entry.text(4)));
    organisation.set_to(std::string(entry.text(5)));
    ids.Add(entry, organisation.id());
    status::FieldErrors errors;
    wire::OrganisationFromProto(organisation, "", errors);
    Note(entry, OrganisationFields(), errors, bad);
  });
  return request;
}

RegisterRequest ReadPeriodRows(const Input& input, BadRows& bad) {
  RegisterRequest request;
  Ids ids(bad);
  ForEachEntry(input, PeriodFields(), kNoWideForm, bad, [&](const Entry& entry) {
    auto& period = *request.add_periods();
    period.set_id(std::string(entry.text(0)));
    period.set_from(std::string(entry.text(1)));
    period.set_to(std::string(entry.text(2)));
    period.set_title(OneLine(entry.text(3)));
    ids.Add(entry, period.id());
    status::FieldErrors errors;
    wire::PeriodFromProto(period, "", errors);
    Note(entry, PeriodFields(), errors, bad);
  });
  return request;
}

RegisterRequest ReadCodeRows(const Input& input, BadRows& bad) {
  RegisterRequest request;
  Ids ids(bad);
  ForEachEntry(input, CodeFields(), kNoWideForm, bad, [&](const Entry& entry) {
    auto& code = *request.add_codes();
    code = CodeOf(entry);
    ids.Add(entry, code.id());
    status::FieldErrors errors;
    wire::CodeFromProto(code, "", errors);
    Note(entry, CodeFields(), errors, bad);
  });
  return request;
}

std::vector<RegisterRequest> SplitRegister(const RegisterRequest& whole, absl::string_view reason) {
  Splitter splitter(reason);
  for (const auto& organisation : whole.organisations()) {
    *splitter.RoomFor(organisation.ByteSizeLong()).add_organisations() = organisation;
  }
  for (const auto& period : whole.periods()) {
    *splitter.RoomFor(period.ByteSizeLong()).add_periods() = period;
  }
  for (const auto& code : whole.codes()) {
    *splitter.RoomFor(code.ByteSizeLong()).add_codes() = code;
  }
  return splitter.Take();
}

}  // namespace starratings::starctl
