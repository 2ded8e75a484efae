#include "tests/reference/scheme_author.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/wire/scheme_text.h"
#include "rating-svc/verify/resolve.h"

namespace starratings::reference {

using google::protobuf::RepeatedPtrField;
namespace v1 = scheme::v1;

v1::Scheme SchemeAuthor::Write() {
  scheme_.set_id("random");
  scheme_.set_version("1");
  scheme_.set_title("R");
  scheme_.mutable_in_force()->set_from("2000-01-01");
  Scales();
  const int inputs = 3 + chance_.Pick(4);
  for (int i = 0; i < inputs; ++i) {
    Input();
    if (chance_.OneIn(3)) Limits();
  }
  using Writer = void (SchemeAuthor::*)();
  const std::vector<Writer> writers = {&SchemeAuthor::Sum,    &SchemeAuthor::Band,
                                       &SchemeAuthor::Count,  &SchemeAuthor::Adjust,
                                       &SchemeAuthor::Matrix, &SchemeAuthor::Matrix};
  const int stages = 2 + chance_.Pick(4);
  const int ranked = chance_.OneIn(4) ? chance_.Pick(stages) : stages;  // One at most.
  for (int i = 0; i < stages; ++i) {
    i == ranked ? Ranked() : (this->*chance_.Of(writers))();
    if (!chance_.OneIn(3)) Limits();
  }
  Results();
  Permute(scheme_, chance_);
  return scheme_;
}

void SchemeAuthor::Scales() {
  const auto add = [&](const char* id, const std::vector<const char*>& levels, int lowest_score) {
    v1::Scale& scale = *scheme_.add_scale();
    scale.set_id(id);
    for (const char* level : levels) scale.add_level(level);
    scale.set_lowest_score(lowest_score);
  };
  add("answer", {"no", "yes"}, 0);
  add("three", {"l0", "l1", "l2"}, 1);
  add("four", {"l0", "l1", "l2", "l3"}, 0);
  add("kind", {"council", "trust", "county"}, 0);
  add("region", {"North", "South"}, 1);
  add("list", {"on", "off"}, 0);
}

const v1::Scale* SchemeAuthor::Scale(const char* id) const {
  return &*std::find_if(scheme_.scale().begin(), scheme_.scale().end(),
                        [&](const v1::Scale& scale) { return scale.id() == id; });
}

std::string SchemeAuthor::Level(const v1::Scale& scale) {
  return scale.level(chance_.Pick(scale.level_size()));
}

// In no order of the alphabet, so that none can be relied on.
std::string SchemeAuthor::NewName(const char* prefix) {
  const char letter[] = {static_cast<char>('a' + chance_.Pick(26)), '\0'};
  return absl::StrCat(prefix, letter, names_++);
}

void SchemeAuthor::Name(const std::string& name, const v1::Scale* scale) {
  values_.push_back({name, scale});
}

const SchemeAuthor::Named* SchemeAuthor::Any(bool level) {
  std::vector<const Named*> found;
  for (const Named& value : values_) {
    if ((value.scale != nullptr) == level) found.push_back(&value);
  }
  return found.empty() ? nullptr : chance_.Of(found);
}

void SchemeAuthor::TypeOf(v1::Input& input) {
  const v1::Scale* scale = nullptr;
  switch (chance_.Pick(9)) {
    case 0:
      scale = Scale(chance_.OneIn(2) ? "kind" : "region");
      input.mutable_attribute()->set_of(scale->id() == "kind" ? v1::ATTRIBUTE_KIND
                                                              : v1::ATTRIBUTE_REGION);
      input.mutable_attribute()->set_scale(scale->id());
      break;
    case 1:
      scale = Scale(chance_.OneIn(2) ? "three" : "four");
      input.mutable_published()->set_scheme(chance_.OneIn(2) ? "other" : "another");
      input.mutable_published()->set_result(chance_.OneIn(2) ? "stars" : "rank");
      input.mutable_published()->set_scale(scale->id());
      break;
    case 2:
    case 3:
      input.mutable_ratio()->set_lower_is_better(chance_.OneIn(2));
      if (chance_.OneIn(2)) input.mutable_ratio()->set_unit("children");
      break;
    case 4:
      input.mutable_decimal()->set_lower_is_better(chance_.OneIn(2));
      if (chance_.OneIn(2)) input.mutable_decimal()->set_unit("days");
      break;
    default:
      scale = Scale(chance_.Of(std::vector<const char*>{"answer", "three", "four", "list"}));
      input.set_scale(scale->id());
  }
  Name(input.code(), scale);
}

void SchemeAuthor::Input() {
  v1::Input& input = *scheme_.add_input();
  input.set_code(NewName("i"));
  TypeOf(input);
  input.set_basis(v1::BASIS_ASSUMED);
  input.set_on_missing(chance_.OneIn(8) ? v1::ON_MISSING_REFUSE : v1::ON_MISSING_ABSENT);
  if (values_.back().scale != nullptr && chance_.OneIn(5)) {
    input.set_on_missing(v1::ON_MISSING_ASSUME);
    input.set_assume(Level(*values_.back().scale));
  }
  if (input.has_attribute() || input.has_published()) return;
  if (input.has_ratio() && chance_.OneIn(2)) {
    input.mutable_exempt()->set_when_denominator_below(2 + chance_.Pick(40));
    input.mutable_exempt()->set_basis(v1::BASIS_ASSUMED);
  }
  if (chance_.OneIn(3)) {
    input.mutable_stale()->set_after_days(1 + chance_.Pick(400));
    input.mutable_stale()->set_basis(v1::BASIS_ASSUMED);
  }
  if (chance_.OneIn(2)) input.set_fold(chance_.OneIn(2) ? v1::FOLD_WORST : v1::FOLD_BEST);
  input.set_standing(chance_.OneIn(5));
}

void SchemeAuthor::Threshold(v1::Threshold& threshold) {
  if (chance_.OneIn(2)) {
    threshold.set_decimal(
        chance_.Of(std::vector<std::string>{"0", "0.25", "0.5", "1", "1.5", "2", "3", "-1"}));
    return;
  }
  threshold.mutable_fraction()->set_numerator(chance_.Pick(9));
  threshold.mutable_fraction()->set_denominator(chance_.OneIn(2) ? 4 : 3);
}

void SchemeAuthor::Condition(v1::Condition& condition, size_t known) {
  const Named& value = values_[static_cast<size_t>(chance_.Pick(static_cast<int>(known)))];
  condition.set_value(value.name);
  if (value.scale != nullptr) {
    if (chance_.OneIn(3)) {
      condition.set_level_at_least(Level(*value.scale));
    } else {
      condition.set_level_at_most(Level(*value.scale));
    }
    return;
  }
  switch (chance_.Pick(4)) {
    case 0:
      return Threshold(*condition.mutable_above());
    case 1:
      return Threshold(*condition.mutable_below());
    case 2:
      return Threshold(*condition.mutable_at_least());
    default:
      return Threshold(*condition.mutable_at_most());
  }
}

void SchemeAuthor::Limits() {
  if (values_.size() < 2 || values_.back().scale == nullptr) return;
  const Named& target = values_.back();
  const int limits = 1 + chance_.Pick(3);
  for (int i = 0; i < limits; ++i) {
    const auto unknown = chance_.OneIn(3) ? v1::ON_UNKNOWN_SKIP : v1::ON_UNKNOWN_REFUSE;
    const auto conditions = [&](auto& rule, bool all) {
      rule.set_id(NewName("L"));
      rule.set_target(target.name);
      rule.set_basis(v1::BASIS_ASSUMED);
      rule.set_unknown(unknown);
      for (int n = 1 + chance_.Pick(3); n > 0; --n) {
        Condition(all ? *rule.mutable_all()->Add() : *rule.add_any(), values_.size() - 1);
      }
    };
    const auto limit = [&](auto& rule) {
      rule.set_limit(Level(*target.scale));
      if (chance_.OneIn(2)) rule.set_if_absent(v1::IF_ABSENT_LIMIT);
    };
    const int kind = chance_.Pick(5);
    const bool all = kind > 0 && chance_.OneIn(2);
    if (kind == 0) {
      v1::Veto& rule = *scheme_.add_veto();
      rule.set_id(NewName("L"));
      rule.set_target(target.name);
      rule.set_basis(v1::BASIS_ASSUMED);
      rule.set_unknown(unknown);
      for (int n = 1 + chance_.Pick(2); n > 0; --n) Condition(*rule.add_any(), values_.size() - 1);
    } else if (kind < 3) {
      v1::Cap& rule = *scheme_.add_cap();
      conditions(rule, all);
      limit(rule);
    } else {
      v1::Floor& rule = *scheme_.add_floor();
      conditions(rule, all);
      limit(rule);
    }
  }
}

void SchemeAuthor::Sum() {
  std::vector<Named> terms = values_;
  chance_.Shuffle(terms);
  terms.resize(std::min<size_t>(terms.size(), static_cast<size_t>(2 + chance_.Pick(3))));
  v1::Sum& sum = *scheme_.add_sum();
  sum.set_id(NewName("S"));
  sum.set_output(NewName("v"));
  for (const Named& value : terms) {
    v1::Term& term = *sum.add_term();
    term.set_value(value.name);
    term.set_weight(1 + chance_.Pick(3));
  }
  if (chance_.OneIn(2)) sum.set_times(1 + chance_.Pick(4));
  if (chance_.OneIn(2)) sum.set_over(1 + chance_.Pick(4));
  sum.set_mean(chance_.OneIn(2));
  sum.set_need(static_cast<v1::Need>(chance_.Pick(4)));
  if (sum.need() == v1::NEED_AT_LEAST) sum.set_least(1 + chance_.Pick(sum.term_size()));
  if (chance_.OneIn(2)) {
    sum.mutable_round()->set_unit(
        chance_.Of(std::vector<std::string>{"1", "0.5", "0.1", "2", "0.25"}));
  }
  sum.set_basis(v1::BASIS_ASSUMED);
  Name(sum.output(), nullptr);
}

void SchemeAuthor::Cuts(RepeatedPtrField<v1::Threshold>& cuts, int count) {
  for (int at = chance_.Pick(4) - 1; count > 0; --count) {
    at += 1 + chance_.Pick(3);
    v1::Fraction& cut = *cuts.Add()->mutable_fraction();
    cut.set_numerator(at);
    cut.set_denominator(2);
  }
}

void SchemeAuthor::Band() {
  if (Any(false) == nullptr) return Sum();
  const v1::Scale* const scale = Scale(chance_.OneIn(2) ? "three" : "four");
  v1::Band& band = *scheme_.add_band();
  band.set_id(NewName("B"));
  band.set_from(Any(false)->name);
  band.set_to(scale->id());
  band.set_direction(static_cast<v1::Direction>(chance_.Pick(3)));
  band.set_basis(v1::BASIS_ASSUMED);
  const Named* const by = chance_.OneIn(2) ? Any(true) : nullptr;
  if (by == nullptr) {
    Cuts(*band.mutable_cut(), scale->level_size() - 1);
  } else {
    band.set_by(by->name);
    for (const std::string& level : by->scale->level()) {
      v1::CutList* list = band.list_size() == 0 ? nullptr : band.mutable_list(0);
      if (list == nullptr || chance_.OneIn(2)) {
        list = band.add_list();
        list->set_basis(v1::BASIS_ASSUMED);
        const int lowest = chance_.Pick(scale->level_size() - 1);
        if (lowest > 0 || chance_.OneIn(2)) list->set_lowest(scale->level(lowest));
        Cuts(*list->mutable_cut(), scale->level_size() - 1 - lowest);
      }
      list->add_level(level);
    }
  }
  band.set_output(NewName("v"));
  Name(band.output(), scale);
}

void SchemeAuthor::Ranked() {
  Sum();
  const Named number = values_.back();
  values_.pop_back();
  const v1::Scale* const scale = Scale(chance_.OneIn(2) ? "three" : "four");
  v1::Quantiles& quantiles = *scheme_.add_quantiles();
  quantiles.set_id(NewName("Q"));
  quantiles.set_of(number.name);
  quantiles.set_parts(scale->level_size());
  quantiles.set_minimum_cohort(1 + chance_.Pick(20));
  quantiles.set_basis(v1::BASIS_ASSUMED);
  v1::Band& band = *scheme_.add_band();
  band.set_id(NewName("B"));
  band.set_from(number.name);
  band.set_to(scale->id());
  band.set_direction(static_cast<v1::Direction>(chance_.Pick(3)));
  band.set_quantiles(quantiles.id());
  band.set_basis(v1::BASIS_ASSUMED);
  band.set_output(NewName("v"));
  Name(band.output(), scale);
}

void SchemeAuthor::Count() {
  v1::Count& count = *scheme_.add_count();
  count.set_id(NewName("N"));
  count.set_output(NewName("v"));
  for (int n = 1 + chance_.Pick(4); n > 0; --n) Condition(*count.add_condition(), values_.size());
  count.set_unknown(static_cast<v1::CountUnknown>(chance_.Pick(4)));
  count.set_basis(v1::BASIS_ASSUMED);
  Name(count.output(), nullptr);
}

void SchemeAuthor::Adjust() {
  const Named* const from = Any(true);
  if (from == nullptr) return Count();
  v1::Adjust& adjust = *scheme_.add_adjust();
  adjust.set_id(NewName("J"));
  adjust.set_output(NewName("v"));
  adjust.set_from(from->name);
  for (int n = 1 + chance_.Pick(4); n > 0; --n) {
    v1::Step& step = *adjust.add_step();
    Condition(*step.mutable_when(), values_.size());
    step.set_by(chance_.OneIn(2) ? -1 - chance_.Pick(2) : 1 + chance_.Pick(2));
  }
  if (chance_.OneIn(2)) {
    Condition(*adjust.mutable_bound()->mutable_when(), values_.size());
    adjust.mutable_bound()->set_gain_at_most(chance_.Pick(2));
  }
  adjust.set_basis(v1::BASIS_ASSUMED);
  Name(adjust.output(), from->scale);
}

void SchemeAuthor::Matrix() {
  std::vector<Named> from;
  for (const Named& value : values_) {
    if (value.scale != nullptr) from.push_back(value);
  }
  if (from.empty()) return Count();
  chance_.Shuffle(from);
  from.resize(std::min<size_t>(from.size(), static_cast<size_t>(1 + chance_.Pick(3))));
  const v1::Scale* const scale = Scale(chance_.OneIn(2) ? "three" : "answer");
  v1::Matrix& matrix = *scheme_.add_matrix();
  matrix.set_id(NewName("M"));
  matrix.set_output(NewName("v"));
  matrix.set_to(scale->id());
  for (const Named& value : from) matrix.add_from(value.name);
  // The first value splits the table into rows; of each, the second may split it again.
  for (const std::string& level : from[0].scale->level()) {
    const bool split = from.size() > 1 && chance_.OneIn(2);
    const int rows = split ? from[1].scale->level_size() : 1;
    for (int i = 0; i < rows; ++i) {
      if (split && i == rows - 1 && rows > 2) continue;  // Joined with the one before.
      v1::Row& row = *matrix.add_row();
      row.add_when(level);
      for (size_t j = 1; j < from.size(); ++j) row.add_when("any");
      if (split) row.set_when(1, from[1].scale->level(i));
      if (split && rows > 2 && i == rows - 2) {
        row.mutable_when(1)->append("|" + from[1].scale->level(i + 1));
      }
      row.set_then(Level(*scale));
      row.set_basis(v1::BASIS_ASSUMED);
    }
  }
  Name(matrix.output(), scale);
}

void SchemeAuthor::Results() {
  std::vector<Named> outputs;
  for (const Named& value : values_) {
    if (value.name[0] == 'v' || (value.scale != nullptr && chance_.OneIn(8))) {
      outputs.push_back(value);
    }
  }
  std::vector<Named> results = {outputs.back()};
  for (const Named& value : outputs) {
    if (value.name != results[0].name && chance_.OneIn(3)) results.push_back(value);
  }
  std::vector<const v1::Input*> lists;
  for (const v1::Input& input : scheme_.input()) {
    if (input.scale() == "list") lists.push_back(&input);
  }
  for (const Named& value : results) {
    scheme_.add_result()->set_value(value.name);
    if (value.scale == nullptr) continue;
    v1::Consequence& consequence = *scheme_.add_consequence();
    consequence.set_id(NewName("F"));
    consequence.set_result(value.name);
    consequence.add_level(value.scale->level(chance_.Pick(2)));
    consequence.set_text("What follows.");
    consequence.set_basis(v1::BASIS_ASSUMED);
    if (lists.empty()) continue;
    v1::Transition& transition = *scheme_.add_transition();
    transition.set_id(NewName("T"));
    transition.set_previous(lists.back()->code());
    lists.pop_back();
    transition.set_result(value.name);
    transition.set_listed_at_most(value.scale->level(chance_.Pick(value.scale->level_size() - 1)));
    transition.set_basis(v1::BASIS_ASSUMED);
  }
}

}  // namespace starratings::reference
