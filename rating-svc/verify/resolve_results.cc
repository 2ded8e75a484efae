// What a scheme answers, what follows from it, and what it claims to be.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {

void Resolver::Results() {
  if (message_.result_size() == 0) {
    Fail("FIELD_MISSING", "", place_, "a scheme must have a `result`");
  }
  std::set<int> declared;
  for (int i = 0; i < message_.result_size(); ++i) {
    const scheme::v1::Result& message = message_.result(i);
    const Place at = place_.In("result", i);
    Prose(message.title(), 0, "title", message.value(), at);
    const int value = ValueNamed(message.value(), message.value(), at.In("value"));
    if (value < 0) continue;
    if (!declared.insert(value).second) {
      Fail("NAME_TAKEN", message.value(), at.In("value"),
           absl::StrCat("`", message.value(), "` is a result twice"));
    }
    if (value < message_.input_size() && Info(value).scale < 0) {
      Fail("TYPE_MISMATCH", message.value(), at.In("value"),
           "a result must be on a scale or the output of a sum");
    }
    draft_.scheme.results.push_back({value, message.title()});
    draft_.result_lines.push_back(at.line());
  }
}

void Resolver::Transitions() {
  for (int i = 0; i < message_.transition_size(); ++i) {
    const scheme::v1::Transition& message = message_.transition(i);
    const Place at = place_.In("transition", i);
    scheme::Transition transition;
    transition.id = message.id();
    RuleId(message.id(), at);
    transition.previous = ValueNamed(message.previous(), message.id(), at.In("previous"));
    if (transition.previous >= message_.input_size() ||
        (transition.previous >= 0 && Info(transition.previous).scale >= 0 &&
         LevelsOf(Info(transition.previous).scale) != 2) ||
        (transition.previous >= 0 &&
         (Info(transition.previous).scale < 0 ||
          draft_.scheme.inputs[static_cast<size_t>(transition.previous)].from !=
              scheme::InputFrom::kEvidence))) {
      Fail("TYPE_MISMATCH", message.id(), at.In("previous"),
           "`previous` must be an input on a scale of two levels: on the list, and off it");
    }
    transition.result = ResultNamed(message.result(), message.id(), at.In("result"));
    if (transition.result >= 0) {
      const int scale =
          Info(draft_.scheme.results[static_cast<size_t>(transition.result)].value).scale;
      if (scale < 0) {
        Fail("TYPE_MISMATCH", message.id(), at.In("result"), "the result must be on a scale");
      } else {
        transition.listed_at_most =
            LevelNamed(scale, message.listed_at_most(), message.id(), at.In("listed_at_most"));
      }
    }
    transition.basis = Ground(message.basis(), message.citation_size(), message.id(), at);
    transition.citations = Cite(message.citation(), message.id(), at);
    draft_.scheme.transitions.push_back(std::move(transition));
    draft_.transition_lines.push_back(at.line());
  }
}

void Resolver::Consequences() {
  for (int i = 0; i < message_.consequence_size(); ++i) {
    const scheme::v1::Consequence& message = message_.consequence(i);
    const Place at = place_.In("consequence", i);
    scheme::Consequence consequence;
    consequence.id = message.id();
    consequence.text = message.text();
    consequence.code = message.code();
    RuleId(message.id(), at);
    Prose(message.text(), 1, "text", message.id(), at);
    Prose(message.code(), 0, "code", message.id(), at);
    consequence.result = ResultNamed(message.result(), message.id(), at.In("result"));
    if (message.level_size() == 0) {
      Fail("FIELD_MISSING", message.id(), at, "must name the levels at which it applies");
    }
    const int scale =
        consequence.result < 0
            ? -1
            : Info(draft_.scheme.results[static_cast<size_t>(consequence.result)].value).scale;
    if (consequence.result >= 0 && scale < 0) {
      Fail("TYPE_MISMATCH", message.id(), at.In("result"), "the result must be on a scale");
    }
    for (int j = 0; scale >= 0 && j < message.level_size(); ++j) {
      const int level = LevelNamed(scale, message.level(j), message.id(), at.In("level", j));
      std::vector<int>& levels = consequence.levels;
      if (std::find(levels.begin(), levels.end(), level) != levels.end()) {
        Fail("NAME_TAKEN", message.id(), at.In("level", j), "the level is named twice");
      }
      levels.push_back(level);
    }
    std::sort(consequence.levels.begin(), consequence.levels.end());
    consequence.basis = Ground(message.basis(), message.citation_size(), message.id(), at);
    consequence.citations = Cite(message.citation(), message.id(), at);
    draft_.scheme.consequences.push_back(std::move(consequence));
  }
}

