// What all parts of a scheme share: names, grounds, citations, references.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/evidence/decimal.h"
#include "common/evidence/text.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

constexpr size_t kProseMost = 4'000;

bool IsRuleId(absl::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  });
}

// The first `{...}` in `text` that is none of `places`; empty if there is none.
std::string UnknownPlace(absl::string_view text, std::initializer_list<absl::string_view> places) {
  for (size_t open = text.find('{'); open != absl::string_view::npos;
       open = text.find('{', open + 1)) {
    const size_t close = text.find('}', open);
    if (close == absl::string_view::npos) return std::string(text.substr(open));
    const absl::string_view place = text.substr(open + 1, close - open - 1);
    if (std::find(places.begin(), places.end(), place) == places.end()) {
      return std::string(text.substr(open, close - open + 1));
    }
  }
  return "";
}

}  // namespace

void Resolver::RuleId(const std::string& id, const Place& at) {
  if (!IsRuleId(id)) {
    Fail("NAME_MALFORMED", id, at.In("id"),
         "a rule's id must be given, 1 to 64 of A-Z a-z 0-9 _ . -");
  } else if (!rules_.insert(id).second) {
    Fail("NAME_TAKEN", id, at.In("id"), absl::StrCat("another rule has the id `", id, "`"));
  }
}

int Resolver::Declare(const std::string& name, const char* field, const Place& at,
                      scheme::ValueInfo info) {
  if (!evidence::CheckCode(name).ok()) {
    Fail("NAME_MALFORMED", name, at.In(field),
         absl::StrCat("`", field, "` must be given, 1 to 64 of a-z 0-9 _ ."));
  } else if (!values_.emplace(name, static_cast<int>(draft_.scheme.values.size())).second) {
    Fail(
        "NAME_TAKEN", name, at.In(field),
        absl::StrCat("another input or stage already writes `", name, "`; a value has one writer"));
  }
  info.name = name;
  if (info.title.empty()) info.title = name;
  draft_.scheme.values.push_back(std::move(info));
  return static_cast<int>(draft_.scheme.values.size()) - 1;
}

scheme::Basis Resolver::Ground(int basis, int citations, const std::string& rule, const Place& at) {
  if (basis < 1 || basis > 3) {
    Fail("BASIS_MISSING", rule, at.In("basis"),
         "must say `basis`: BASIS_DOCUMENTED, BASIS_FORCED or BASIS_ASSUMED");
    return scheme::Basis::kAssumed;
  }
  const auto ground = static_cast<scheme::Basis>(basis);
  if (ground == scheme::Basis::kDocumented && citations == 0) {
    Fail("CITATION_MISSING", rule, at.In("basis"),
         "what is DOCUMENTED must cite the publication that says it");
  }
  return ground;
}

std::vector<scheme::Citation> Resolver::Cite(
    const google::protobuf::RepeatedPtrField<scheme::v1::Citation>& messages,
    const std::string& rule, const Place& at) {
  if (messages.size() > kCitationsMost) {
    Fail("LIMIT_EXCEEDED", rule, at,
         absl::StrCat("has ", messages.size(), " citations; at most ", kCitationsMost));
  }
  std::vector<scheme::Citation> citations;
  for (int i = 0; i < messages.size(); ++i) {
    const scheme::v1::Citation& message = messages.Get(i);
    const Place place = at.In("citation", i);
    if (publications_.count(message.source()) == 0) {
      Fail("CITATION_UNKNOWN", rule, place.In("source"),
           absl::StrCat("cites `", message.source(), "`, which is no publication of the scheme"));
    }
    Prose(message.quote(), 0, "quote", rule, place);
    citations.push_back({message.source(), message.quote()});
  }
  return citations;
}

void Resolver::Prose(const std::string& text, size_t least, const char* field,
                     const std::string& rule, const Place& at) {
  const absl::Status status = evidence::CheckLongText(text, least, kProseMost);
  if (status.ok()) return;
  Fail(text.empty() ? "FIELD_MISSING" : "NAME_MALFORMED", rule, at.In(field),
       absl::StrCat("`", field, "` ", text.empty() ? "must be given" : status.message()));
}

void Resolver::Say(const std::string& text, std::initializer_list<absl::string_view> places,
                   const std::string& rule, const Place& at) {
  Prose(text, 0, "say", rule, at);
  const std::string unknown = UnknownPlace(text, places);
  if (unknown.empty()) return;
  Fail("SAY_UNKNOWN", rule, at.In("say"),
       absl::StrCat("`", unknown, "` is nothing that a sentence of this rule can hold"));
}

int Resolver::ScaleNamed(const std::string& id, const std::string& rule, const Place& at) {
  const auto found = scales_.find(id);
  if (found != scales_.end()) return found->second;
  Fail("REFERENCE_UNKNOWN", rule, at, absl::StrCat("there is no scale `", id, "`"));
  return -1;
}

int Resolver::ValueNamed(const std::string& name, const std::string& rule, const Place& at) {
  const auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  Fail("REFERENCE_UNKNOWN", rule, at,
       absl::StrCat("there is no value `", name,
                    "`: no input has this code and no stage this "
                    "output"));
  return -1;
}

int Resolver::LevelNamed(int scale, const std::string& level, const std::string& rule,
                         const Place& at) {
  const scheme::Scale& named = draft_.scheme.scales[static_cast<size_t>(scale)];
  const auto found = std::find(named.levels.begin(), named.levels.end(), level);
  if (found != named.levels.end()) return static_cast<int>(found - named.levels.begin());
  Fail("LEVEL_UNKNOWN", rule, at,
       absl::StrCat("`", level, "` is no level of the scale `", named.id, "`"));
  return -1;
}

int Resolver::ResultNamed(const std::string& name, const std::string& rule, const Place& at) {
  for (size_t i = 0; i < draft_.scheme.results.size(); ++i) {
    if (Info(draft_.scheme.results[i].value).name == name) return static_cast<int>(i);
  }
  Fail("REFERENCE_UNKNOWN", rule, at, absl::StrCat("there is no result `", name, "`"));
  return -1;
}

scheme::Fraction Resolver::Number(const scheme::v1::Threshold& message, const std::string& rule,
                                  const Place& at) {
  scheme::Fraction number;
  if (message.has_decimal()) {
    const auto decimal = evidence::Decimal::Parse(message.decimal());
    if (!decimal.ok()) {
      Fail("THRESHOLD_INVALID", rule, at.In("decimal"), decimal.status().message());
      return number;
    }
    number = {decimal->micros(), evidence::Decimal::kMicros};
    for (const int64_t factor : {2, 5}) {
      while (number.denominator % factor == 0 && number.numerator % factor == 0) {
        number.numerator /= factor;
        number.denominator /= factor;
      }
    }
    return number;
  }
  if (!message.has_fraction()) {
    Fail("THRESHOLD_INVALID", rule, at, "must be a decimal or a fraction");
    return number;
  }
  const scheme::v1::Fraction& fraction = message.fraction();
  if (fraction.denominator() < 1 || fraction.denominator() > kDenominatorMost ||
      fraction.numerator() < -kNumeratorMost || fraction.numerator() > kNumeratorMost) {
    Fail("THRESHOLD_INVALID", rule, at.In("fraction"),
         "a fraction's denominator must be 1 to 10^9, its numerator at most 10^12");
    return number;
  }
  return {fraction.numerator(), fraction.denominator()};
}

}  // namespace starratings::verify
