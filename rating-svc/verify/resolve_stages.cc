// Sums, bands, caps and vetoes.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/evidence/decimal.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

__extension__ using Int128 = __int128;

using evidence::Decimal;

// An exact number for people: a decimal where six digits suffice.
std::string Print(const scheme::Fraction& number, int64_t times) {
  const Int128 micros = static_cast<Int128>(number.numerator) * times * Decimal::kMicros;
  const Int128 most = static_cast<Int128>(1'000'000'000'000) * Decimal::kMicros;
  if (micros % number.denominator == 0 && micros / number.denominator < most &&
      micros / number.denominator > -most) {
    return Decimal::FromMicros(static_cast<int64_t>(micros / number.denominator)).ToString();
  }
  return absl::StrCat(number.numerator, "/", number.denominator);
}

const char* Word(scheme::Comparison comparison) {
  switch (comparison) {
    case scheme::Comparison::kAbove:
      return "above ";
    case scheme::Comparison::kBelow:
      return "below ";
    case scheme::Comparison::kAtLeast:
    case scheme::Comparison::kLevelAtLeast:
      return "at least ";
    case scheme::Comparison::kAtMost:
    case scheme::Comparison::kLevelAtMost:
      return "at most ";
  }
  return "";
}

std::string PrintThreshold(const scheme::ValueInfo& info, const scheme::Fraction& threshold) {
  if (!info.share) {
    return absl::StrCat(Print(threshold, 1), info.unit.empty() ? "" : " ", info.unit);
  }
  const std::string percent = Print(threshold, 100);
  const bool exact = percent.find('/') == std::string::npos;
  return exact ? absl::StrCat(percent, " %") : percent;
}

}  // namespace