void Resolver::Properties() {
  for (int i = 0; i < message_.property_size(); ++i) {
    const scheme::v1::Property& message = message_.property(i);
    const Place at = place_.In("property", i);
    Property property;
    property.id = message.id();
    property.line = at.line();
    RuleId(message.id(), at);
    Ground(message.basis(), message.citation_size(), message.id(), at);
    Cite(message.citation(), message.id(), at);
    Claim(message, at, property);
    draft_.properties.push_back(std::move(property));
  }
}

void Resolver::Claim(const scheme::v1::Property& message, const Place& at, Property& property) {
  const std::string& id = message.id();
  switch (message.claim_case()) {
    case scheme::v1::Property::kSymmetric: {
      const Place place = at.In("symmetric");
      const int matrix = MatrixOf(message.symmetric().stage(), id, place);
      property.claim =
          SymmetricClaim{matrix, Pairs(message.symmetric().pair(), place, id, matrix, true),
                         IsLive(message.symmetric().scope(), id, place)};
      break;
    }
    case scheme::v1::Property::kOutranks: {
      const Place place = at.In("outranks");
      const int matrix = MatrixOf(message.outranks().stage(), id, place);
      property.claim =
          OutranksClaim{matrix, Pairs(message.outranks().pair(), place, id, matrix, false),
                        message.outranks().reading() == scheme::v1::OUTRANKS_READING_LEXICOGRAPHIC,
                        IsLive(message.outranks().scope(), id, place)};
      if (message.outranks().reading() < 0 ||
          message.outranks().reading() > scheme::v1::OUTRANKS_READING_LEXICOGRAPHIC) {
        Fail("NUMBER_INVALID", id, place.In("reading"),
             "must be OUTRANKS_READING_SWAP or OUTRANKS_READING_LEXICOGRAPHIC");
      }
      break;
    }
    case scheme::v1::Property::kVeto: {
      VetoClaim claim{-1};
      for (size_t i = 0; i < draft_.scheme.limits.size(); ++i) {
        const scheme::Limit& limit = draft_.scheme.limits[i];
        if (limit.veto && limit.id == message.veto().stage()) claim.limit = static_cast<int>(i);
      }
      if (claim.limit < 0) {
        Fail("REFERENCE_UNKNOWN", id, at.In("veto").In("stage"),
             absl::StrCat("there is no veto `", message.veto().stage(), "`"));
      }
      property.claim = claim;
      break;
    }
    case scheme::v1::Property::kMonotone:
      property.claim = MonotoneClaim{
          ResultNamed(message.monotone().result(), id, at.In("monotone").In("result"))};
      break;
    case scheme::v1::Property::kEqualsPoints:
      property.claim = Points(message.equals_points(), at.In("equals_points"), id);
      break;
    case scheme::v1::Property::CLAIM_NOT_SET:
      Fail("FIELD_MISSING", id, at, "a property must claim something");
      break;
  }
}

bool Resolver::IsLive(int scope, const std::string& rule, const Place& at) {
  if (scope < 0 || scope > scheme::v1::PROPERTY_SCOPE_LIVE) {
    Fail("NUMBER_INVALID", rule, at.In("scope"),
         "must be PROPERTY_SCOPE_TABLE or PROPERTY_SCOPE_LIVE");
  }
  return scope == scheme::v1::PROPERTY_SCOPE_LIVE;
}

