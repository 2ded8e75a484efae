// Inputs.
#include "absl/strings/str_cat.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {

void Resolver::Inputs() {
  for (int i = 0; i < message_.input_size(); ++i) {
    const scheme::v1::Input& message = message_.input(i);
    const Place at = place_.In("input", i);
    scheme::Input input;
    scheme::ValueInfo info;
    input.code = message.code();
    input.standing = message.standing();
    info.title = message.title();
    Prose(message.title(), 0, "title", message.code(), at);
    InputType(message, at, input, info);
    Gaps(message, at, input, info);
    if (message.fold() < 0 || message.fold() > scheme::v1::FOLD_BEST) {
      Fail("NUMBER_INVALID", message.code(), at.In("fold"), "must be FOLD_WORST or FOLD_BEST");
    }
    input.fold = static_cast<scheme::Fold>(message.fold());
    input.basis = Ground(message.basis(), message.citation_size(), message.code(), at);
    input.citations = Cite(message.citation(), message.code(), at);
    Declare(message.code(), "code", at, info);
    draft_.scheme.inputs.push_back(std::move(input));
    draft_.input_lines.push_back(at.line());
  }
}

void Resolver::InputType(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
                         scheme::ValueInfo& info) {
  switch (message.type_case()) {
    case scheme::v1::Input::kScale:
      input.type = scheme::InputType::kLevel;
      info.scale = ScaleNamed(message.scale(), message.code(), at.In("scale"));
      break;
    case scheme::v1::Input::kRatio:
      input.type = scheme::InputType::kRatio;
      info.share = true;
      info.unit = message.ratio().unit();
      info.lower_is_better = message.ratio().lower_is_better();
      Prose(info.unit, 0, "unit", message.code(), at.In("ratio"));
      break;
    case scheme::v1::Input::kDecimal:
      input.type = scheme::InputType::kDecimal;
      info.unit = message.decimal().unit();
      info.lower_is_better = message.decimal().lower_is_better();
      Prose(info.unit, 0, "unit", message.code(), at.In("decimal"));
      break;
    case scheme::v1::Input::kAttribute:
    case scheme::v1::Input::kPublished:
      Elsewhere(message, at, input, info);
      break;
    case scheme::v1::Input::TYPE_NOT_SET:
      Fail("FIELD_MISSING", message.code(), at,
           "an input must have `scale`, `ratio`, `decimal`, `attribute` or `published`");
      break;
  }
}

// What is not read in the evidence.
void Resolver::Elsewhere(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
                         scheme::ValueInfo& info) {
  const std::string& code = message.code();
  input.type = scheme::InputType::kLevel;
  if (message.has_attribute()) {
    const Place place = at.In("attribute");
    input.from = scheme::InputFrom::kAttribute;
    if (message.attribute().of() < 1 || message.attribute().of() > scheme::v1::ATTRIBUTE_REGION) {
      Fail("FIELD_MISSING", code, place.In("of"),
           "must say `of`: ATTRIBUTE_KIND or ATTRIBUTE_REGION");
    } else {
      input.attribute = static_cast<scheme::Attribute>(message.attribute().of());
    }
    info.scale = ScaleNamed(message.attribute().scale(), code, place.In("scale"));
  } else {
    const Place place = at.In("published");
    input.from = scheme::InputFrom::kPublished;
    input.published_scheme = message.published().scheme();
    input.published_result = message.published().result();
    Prose(input.published_scheme, 1, "scheme", code, place);
    Prose(input.published_result, 1, "result", code, place);
    info.scale = ScaleNamed(message.published().scale(), code, place.In("scale"));
  }
  if (message.has_exempt() || message.has_stale() || message.fold() != 0 || message.standing()) {
    Fail("TYPE_MISMATCH", code, at,
         "`exempt`, `stale`, `fold` and `standing` are for inputs that read evidence");
  }
}

void Resolver::Gaps(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
                    const scheme::ValueInfo& info) {
  const std::string& code = message.code();
  if (message.on_missing() < 1 || message.on_missing() > scheme::v1::ON_MISSING_ASSUME) {
    Fail("FIELD_MISSING", code, at.In("on_missing"),
         "must say `on_missing`: ON_MISSING_REFUSE, ON_MISSING_ABSENT or ON_MISSING_ASSUME");
  } else {
    input.on_missing = static_cast<scheme::OnMissing>(message.on_missing());
  }
  const bool assumes = input.on_missing == scheme::OnMissing::kAssume;
  const bool number = message.has_ratio() || message.has_decimal();
  if (assumes && number) {
    Fail("TYPE_MISMATCH", code, at.In("on_missing"), "only a level can be assumed");
  } else if (assumes && info.scale >= 0) {
    input.assume = LevelNamed(info.scale, message.assume(), code, at.In("assume"));
  } else if (!assumes && !message.assume().empty()) {
    Fail("TYPE_MISMATCH", code, at.In("assume"),
         "`assume` stands only where on_missing is ON_MISSING_ASSUME");
  }
  if (message.has_exempt()) {
    const Place place = at.In("exempt");
    const int64_t below = message.exempt().when_denominator_below();
    if (!message.has_ratio()) {
      Fail("TYPE_MISMATCH", code, place, "only a ratio can be exempt");
    } else if (below < 1 || below > kDenominatorMost) {
      Fail("NUMBER_INVALID", code, place.In("when_denominator_below"), "must be 1 to 10^9");
    }
    input.exempt_below = below;
    Ground(message.exempt().basis(), message.exempt().citation_size(), code, place);
    Cite(message.exempt().citation(), code, place);
  }
  if (message.has_stale()) {
    const Place place = at.In("stale");
    if (message.stale().after_days() < 1) {
      Fail("NUMBER_INVALID", code, place.In("after_days"), "must be 1 or more");
    }
    input.stale_after_days = message.stale().after_days();
    Ground(message.stale().basis(), message.stale().citation_size(), code, place);
    Cite(message.stale().citation(), code, place);
  }
}

}  // namespace starratings::verify
