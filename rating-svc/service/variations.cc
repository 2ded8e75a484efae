#include "rating-svc/service/variations.h"

#include <memory>
#include <set>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using analysis::ThresholdFault;

// Nothing is written under it: a validation leaves no trace.
constexpr char kRequestId[] = "5f1d0c1a-7a31-4d0e-9d0a-5c7a1f6b2e10";
constexpr char kSource[] = "what-if";

// As a scheme's own numbers are limited.
constexpr int64_t kNumeratorMost = 1'000'000'000'000;
constexpr int64_t kDenominatorMost = 1'000'000'000;

std::optional<scheme::Fraction> NumberOf(const scheme::v1::Threshold& message) {
  if (message.has_decimal()) {
    const auto decimal = evidence::Decimal::Parse(message.decimal());
    if (!decimal.ok()) return std::nullopt;
    scheme::Fraction number{decimal->micros(), evidence::Decimal::kMicros};
    for (const int64_t factor : {2, 5}) {
      while (number.denominator % factor == 0 && number.numerator % factor == 0) {
        number.numerator /= factor;
        number.denominator /= factor;
      }
    }
    return number;
  }
  const scheme::v1::Fraction& fraction = message.fraction();
  if (fraction.denominator() < 1 || fraction.denominator() > kDenominatorMost ||
      fraction.numerator() < -kNumeratorMost || fraction.numerator() > kNumeratorMost) {
    return std::nullopt;
  }
  return scheme::Fraction{fraction.numerator(), fraction.denominator()};
}

// Which of the items a fault of the record's is about; -1 if none.
int ItemOf(absl::string_view field) {
  if (!absl::ConsumePrefix(&field, "items[")) return -1;
  int index = -1;
  if (!absl::SimpleAtoi(field.substr(0, field.find(']')), &index)) return -1;
  return index;
}

}  // namespace

void Variations::Refuse(int index, rating::v1::VariationRefusal refusal, std::string message) {
  refused_[index] = {refusal, std::move(message)};
}

void Variations::SetThreshold(int index, const rating::v1::ThresholdVariation& threshold,
                              scheme::Scheme& scheme) {
  analysis::Threshold to{threshold.rule_id(), threshold.condition(), std::string()};
  if (threshold.has_number()) {
    const std::optional<scheme::Fraction> number = NumberOf(threshold.number());
    if (!number) {
      Refuse(index, rating::v1::VARIATION_REFUSAL_THRESHOLD_TYPE,
             "the number must be a decimal, or a fraction with a denominator of 1 to 10^9");
      return;
    }
    to.to = *number;
  } else {
    to.to = threshold.level();
  }
  switch (analysis::SetThreshold(scheme, to)) {
    case ThresholdFault::kNone:
      scheme_varies_ = true;
      return;
    case ThresholdFault::kRuleUnknown:
      return Refuse(index, rating::v1::VARIATION_REFUSAL_RULE_UNKNOWN,
                    "no rule of the scheme that has conditions or cuts has this id");
    case ThresholdFault::kConditionUnknown:
      return Refuse(index, rating::v1::VARIATION_REFUSAL_CONDITION_UNKNOWN,
                    "the rule has no condition, or cut, of this index");
    case ThresholdFault::kType:
      return Refuse(index, rating::v1::VARIATION_REFUSAL_THRESHOLD_TYPE,
                    "must be a number where a number is compared, and otherwise a level of the "
                    "scale");
    case ThresholdFault::kOrder:
      return Refuse(index, rating::v1::VARIATION_REFUSAL_THRESHOLD_ORDER,
                    "the cuts of the band would not ascend");
  }
}

void Variations::ReadItem(int index, const std::string& organisation, const std::string& period) {
  const rating::v1::Variation& variation = requested_.Get(index);
  const rating::v1::ItemVariation& item = variation.item();
  if (!analysis::IsRead(*scheme_, item.code())) {
    return Refuse(index, rating::v1::VARIATION_REFUSAL_CODE_NOT_READ,
                  "the scheme does not read this code");
  }
  Candidate candidate{index, variation.organisation(), item.code(), item.instance(), {}, {}};
  evidence::v1::EvidenceItem& asked = candidate.asked;
  asked.set_organisation(variation.organisation().empty() ? organisation
                                                          : variation.organisation());
  asked.set_period(analysis::PeriodOf(*scheme_, item.code(), period));
  asked.set_code(item.code());
  asked.set_instance(item.instance());
  asked.set_observed_on(item.observed_on());
  asked.set_source_id(kSource);
  if (item.has_text()) {
    const std::optional<evidence::Value> value =
        analysis::ValueOf(*scheme_, item.code(), item.text());
    if (!value) {
      return Refuse(index, rating::v1::VARIATION_REFUSAL_EVIDENCE,
                    "the text is no value of the code as the scheme reads it");
    }
    wire::Write(*value, *asked.mutable_value());
  } else {
    *asked.mutable_value() = item.value();
  }
  // What is well-formed by itself, as the record has it.
  status::FieldErrors errors;
  wire::SourcesById sources;
  sources[kSource] = std::make_shared<const evidence::Source>();
  const evidence::Item read = wire::ItemFromProto(asked, sources, "", errors);
  if (!errors.empty()) {
    return Refuse(index, rating::v1::VARIATION_REFUSAL_EVIDENCE,
                  std::string(errors.ToStatus().message()));
  }
  candidate.item = {read.key.code, read.key.instance, read.value, read.observed_on};
  candidates_.push_back(std::move(candidate));
}