int Resolver::MatrixOf(const std::string& stage, const std::string& rule, const Place& at) {
  const auto found = matrices_.find(stage);
  if (found != matrices_.end()) return found->second;
  Fail("REFERENCE_UNKNOWN", rule, at.In("stage"), absl::StrCat("there is no matrix `", stage, "`"));
  return -1;
}

std::vector<std::pair<int, int>> Resolver::Pairs(
    const google::protobuf::RepeatedPtrField<scheme::v1::Pair>& messages, const Place& at,
    const std::string& rule, int matrix, bool same_scale) {
  std::vector<std::pair<int, int>> pairs;
  if (messages.empty()) Fail("FIELD_MISSING", rule, at, "must name a `pair`");
  if (matrix < 0) return pairs;
  const std::vector<int>& from = draft_.scheme.matrices[static_cast<size_t>(matrix)].from;
  const auto position = [&](const std::string& name, const Place& place) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] >= 0 && Info(from[i]).name == name) return static_cast<int>(i);
    }
    Fail("REFERENCE_UNKNOWN", rule, place, absl::StrCat("the matrix does not read `", name, "`"));
    return -1;
  };
  std::set<int> used;
  for (int i = 0; i < messages.size(); ++i) {
    const Place place = at.In("pair", i);
    const int a = position(messages.Get(i).a(), place.In("a"));
    const int b = position(messages.Get(i).b(), place.In("b"));
    if (a < 0 || b < 0) continue;
    const bool twice = a == b || (same_scale && (!used.insert(a).second || !used.insert(b).second));
    if (twice) Fail("NAME_TAKEN", rule, place, "a value stands twice in the pairs");
    if (same_scale &&
        Info(from[static_cast<size_t>(a)]).scale != Info(from[static_cast<size_t>(b)]).scale) {
      Fail("TYPE_MISMATCH", rule, place, "values on different scales cannot be exchanged");
    }
    pairs.emplace_back(a, b);
  }
  return pairs;
}

PointsClaim Resolver::Points(const scheme::v1::EqualsPoints& message, const Place& at,
                             const std::string& rule) {
  PointsClaim claim{MatrixOf(message.stage(), rule, at),
                    {message.weight().begin(), message.weight().end()},
                    {message.cut().begin(), message.cut().end()},
                    IsLive(message.scope(), rule, at)};
  if (claim.matrix < 0) return claim;
  const scheme::Matrix& matrix = draft_.scheme.matrices[static_cast<size_t>(claim.matrix)];
  if (claim.weights.size() != matrix.from.size()) {
    Fail("NUMBER_INVALID", rule, at,
         absl::StrCat("has ", claim.weights.size(), " weights for ", matrix.from.size(),
                      " values that the matrix reads"));
  }
  for (size_t i = 0; i < claim.weights.size(); ++i) {
    if (claim.weights[i] < 0 || claim.weights[i] > kFactorMost) {
      Fail("NUMBER_INVALID", rule, at.In("weight", static_cast<int>(i)), "must be 0 to 1,000,000");
    }
  }
  const int scale = Info(matrix.output).scale;
  if (scale >= 0 && static_cast<int>(claim.cuts.size()) != LevelsOf(scale) - 1) {
    Fail("CUTS_INVALID", rule, at,
         absl::StrCat("needs ", LevelsOf(scale) - 1, " cuts, and has ", claim.cuts.size()));
  }
  for (size_t i = 1; i < claim.cuts.size(); ++i) {
    if (claim.cuts[i] > claim.cuts[i - 1]) continue;
    Fail("CUTS_INVALID", rule, at.In("cut", static_cast<int>(i)), "cuts must ascend strictly");
  }
  return claim;
}

}  // namespace starratings::verify
