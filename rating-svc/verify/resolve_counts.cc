// Counts and adjustments.
#include "absl/strings/str_cat.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {

void Resolver::Counts() {
  for (int i = 0; i < message_.count_size(); ++i) {
    const scheme::v1::Count& message = message_.count(i);
    const Place at = place_.In("count", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Count count;
    count.id = id;
    count.output = count_outputs_[static_cast<size_t>(i)];
    count.say = message.say();
    if (message.condition_size() == 0) {
      Fail("FIELD_MISSING", id, at, "must have a `condition`");
    } else if (message.condition_size() > kConditionsMost) {
      Fail(
          "LIMIT_EXCEEDED", id, at,
          absl::StrCat("has ", message.condition_size(), " conditions; at most ", kConditionsMost));
    }
    for (int j = 0; j < message.condition_size(); ++j) {
      count.conditions.push_back(ConditionOf(message.condition(j), at.In("condition", j), id));
    }
    if (message.unknown() < 0 || message.unknown() > scheme::v1::COUNT_UNKNOWN_AS_TRUE) {
      Fail("NUMBER_INVALID", id, at.In("unknown"),
           "must be COUNT_UNKNOWN_ABSENT, COUNT_UNKNOWN_SKIP or COUNT_UNKNOWN_AS_TRUE");
    } else if (message.unknown() != scheme::v1::COUNT_UNKNOWN_UNSPECIFIED) {
      count.unknown = static_cast<scheme::CountUnknown>(message.unknown());
    }
    count.basis = Ground(message.basis(), message.citation_size(), id, at);
    count.citations = Cite(message.citation(), id, at);
    Say(message.say(), kWriterPlaces, id, at);
    draft_.scheme.counts.push_back(std::move(count));
    draft_.count_lines.push_back(at.line());
  }
}

void Resolver::Adjusts() {
  for (int i = 0; i < message_.adjust_size(); ++i) {
    const scheme::v1::Adjust& message = message_.adjust(i);
    const Place at = place_.In("adjust", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Adjust adjust;
    std::vector<int> lines;
    adjust.id = id;
    adjust.output = adjust_outputs_[static_cast<size_t>(i)];
    adjust.say = message.say();
    adjust.from = ValueNamed(message.from(), id, at.In("from"));
    if (adjust.from >= 0 && Info(adjust.output).scale < 0) {
      Fail("TYPE_MISMATCH", id, at.In("from"),
           "must be on a scale, and stand before this adjustment if it is the output of one");
    }
    if (message.step_size() == 0) {
      Fail("FIELD_MISSING", id, at, "must have a `step`");
    } else if (message.step_size() > kStepsMost) {
      Fail("LIMIT_EXCEEDED", id, at,
           absl::StrCat("has ", message.step_size(), " steps; at most ", kStepsMost));
    }
    for (int j = 0; j < message.step_size(); ++j) {
      const scheme::v1::Step& step = message.step(j);
      const Place place = at.In("step", j);
      if (step.by() == 0 || step.by() >= kLevelsMost || step.by() <= -kLevelsMost) {
        Fail("NUMBER_INVALID", id, place.In("by"), "must be 1 to 63 levels up or down");
      }
      adjust.steps.push_back({ConditionOf(step.when(), place.In("when"), id), step.by()});
      lines.push_back(place.line());
    }
    if (message.has_bound()) {
      const Place place = at.In("bound");
      adjust.bound = ConditionOf(message.bound().when(), place.In("when"), id);
      adjust.gain_at_most = message.bound().gain_at_most();
      if (adjust.gain_at_most < 0 || adjust.gain_at_most >= kLevelsMost) {
        Fail("NUMBER_INVALID", id, place.In("gain_at_most"), "must be 0 to 63");
      }
      lines.push_back(place.line());
    }
    adjust.basis = Ground(message.basis(), message.citation_size(), id, at);
    adjust.citations = Cite(message.citation(), id, at);
    Say(message.say(), kAdjustPlaces, id, at);
    draft_.scheme.adjusts.push_back(std::move(adjust));
    draft_.adjust_lines.push_back(at.line());
    draft_.step_lines.push_back(std::move(lines));
  }
}

}  // namespace starratings::verify
