#include <algorithm>
#include <set>

#include "common/digest/canonical.h"
#include "rating-svc/rating/assemble.h"
#include "rating-svc/rating/grounds.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"

namespace starratings::rating {
namespace {

using digest::CanonicalWriter;
using digest::Presence;
using scheme::Scheme;

// The code whose value stood in the way, following absence back to an input.
std::string CodeBehind(const Scheme& scheme, const Evaluation& evaluation, int origin) {
  // Each step goes to an earlier value, so that there are no more than these.
  for (size_t steps = 0; steps <= scheme.limits.size(); ++steps) {
    if (origin >= 0) return scheme.inputs[static_cast<size_t>(origin)].code;
    if (origin <= Value::kNoCuts) return "";
    const scheme::Limit& limit = scheme.limits[static_cast<size_t>(-1 - origin)];
    for (const scheme::Condition& condition : limit.any) {
      const Value& value = evaluation.values[static_cast<size_t>(condition.value)];
      if (value.absent == Absent::kNo || DoesNotCount(value.absent)) continue;
      origin = value.origin;
      break;
    }
  }
  return "";
}

// The rule that absence began with, if it was no input.
const std::string& RuleBehind(const Scheme& scheme, int origin) {
  if (origin <= Value::kNoCuts) {
    return scheme.quantiles[static_cast<size_t>(Value::kNoCuts - origin)].id;
  }
  return scheme.limits[static_cast<size_t>(-1 - origin)].id;
}

NotRated WhyNotRated(const Scheme& scheme, const Evaluation& evaluation, const Value& value) {
  NotRated why;
  why.reason = value.absent;
  why.code = CodeBehind(scheme, evaluation, value.origin);
  why.rule_id = value.origin >= 0 ? why.code : RuleBehind(scheme, value.origin);
  return why;
}

ResultOutcome Outcome(const Scheme& scheme, const Evaluation& evaluation, const Grounds& grounds,
                      size_t i) {
  const int value_index = scheme.results[i].value;
  ResultOutcome outcome;
  outcome.id = scheme.values[static_cast<size_t>(value_index)].name;
  const Value value = evaluation.ResultOf(scheme, i);
  outcome.basis = grounds.BasisOf(i);
  if (value.absent != Absent::kNo) {
    outcome.not_rated = WhyNotRated(scheme, evaluation, value);
  } else if (scheme.values[static_cast<size_t>(value_index)].scale >= 0) {
    outcome.level = scheme.LevelName(value_index, value.level);
  } else {
    outcome.number = PrintNumber(value.numerator, value.denominator);
  }
  return outcome;
}

Decision Decide(const Scheme& scheme, const Evaluation& evaluation,
                const scheme::Transition& transition) {
  const Value& previous = evaluation.values[static_cast<size_t>(transition.previous)];
  const Value result = evaluation.ResultOf(scheme, static_cast<size_t>(transition.result));
  const bool known = previous.absent == Absent::kNo;
  const bool was_on = known && previous.level == 0;
  Decision decision;
  decision.id = transition.id;
  decision.code = scheme.inputs[static_cast<size_t>(transition.previous)].code;
  decision.listed = scheme.LevelName(transition.previous, 0);
  if (known) decision.previous = scheme.LevelName(transition.previous, previous.level);
  if (result.absent != Absent::kNo) {  // Nothing changes.
    decision.state = decision.previous;
    decision.move = Move::kNone;
    return decision;
  }
  const bool is_on = result.level <= transition.listed_at_most;
  decision.state = scheme.LevelName(transition.previous, is_on ? 0 : 1);
  if (!known) {
    decision.move = Move::kUnknown;
  } else if (is_on) {
    decision.move = was_on ? Move::kRemained : Move::kEntered;
  } else {
    decision.move = was_on ? Move::kLeft : Move::kNone;
  }
  return decision;
}

// What the results would be without the overrides.
void AddMechanical(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
                   Rating& rating) {
  const Readings readings = Read(scheme, dossier, date, Overrides::kPassedOver);
  Evaluation evaluation(scheme);
  EvaluateTraced(scheme, readings.values, evaluation);
  const Grounds grounds(scheme, readings.values, evaluation);
  for (size_t i = 0; i < rating.results.size(); ++i) {
    rating.results[i].mechanical =
        std::make_shared<const ResultOutcome>(Outcome(scheme, evaluation, grounds, i));
  }
}

void WriteResult(const ResultOutcome& result, CanonicalWriter& form) {
  form.String(1, result.id);
  if (result.not_rated) {
    form.Message(4, [&result](CanonicalWriter& why) {
      why.String(1, ToString(result.not_rated->reason));
      why.String(2, result.not_rated->rule_id);
      why.String(3, result.not_rated->code);
    });
  } else if (!result.number.empty()) {
    form.String(3, result.number, Presence::kExplicit);
  } else {
    form.String(2, result.level, Presence::kExplicit);
  }
  if (result.mechanical != nullptr) {
    form.Message(
        6, [&result](CanonicalWriter& mechanical) { WriteResult(*result.mechanical, mechanical); });
  }
}

}  // namespace

digest::Digest RatingDigest(const std::string& scheme_digest, const Rating& rating,
                            std::vector<digest::Digest> items, evidence::Date date) {
  std::sort(items.begin(), items.end());
  CanonicalWriter form;
  form.String(1, rating.organisation);
  form.String(2, rating.period);
  for (const digest::Digest& item : items) form.String(3, digest::ToHex(item));
  for (const auto& [name, value] : rating.attributes) {
    form.Message(4, [&name = name, &value = value](CanonicalWriter& attribute) {
      attribute.String(1, name);
      attribute.String(2, value);
    });
  }
  std::set<std::string> published;
  for (const evidence::PublishedResult& of : rating.published) published.insert(of.digest);
  for (const std::string& of : published) form.String(5, of);
  for (const scheme::CutTable& table : rating.tables) form.String(6, table.digest);
  form.String(7, scheme_digest);
  for (const ResultOutcome& result : rating.results) {
    form.Message(8, [&result](CanonicalWriter& inner) { WriteResult(result, inner); });
  }
  for (const Decision& decision : rating.decisions) {
    form.Message(9, [&decision](CanonicalWriter& inner) {
      inner.String(1, decision.id);
      inner.String(2, decision.code);
      inner.String(3, decision.previous);
      inner.String(4, decision.state);
      inner.Number(5, static_cast<int64_t>(decision.move));
    });
  }
  form.String(10, date.ToString());
  return digest::Sha256(form.bytes());
}

const char* ToString(Move move) {
  switch (move) {
    case Move::kNone:
      return "NONE";
    case Move::kEntered:
      return "ENTERED";
    case Move::kRemained:
      return "REMAINED";
    case Move::kLeft:
      return "LEFT";
    case Move::kUnknown:
      return "UNKNOWN";
  }
  return "";
}

Rating Assemble(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
                const Readings& readings, const Evaluation& evaluation, const Grounds& grounds) {
  Rating rating;
  rating.organisation = dossier.organisation.id;
  rating.name = dossier.organisation.name;
  rating.period = dossier.period;
  for (size_t i = 0; i < scheme.results.size(); ++i) {
    rating.results.push_back(Outcome(scheme, evaluation, grounds, i));
  }
  if (readings.overridden) AddMechanical(scheme, dossier, date, rating);
  for (const scheme::Transition& transition : scheme.transitions) {
    rating.decisions.push_back(Decide(scheme, evaluation, transition));
  }
  for (const scheme::Consequence& consequence : scheme.consequences) {
    const Value value = evaluation.ResultOf(scheme, static_cast<size_t>(consequence.result));
    if (value.absent != Absent::kNo) continue;
    if (std::binary_search(consequence.levels.begin(), consequence.levels.end(), value.level)) {
      rating.consequences.push_back(&consequence);
    }
  }
  std::vector<digest::Digest> items;
  items.reserve(readings.read.size());
  for (const evidence::RecordedItem* item : readings.read) items.push_back(item->item.digest);
  rating.attributes.assign(readings.attributes.begin(), readings.attributes.end());
  for (const evidence::PublishedResult* of : readings.published) {
    if (of != nullptr) rating.published.push_back(*of);
  }
  rating.tables = scheme.tables;
  rating.digest = RatingDigest(scheme.digest, rating, std::move(items), date);
  return rating;
}

Rating Rate(const Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date) {
  const Readings readings = Read(scheme, dossier, date);
  Evaluation evaluation(scheme);
  EvaluateTraced(scheme, readings.values, evaluation);
  return Assemble(scheme, dossier, date, readings, evaluation,
                  Grounds(scheme, readings.values, evaluation));
}

}  // namespace starratings::rating
