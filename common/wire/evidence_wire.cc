#include "common/wire/evidence_wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest/canonical.h"
#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"

namespace starratings::wire {
namespace {

using digest::CanonicalWriter;
using digest::Presence;
using evidence::Decimal;
using evidence::Level;
using evidence::MissingReason;
using evidence::Ratio;
using evidence::Text;
using status::FieldErrors;

constexpr size_t kTextValueMost = 4'000;
constexpr size_t kTitleMost = 500;
constexpr size_t kUriMost = 2'000;
constexpr size_t kAuthorityMost = 500;

std::string Field(absl::string_view path, absl::string_view name) {
  return absl::StrCat(path, name);
}

evidence::Value RatioFromProto(const evidence::v1::Ratio& ratio, absl::string_view path,
                               FieldErrors& errors) {
  if (ratio.numerator() < 0 || ratio.numerator() > Ratio::kMost) {
    errors.Add(Field(path, "ratio.numerator"), "must be 0 to 10^12");
  }
  if (ratio.denominator() < 1 || ratio.denominator() > Ratio::kMost) {
    errors.Add(Field(path, "ratio.denominator"), "must be 1 to 10^12");
  }
  return Ratio{ratio.numerator(), ratio.denominator()};
}

evidence::Value MissingFromProto(evidence::v1::MissingReason reason, absl::string_view path,
                                 FieldErrors& errors) {
  if (reason < evidence::v1::MISSING_REASON_NOT_REPORTED ||
      reason > evidence::v1::MISSING_REASON_NOT_APPLICABLE) {
    errors.Add(Field(path, "missing"),
               "must be NOT_REPORTED, UNRELIABLE, SUPPRESSED, WITHDRAWN or NOT_APPLICABLE");
    return MissingReason::kNotReported;
  }
  return static_cast<MissingReason>(reason);
}

// Writes the value's canonical form: the alternative that is set is always
// there.
void WriteValue(const evidence::Value& value, CanonicalWriter& form) {
  struct Writer {
    CanonicalWriter& form;
    void operator()(const Decimal& v) { form.String(1, v.ToString(), Presence::kExplicit); }
    void operator()(const Ratio& v) {
      form.Message(2, [&v](CanonicalWriter& ratio) {
        ratio.Number(1, v.numerator);
        ratio.Number(2, v.denominator);
      });
    }
    void operator()(const Level& v) { form.String(3, v.name, Presence::kExplicit); }
    void operator()(bool v) { form.Bool(4, v, Presence::kExplicit); }
    void operator()(const Text& v) { form.String(5, v.text, Presence::kExplicit); }
    void operator()(MissingReason v) {
      form.Number(6, static_cast<int64_t>(v), Presence::kExplicit);
    }
  };
  std::visit(Writer{form}, value);
}

// An error of ours, not of a caller: what came from our own service is broken.
absl::Status Broken(const FieldErrors& errors) {
  return absl::InternalError(
      absl::StrCat("evidence from the record is not well-formed: ", errors.ToStatus().message()));
}

void ReadOverride(const evidence::v1::Override& message, absl::string_view path,
                  FieldErrors& errors, evidence::Item& item) {
  errors.AddIfError(path, "override.authority",
                    evidence::CheckText(message.authority(), 1, kAuthorityMost));
  const auto day = evidence::Date::Parse(message.expires_on());
  errors.AddIfError(path, "override.expires_on", day.status());
  item.overriding = {message.authority(), day.value_or(evidence::Date())};
}

void ReadItem(const evidence::v1::EvidenceItem& message, const std::string& organisation,
              const std::string& period, const SourcesById& sources, absl::string_view path,
              FieldErrors& errors, evidence::Item& item) {
  const size_t faults_before = errors.count();
  errors.AddIfError(path, "organisation", evidence::CheckOrganisationId(organisation));
  errors.AddIfError(path, "period", evidence::CheckSlug(period));
  errors.AddIfError(path, "code", evidence::CheckCode(message.code()));
  errors.AddIfError(path, "instance", evidence::CheckInstance(message.instance()));
  item.key = {organisation, period, message.code(), message.instance()};
  item.value = ValueFromProto(message.value(), Field(path, "value."), errors);
  if (!message.observed_on().empty()) {
    const auto day = evidence::Date::Parse(message.observed_on());
    errors.AddIfError(path, "observed_on", day.status());
    if (day.ok()) item.observed_on = *day;
  }
  if (message.has_override()) ReadOverride(message.override(), path, errors, item);
  const auto source = sources.find(message.source_id());
  if (source == sources.end()) {
    errors.Add(Field(path, "source_id"), "must be the id of one of the sources");
  } else {
    item.source = source->second;
  }
  if (errors.count() == faults_before) item.digest = ItemDigest(item);
}

absl::Status ReadRecorded(const evidence::v1::RecordedItem& message,
                          const std::string& organisation, const std::string& period,
                          const SourcesById& sources, evidence::RecordedItem& recorded) {
  FieldErrors errors;
  ReadItem(message.item(), organisation, period, sources, "item.", errors, recorded.item);
  if (!errors.empty()) return Broken(errors);
  if (!digest::IsHexOf(message.digest(), recorded.item.digest)) {
    return absl::InternalError(absl::StrCat("an item is not what its digest says: ", organisation,
                                            " ", message.item().code()));
  }
  recorded.revision = message.revision();
  // An etag is `ordinal.revision`; only the ordinal is not known otherwise.
  recorded.ordinal = std::strtoll(message.etag().c_str(), nullptr, 10);
  recorded.actor = message.actor();
  recorded.recorded_at_us =
      message.recorded_at().seconds() * 1'000'000 + message.recorded_at().nanos() / 1'000;
  recorded.reason = message.reason();
  return absl::OkStatus();
}

}  // namespace

evidence::Value ValueFromProto(const evidence::v1::Value& message, absl::string_view path,
                               FieldErrors& errors) {
  using Case = evidence::v1::Value::ValueCase;
  switch (message.value_case()) {
    case Case::kDecimal: {
      const auto decimal = Decimal::Parse(message.decimal());
      errors.AddIfError(path, "decimal", decimal.status());
      return decimal.ok() ? *decimal : Decimal();
    }
    case Case::kRatio:
      return RatioFromProto(message.ratio(), path, errors);
    case Case::kLevel:
      errors.AddIfError(path, "level", evidence::CheckLevel(message.level()));
      return Level{message.level()};
    case Case::kFlag:
      return message.flag();
    case Case::kText:
      errors.AddIfError(path, "text", evidence::CheckLongText(message.text(), 1, kTextValueMost));
      return Text{message.text()};
    case Case::kMissing:
      return MissingFromProto(message.missing(), path, errors);
    case Case::VALUE_NOT_SET:
      break;
  }
  errors.Add(path.substr(0, path.size() - (path.empty() ? 0 : 1)),
             "must say a value, or why it is missing");
  return MissingReason::kNotReported;
}

void Write(const evidence::Value& value, evidence::v1::Value& message) {
  struct Writer {
    evidence::v1::Value& message;
    void operator()(const Decimal& v) { message.set_decimal(v.ToString()); }
    void operator()(const Ratio& v) {
      message.mutable_ratio()->set_numerator(v.numerator);
      message.mutable_ratio()->set_denominator(v.denominator);
    }
    void operator()(const Level& v) { message.set_level(v.name); }
    void operator()(bool v) { message.set_flag(v); }
    void operator()(const Text& v) { message.set_text(v.text); }
    void operator()(MissingReason v) {
      message.set_missing(static_cast<evidence::v1::MissingReason>(v));
    }
  };
  std::visit(Writer{message}, value);
}

SourcesById SourcesFromProto(
    const google::protobuf::RepeatedPtrField<evidence::v1::Source>& messages,
    absl::string_view path, FieldErrors& errors) {
  SourcesById sources;
  for (int i = 0; i < messages.size(); ++i) {
    const evidence::v1::Source& message = messages[i];
    const std::string at = absl::StrCat(path, "[", i, "].");
    errors.AddIfError(at + "id", evidence::CheckText(message.id(), 1, 64));
    errors.AddIfError(at + "title", evidence::CheckText(message.title(), 1, kTitleMost));
    errors.AddIfError(at + "uri", evidence::CheckText(message.uri(), 0, kUriMost));
    if (!message.sha256().empty()) {
      errors.AddIfError(at + "sha256", evidence::CheckSha256(message.sha256()));
    }
    evidence::Source source{message.title(), message.uri(), message.sha256(),
                            message.reconstructed()};
    const bool fresh =
        sources.emplace(message.id(), std::make_shared<const evidence::Source>(std::move(source)))
            .second;
    if (!fresh) errors.Add(at + "id", "must not occur twice");
  }
  return sources;
}

evidence::Item ItemFromProto(const evidence::v1::EvidenceItem& message, const SourcesById& sources,
                             absl::string_view path, FieldErrors& errors) {
  evidence::Item item;
  ReadItem(message, message.organisation(), message.period(), sources, path, errors, item);
  return item;
}

std::array<uint8_t, 32> ItemDigest(const evidence::Item& item) {
  CanonicalWriter form;
  form.String(1, item.key.organisation);
  form.String(2, item.key.period);
  form.String(3, item.key.code);
  form.String(4, item.key.instance);
  form.Message(5, [&item](CanonicalWriter& value) { WriteValue(item.value, value); });
  if (item.observed_on) form.String(6, item.observed_on->ToString());
  form.Message(7, [&item](CanonicalWriter& source) {
    source.String(2, item.source->title);
    source.String(3, item.source->uri);
    source.String(4, item.source->sha256);
    source.Bool(5, item.source->reconstructed);
  });
  if (item.overriding) {
    form.Message(8, [&item](CanonicalWriter& overriding) {
      overriding.String(1, item.overriding->authority);
      overriding.String(2, item.overriding->expires_on.ToString());
    });
  }
  return digest::Sha256(form.bytes());
}

absl::Status Read(const evidence::v1::RecordedItem& message, const SourcesById& sources,
                  evidence::RecordedItem& recorded) {
  return ReadRecorded(message, message.item().organisation(), message.item().period(), sources,
                      recorded);
}

absl::StatusOr<evidence::Dossier> DossierFromProto(const evidence::v1::Dossier& message,
                                                   const SourcesById& sources) {
  FieldErrors errors;
  evidence::Dossier dossier;
  dossier.organisation = OrganisationFromProto(message.organisation(), "organisation.", errors);
  if (!errors.empty()) return Broken(errors);
  dossier.period = message.period();
  dossier.items.reserve(static_cast<size_t>(message.items_size()));
  for (const evidence::v1::RecordedItem& item : message.items()) {
    const evidence::v1::EvidenceItem& said = item.item();
    RETURN_IF_ERROR(ReadRecorded(
        item, said.organisation().empty() ? dossier.organisation.id : said.organisation(),
        said.period().empty() ? dossier.period : said.period(), sources,
        dossier.items.emplace_back()));
  }
  return dossier;
}

const std::string& SourceWriter::IdOf(const std::shared_ptr<const evidence::Source>& source) {
  const auto [entry, fresh] = ids_.try_emplace(source.get());
  if (fresh) {
    entry->second = absl::StrCat("s", ids_.size());
    kept_.push_back(source);
    evidence::v1::Source& message = *sources_.Add();
    message = ToProto(*source);
    message.set_id(entry->second);
  }
  return entry->second;
}

void SourceWriter::WriteSaid(const evidence::RecordedItem& item,
                             evidence::v1::RecordedItem& message) {
  evidence::v1::EvidenceItem& inner = *message.mutable_item();
  inner.set_code(item.item.key.code);
  inner.set_instance(item.item.key.instance);
  wire::Write(item.item.value, *inner.mutable_value());
  if (item.item.observed_on) inner.set_observed_on(item.item.observed_on->ToString());
  inner.set_source_id(IdOf(item.item.source));
  if (const auto& overriding = item.item.overriding) {
    inner.mutable_override()->set_authority(overriding->authority);
    inner.mutable_override()->set_expires_on(overriding->expires_on.ToString());
  }
  message.set_revision(item.revision);
  message.set_digest(digest::ToHex(item.item.digest));
}

void SourceWriter::Write(const evidence::RecordedItem& item, evidence::v1::RecordedItem& message) {
  WriteSaid(item, message);
  message.mutable_item()->set_organisation(item.item.key.organisation);
  message.mutable_item()->set_period(item.item.key.period);
  message.set_etag(item.Etag());
  message.set_actor(item.actor);
  message.mutable_recorded_at()->set_seconds(item.recorded_at_us / 1'000'000);
  message.mutable_recorded_at()->set_nanos(
      static_cast<int32_t>(item.recorded_at_us % 1'000'000 * 1'000));
  message.set_reason(item.reason);
}

void SourceWriter::Write(const evidence::Dossier& dossier, evidence::v1::Dossier& message) {
  *message.mutable_organisation() = ToProto(dossier.organisation);
  message.set_period(dossier.period);
  for (const evidence::RecordedItem& item : dossier.items) Write(item, *message.add_items());
}

void SourceWriter::WriteValues(const evidence::Dossier& dossier, evidence::v1::Dossier& message) {
  *message.mutable_organisation() = ToProto(dossier.organisation);
  message.set_period(dossier.period);
  for (const evidence::RecordedItem& item : dossier.items) {
    evidence::v1::RecordedItem& out = *message.add_items();
    WriteSaid(item, out);
    if (item.item.key.period != dossier.period)
      out.mutable_item()->set_period(item.item.key.period);
  }
}

evidence::v1::Source ToProto(const evidence::Source& source) {
  evidence::v1::Source message;
  message.set_title(source.title);
  message.set_uri(source.uri);
  message.set_sha256(source.sha256);
  message.set_reconstructed(source.reconstructed);
  return message;
}

}  // namespace starratings::wire