void Resolver::Sums() {
  for (int i = 0; i < message_.sum_size(); ++i) {
    const scheme::v1::Sum& message = message_.sum(i);
    const Place at = place_.In("sum", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Sum sum;
    sum.id = id;
    sum.output = sum_outputs_[static_cast<size_t>(i)];
    sum.say = message.say();
    if (message.term_size() < 2) Fail("FIELD_MISSING", id, at, "a sum must have two terms or more");
    if (message.term_size() > kTermsMost) {
      Fail("LIMIT_EXCEEDED", id, at,
           absl::StrCat("has ", message.term_size(), " terms; at most ", kTermsMost));
    }
    for (int j = 0; j < message.term_size(); ++j) {
      const scheme::v1::Term& term = message.term(j);
      const Place place = at.In("term", j);
      const int value = ValueNamed(term.value(), id, place.In("value"));
      if (value >= 0 && Info(value).scale < 0 &&
          (value >= message_.input_size() || Info(value).share)) {
        Fail("TYPE_MISMATCH", id, place.In("value"),
             "a term must be a value on a scale or a decimal input");
      }
      if (term.weight() < 1 || term.weight() > kFactorMost) {
        Fail("NUMBER_INVALID", id, place.In("weight"), "must be 1 to 1,000,000");
      }
      sum.terms.push_back({value, term.weight()});
    }
    for (const char* field : {"times", "over"}) {
      const int64_t factor = field[0] == 't' ? message.times() : message.over();
      if (factor < 0 || factor > kFactorMost) {
        Fail("NUMBER_INVALID", id, at.In(field), "must be 1 to 1,000,000");
      } else if (factor > 0) {
        (field[0] == 't' ? sum.times : sum.over) = factor;
      }
    }
    if (message.has_round()) {
      const auto unit = Decimal::Parse(message.round().unit());
      if (!unit.ok() || unit->micros() <= 0) {
        Fail("THRESHOLD_INVALID", id, at.In("round"), "`unit` must be a decimal above 0");
      } else {
        sum.round_to = scheme::Fraction{unit->micros(), Decimal::kMicros};
      }
    }
    sum.basis = Ground(message.basis(), message.citation_size(), id, at);
    sum.citations = Cite(message.citation(), id, at);
    Say(message.say(), false, id, at);
    CheckSize(sum, at);
    draft_.scheme.sums.push_back(std::move(sum));
    draft_.sum_lines.push_back(at.line());
  }
}

// The evaluator multiplies the sum by thresholds' denominators within 128 bits.
void Resolver::CheckSize(const scheme::Sum& sum, const Place& at) {
  if (sum.terms.size() > static_cast<size_t>(kTermsMost)) return;
  constexpr Int128 kLargestDecimal = static_cast<Int128>(1'000'000'000'000) * Decimal::kMicros;
  Int128 largest = 0;
  for (const scheme::Term& term : sum.terms) {
    if (term.value < 0 || term.weight < 1 || term.weight > kFactorMost) continue;
    const bool decimal = Info(term.value).scale < 0;
    largest += term.weight *
               (decimal ? kLargestDecimal : static_cast<Int128>(kLevelsMost) * Decimal::kMicros);
  }
  Int128 most = 1;
  for (int digit = 0; digit < 28; ++digit) most *= 10;
  if (largest * sum.times > most) {
    Fail("NUMBER_INVALID", sum.id, at, "the sum may become too large: use smaller weights");
  }
}

void Resolver::Bands() {
  for (int i = 0; i < message_.band_size(); ++i) {
    const scheme::v1::Band& message = message_.band(i);
    const Place at = place_.In("band", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Band band;
    band.id = id;
    band.output = band_outputs_[static_cast<size_t>(i)];
    band.say = message.say();
    band.from = ValueNamed(message.from(), id, at.In("from"));
    if (band.from >= 0 && Info(band.from).scale >= 0) {
      Fail("TYPE_MISMATCH", id, at.In("from"), "a band reads a number, not a level");
    }
    std::vector<int> lines;
    for (int j = 0; j < message.cut_size(); ++j) {
      const Place place = at.In("cut", j);
      band.cuts.push_back(Number(message.cut(j), id, place));
      lines.push_back(place.line());
      if (j == 0) continue;
      const scheme::Fraction& last = band.cuts[static_cast<size_t>(j) - 1];
      const scheme::Fraction& cut = band.cuts.back();
      if (static_cast<Int128>(cut.numerator) * last.denominator <=
          static_cast<Int128>(last.numerator) * cut.denominator) {
        Fail("CUTS_INVALID", id, place, "cuts must ascend strictly");
      }
    }
    const int scale = Info(band.output).scale;
    if (scale >= 0 && message.cut_size() != LevelsOf(scale) - 1) {
      Fail("CUTS_INVALID", id, at,
           absl::StrCat("needs ", LevelsOf(scale) - 1, " cuts, one fewer than `", message.to(),
                        "` has levels, and has ", message.cut_size()));
    }
    band.basis = Ground(message.basis(), message.citation_size(), id, at);
    band.citations = Cite(message.citation(), id, at);
    Say(message.say(), false, id, at);
    draft_.scheme.bands.push_back(std::move(band));
    draft_.band_lines.push_back(at.line());
    draft_.cut_lines.push_back(std::move(lines));
  }
}

void Resolver::Caps() {
  for (int i = 0; i < message_.cap_size(); ++i) {
    const scheme::v1::Cap& message = message_.cap(i);
    const Place at = place_.In("cap", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Limit limit;
    limit.id = id;
    limit.say = message.say();
    limit.target = ValueNamed(message.target(), id, at.In("target"));
    if (limit.target >= 0 && Info(limit.target).scale < 0) {
      const bool known =
          limit.target < message_.input_size() && message_.input(limit.target).has_scale();
      if (!known) Fail("TYPE_MISMATCH", id, at.In("target"), "a cap limits a level, not a number");
    } else if (limit.target >= 0) {
      limit.level = LevelNamed(Info(limit.target).scale, message.limit(), id, at.In("limit"));
    }
    Conditions(message.any(), at, limit);
    limit.unknown = message.unknown() == scheme::v1::ON_UNKNOWN_SKIP ? scheme::OnUnknown::kSkip
                                                                     : scheme::OnUnknown::kRefuse;
    limit.limits_absent = message.if_absent() == scheme::v1::IF_ABSENT_LIMIT;
    limit.basis = Ground(message.basis(), message.citation_size(), id, at);
    limit.citations = Cite(message.citation(), id, at);
    Say(message.say(), true, id, at);
    draft_.scheme.limits.push_back(std::move(limit));
    draft_.limit_lines.push_back(at.line());
  }
}

void Resolver::Vetoes() {
  for (int i = 0; i < message_.veto_size(); ++i) {
    const scheme::v1::Veto& message = message_.veto(i);
    const Place at = place_.In("veto", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Limit limit;
    limit.id = id;
    limit.veto = true;
    limit.limits_absent = true;
    limit.say = message.say();
    limit.target = ValueNamed(message.target(), id, at.In("target"));
    if (limit.target >= 0 && Info(limit.target).scale < 0) {
      Fail("TYPE_MISMATCH", id, at.In("target"), "a veto limits a level, not a number");
    }
    Conditions(message.any(), at, limit);
    limit.unknown = message.unknown() == scheme::v1::ON_UNKNOWN_SKIP ? scheme::OnUnknown::kSkip
                                                                     : scheme::OnUnknown::kRefuse;
    limit.basis = Ground(message.basis(), message.citation_size(), id, at);
    limit.citations = Cite(message.citation(), id, at);
    Say(message.say(), true, id, at);
    draft_.scheme.limits.push_back(std::move(limit));
    draft_.limit_lines.push_back(at.line());
  }
}

void Resolver::Conditions(const google::protobuf::RepeatedPtrField<scheme::v1::Condition>& messages,
                          const Place& at, scheme::Limit& limit) {
  if (messages.empty()) Fail("FIELD_MISSING", limit.id, at, "must have a condition (`any`)");
  if (messages.size() > kConditionsMost) {
    Fail("LIMIT_EXCEEDED", limit.id, at,
         absl::StrCat("has ", messages.size(), " conditions; at most ", kConditionsMost));
  }
  for (int i = 0; i < messages.size(); ++i) {
    scheme::Condition condition;
    const Place place = at.In("any", i);
    condition.value = ValueNamed(messages.Get(i).value(), limit.id, place.In("value"));
    if (condition.value >= 0) Test(messages.Get(i), place, limit.id, condition);
    limit.any.push_back(std::move(condition));
  }
}

void Resolver::Test(const scheme::v1::Condition& message, const Place& at, const std::string& rule,
                    scheme::Condition& condition) {
  using Proto = scheme::v1::Condition;
  const scheme::ValueInfo& info = Info(condition.value);
  const bool on_level =
      message.test_case() == Proto::kLevelAtMost || message.test_case() == Proto::kLevelAtLeast;
  if (message.test_case() == Proto::TEST_NOT_SET) {
    Fail("FIELD_MISSING", rule, at, "a condition must have a test, such as `level_at_most`");
    return;
  }
  if (on_level != (info.scale >= 0)) {
    Fail("TYPE_MISMATCH", rule, at,
         absl::StrCat(
             "`", info.name, "` is a ", on_level ? "number" : "level", ": use ",
             on_level ? "above, below, at_least or at_most" : "level_at_most or level_at_least"));
    return;
  }
  const auto number = [&](scheme::Comparison comparison, const scheme::v1::Threshold& threshold,
                          const char* field) {
    condition.comparison = comparison;
    condition.threshold = Number(threshold, rule, at.In(field));
  };
  const auto level = [&](scheme::Comparison comparison, const std::string& name,
                         const char* field) {
    condition.comparison = comparison;
    condition.level = LevelNamed(info.scale, name, rule, at.In(field));
    condition.text = absl::StrCat(Word(comparison), "\"", name, "\"");
  };
  switch (message.test_case()) {
    case Proto::kAbove:
      number(scheme::Comparison::kAbove, message.above(), "above");
      break;
    case Proto::kBelow:
      number(scheme::Comparison::kBelow, message.below(), "below");
      break;
    case Proto::kAtLeast:
      number(scheme::Comparison::kAtLeast, message.at_least(), "at_least");
      break;
    case Proto::kAtMost:
      number(scheme::Comparison::kAtMost, message.at_most(), "at_most");
      break;
    case Proto::kLevelAtMost:
      level(scheme::Comparison::kLevelAtMost, message.level_at_most(), "level_at_most");
      break;
    case Proto::kLevelAtLeast:
      level(scheme::Comparison::kLevelAtLeast, message.level_at_least(), "level_at_least");
      break;
    case Proto::TEST_NOT_SET:
      break;
  }
  if (!on_level) {
    condition.text =
        absl::StrCat(Word(condition.comparison), PrintThreshold(info, condition.threshold));
  }
}

}  // namespace starratings::verify