// Whether the record takes no value of the code without a word on who decided it.
bool Variations::LacksOverride(const std::string& field, const Candidate& candidate) {
  return absl::EndsWith(field, ".item.override") && !candidate.asked.has_override();
}

// Makes it one that holds whatever day the rating is of.
void Variations::Override(Candidate& candidate) {
  const evidence::Override what_if = {"What if", *evidence::Date::Parse("2999-12-31")};
  candidate.item.overriding = what_if;
  candidate.asked.mutable_override()->set_authority(what_if.authority);
  candidate.asked.mutable_override()->set_expires_on(what_if.expires_on.ToString());
}

// Has the record validate the items as one batch, again without those that it
// refuses, until it takes the rest: its answer is that of a write.
absl::Status Variations::AskRecord(const EvidenceClient& client, std::vector<Candidate> candidates,
                                   absl::Time deadline) {
  while (!candidates.empty()) {
    assessment::v1::SubmitEvidenceRequest request;
    request.set_request_id(kRequestId);
    request.set_reason("what if");
    request.set_validate_only(true);
    evidence::v1::Source& source = *request.add_sources();
    source.set_id(kSource);
    source.set_title("What if");
    for (const Candidate& candidate : candidates) {
      *request.add_items()->mutable_item() = candidate.asked;
    }
    const absl::Status answer = client.ValidateEvidence(request, deadline);
    if (answer.ok()) break;
    std::set<int> at_fault;
    std::set<int> overridden;
    for (const status::FieldViolation& fault : status::DetailOf(answer).fields) {
      const int item = ItemOf(fault.field);
      if (item < 0 || static_cast<size_t>(item) >= candidates.size()) continue;
      if (LacksOverride(fault.field, candidates[static_cast<size_t>(item)])) {
        overridden.insert(item);
        continue;
      }
      if (!at_fault.insert(item).second) continue;
      Refuse(candidates[static_cast<size_t>(item)].index, rating::v1::VARIATION_REFUSAL_EVIDENCE,
             absl::StrCat(fault.field.substr(fault.field.find('.') + 1), ": ", fault.rule));
    }
    if (at_fault.empty() && overridden.empty()) return answer;
    for (const int item : overridden) Override(candidates[static_cast<size_t>(item)]);
    std::vector<Candidate> rest;
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (at_fault.count(static_cast<int>(i)) == 0) rest.push_back(std::move(candidates[i]));
    }
    candidates = std::move(rest);
  }
  for (Candidate& candidate : candidates) {
    (candidate.organisation.empty() ? for_all_ : for_one_[candidate.organisation])
        .push_back(std::move(candidate.item));
  }
  return absl::OkStatus();
}

absl::Status Variations::Prepare(const EvidenceClient& client, const SchemePtr& scheme,
                                 const std::string& organisation, const std::string& period,
                                 absl::Time deadline) {
  auto varied = std::make_shared<scheme::Scheme>(*scheme);
  scheme_ = scheme;
  std::set<std::tuple<std::string, std::string, std::string>> items;
  std::set<std::pair<std::string, int>> thresholds;
  for (int i = 0; i < requested_.size(); ++i) {
    const rating::v1::Variation& variation = requested_.Get(i);
    if (!variation.organisation().empty()) seen_[variation.organisation()] = false;
    bool first = true;
    if (variation.has_threshold()) {
      first = thresholds.emplace(variation.threshold().rule_id(), variation.threshold().condition())
                  .second;
    } else {
      first = items
                  .emplace(variation.organisation(), variation.item().code(),
                           variation.item().instance())
                  .second;
    }
    if (!first) {
      Refuse(i, rating::v1::VARIATION_REFUSAL_REPEATED, "an earlier variation is of the same");
    } else if (variation.has_threshold()) {
      SetThreshold(i, variation.threshold(), *varied);
    } else {
      ReadItem(i, organisation, period);
    }
  }
  // What is for all and what is for one may be of the same key: two batches.
  std::vector<Candidate> for_all;
  std::vector<Candidate> for_one;
  for (Candidate& candidate : candidates_) {
    (candidate.organisation.empty() ? for_all : for_one).push_back(std::move(candidate));
  }
  RETURN_IF_ERROR(AskRecord(client, std::move(for_all), deadline));
  RETURN_IF_ERROR(AskRecord(client, std::move(for_one), deadline));
  scheme_ = std::move(varied);
  return absl::OkStatus();
}

evidence::Dossier Variations::Over(const evidence::Dossier& dossier) {
  std::vector<analysis::OverlaidItem> items = for_all_;
  const auto seen = seen_.find(dossier.organisation.id);
  if (seen != seen_.end()) seen->second = true;
  const auto own = for_one_.find(dossier.organisation.id);
  if (own != for_one_.end()) items.insert(items.end(), own->second.begin(), own->second.end());
  return analysis::Overlay(*scheme_, dossier, items);
}

void Variations::Write(
    google::protobuf::RepeatedPtrField<rating::v1::VariationOutcome>& outcomes) const {
  for (int i = 0; i < requested_.size(); ++i) {
    rating::v1::VariationOutcome& outcome = *outcomes.Add();
    const auto refused = refused_.find(i);
    const auto seen = seen_.find(requested_.Get(i).organisation());
    if (refused != refused_.end()) {
      outcome.set_refusal(refused->second.refusal);
      outcome.set_message(refused->second.message);
    } else if (seen != seen_.end() && !seen->second) {
      outcome.set_refusal(rating::v1::VARIATION_REFUSAL_ORGANISATION_NOT_RATED);
      outcome.set_message("the organisation is not among those that are rated");
    } else {
      outcome.set_applied(true);
    }
  }
}

}  // namespace starratings::service
