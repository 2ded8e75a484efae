// Caps, floors, vetoes, and the conditions that they test.
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

scheme::OnUnknown UnknownOf(int unknown) {
  return unknown == scheme::v1::ON_UNKNOWN_SKIP ? scheme::OnUnknown::kSkip
                                                : scheme::OnUnknown::kRefuse;
}

}  // namespace

template <typename Message>
scheme::Limit Resolver::LimitOf(const Message& message, const Place& at, const char* what) {
  const std::string& id = message.id();
  RuleId(id, at);
  scheme::Limit limit;
  limit.id = id;
  limit.say = message.say();
  limit.target = ValueNamed(message.target(), id, at.In("target"));
  if (limit.target >= 0 && Info(limit.target).scale < 0) {
    const bool known =
        limit.target < message_.input_size() && message_.input(limit.target).has_scale();
    if (!known) {
      Fail("TYPE_MISMATCH", id, at.In("target"),
           absl::StrCat("a ", what, " limits a level, not a number"));
    }
  } else if (limit.target >= 0) {
    limit.level = LevelNamed(Info(limit.target).scale, message.limit(), id, at.In("limit"));
  }
  limit.all = message.all_size() > 0;
  if (limit.all && message.any_size() > 0) {
    Fail("TYPE_MISMATCH", id, at.In("all", 0), "has conditions of `any` or of `all`, not of both");
  }
  Conditions(limit.all ? message.all() : message.any(), limit.all ? "all" : "any", at, limit);
  limit.unknown = UnknownOf(message.unknown());
  limit.limits_absent = message.if_absent() == scheme::v1::IF_ABSENT_LIMIT;
  limit.basis = Ground(message.basis(), message.citation_size(), id, at);
  limit.citations = Cite(message.citation(), id, at);
  Say(message.say(), kLimitPlaces, id, at);
  return limit;
}

void Resolver::Caps() {
  for (int i = 0; i < message_.cap_size(); ++i) {
    const Place at = place_.In("cap", i);
    draft_.scheme.limits.push_back(LimitOf(message_.cap(i), at, "cap"));
    draft_.limit_lines.push_back(at.line());
  }
}

void Resolver::Floors() {
  for (int i = 0; i < message_.floor_size(); ++i) {
    const Place at = place_.In("floor", i);
    draft_.scheme.limits.push_back(LimitOf(message_.floor(i), at, "floor"));
    draft_.scheme.limits.back().floor = true;
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
    Conditions(message.any(), "any", at, limit);
    limit.unknown = UnknownOf(message.unknown());
    limit.basis = Ground(message.basis(), message.citation_size(), id, at);
    limit.citations = Cite(message.citation(), id, at);
    Say(message.say(), kLimitPlaces, id, at);
    draft_.scheme.limits.push_back(std::move(limit));
    draft_.limit_lines.push_back(at.line());
  }
}

void Resolver::Conditions(const google::protobuf::RepeatedPtrField<scheme::v1::Condition>& messages,
                          const char* field, const Place& at, scheme::Limit& limit) {
  if (messages.empty())
    Fail("FIELD_MISSING", limit.id, at, "must have a condition (`any` or `all`)");
  if (messages.size() > kConditionsMost) {
    Fail("LIMIT_EXCEEDED", limit.id, at,
         absl::StrCat("has ", messages.size(), " conditions; at most ", kConditionsMost));
  }
  for (int i = 0; i < messages.size(); ++i) {
    limit.any.push_back(ConditionOf(messages.Get(i), at.In(field, i), limit.id));
  }
}

scheme::Condition Resolver::ConditionOf(const scheme::v1::Condition& message, const Place& at,
                                        const std::string& rule) {
  scheme::Condition condition;
  condition.value = ValueNamed(message.value(), rule, at.In("value"));
  if (condition.value >= 0) Test(message, at, rule, condition);
  return condition;
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
