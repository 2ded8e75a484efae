// Random small schemes for the tests of this room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace starratings::verify {

// Writes schemes that are well-formed; whether they are any good is chance.
class Author {
 public:
  explicit Author(uint32_t seed) : random_(seed) {}

  std::string Write() {
    text_ = R"(id: "r" version: "1" title: "R" in_force { from: "2000-01-01" }
      scale { id: "two" level: "l0" level: "l1" }
      scale { id: "three" level: "l0" level: "l1" level: "l2" lowest_score: 1 })";
    const int inputs = 2 + Pick(3);
    for (int i = 0; i < inputs; ++i) Input(i);
    const int limits = Pick(3);
    for (int i = 0; i < limits; ++i) Limit(levels_[Choose(levels_)], "A");
    Stage("x");
    if (Pick(2) == 0) Stage("y");
    const auto& result = levels_.back();
    const int last = 1 + Pick(3);
    for (int i = 0; i < last; ++i) Limit(result, "Z");
    absl::StrAppend(&text_, "\nresult { value: \"", result.first, "\" }",
                    "\nproperty { id: \"MON\" monotone { result: \"", result.first,
                    "\" } basis: BASIS_ASSUMED }\n");
    return text_;
  }

 private:
  using Named = std::pair<std::string, int>;  // A value and its number of levels.

  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  size_t Choose(const std::vector<Named>& values) {
    return static_cast<size_t>(Pick(static_cast<int>(values.size())));
  }
  static const char* ScaleOf(int levels) { return levels == 2 ? "two" : "three"; }

  void Input(int i) {
    const std::string code = absl::StrCat("i", i);
    absl::StrAppend(&text_, "\ninput { code: \"", code, "\" ");
    const int kind = i < 2 ? Pick(2) : Pick(4);
    if (kind < 2) {
      absl::StrAppend(&text_, "scale: \"", ScaleOf(kind + 2), "\" ");
      levels_.emplace_back(code, kind + 2);
    } else {
      absl::StrAppend(&text_, kind == 2 ? "ratio" : "decimal",
                      " { lower_is_better: ", Pick(2) == 0 ? "true" : "false", " } ");
      numbers_.push_back(code);
    }
    const int missing = Pick(kind < 2 ? 3 : 2);
    absl::StrAppend(&text_,
                    missing == 0   ? "on_missing: ON_MISSING_REFUSE"
                    : missing == 1 ? "on_missing: ON_MISSING_ABSENT"
                                   : "on_missing: ON_MISSING_ASSUME assume: \"l0\"",
                    " basis: BASIS_ASSUMED }");
    read_.push_back(code);
  }

  std::string Condition(const std::string& target) {
    if (!numbers_.empty() && Pick(2) == 0) {
      static constexpr const char* kTests[] = {"above", "below", "at_least", "at_most"};
      return absl::StrCat(
          "any { value: \"", numbers_[static_cast<size_t>(Pick(static_cast<int>(numbers_.size())))],
          "\" ", kTests[Pick(4)], " { fraction { numerator: ", Pick(3), " denominator: 2 } } } ");
    }
    for (int tries = 0; tries < 20; ++tries) {
      const Named& value = levels_[Choose(levels_)];
      if (value.first >= target) continue;  // Only what comes before: no cycles.
      return absl::StrCat("any { value: \"", value.first, "\" ",
                          Pick(3) == 0 ? "level_at_least" : "level_at_most", ": \"l",
                          Pick(value.second), "\" } ");
    }
    return "";
  }

  void Limit(Named target, const std::string& prefix) {
    std::string conditions = Condition(target.first);
    if (Pick(2) == 0) absl::StrAppend(&conditions, Condition(target.first));
    if (conditions.empty()) return;
    const int kind = Pick(4);
    const bool veto = kind == 0;
    if (!veto && Pick(2) == 0) conditions = absl::StrReplaceAll(conditions, {{"any {", "all {"}});
    absl::StrAppend(&text_,
                    veto        ? "\nveto"
                    : kind == 1 ? "\nfloor"
                                : "\ncap",
                    " { id: \"", prefix, ++limits_, "\" target: \"", target.first, "\" ",
                    conditions, Pick(2) == 0 ? "unknown: ON_UNKNOWN_SKIP " : "");
    if (!veto) {
      absl::StrAppend(&text_, "limit: \"l", Pick(target.second), "\" ",
                      Pick(2) == 0 ? "if_absent: IF_ABSENT_LIMIT " : "");
    }
    absl::StrAppend(&text_, "basis: BASIS_ASSUMED }");
  }

  // A table of two values, or a band of their sum.
  void Stage(const std::string& output) {
    const int kind = Pick(4);
    if (kind == 0) return CountStage(output);
    if (kind == 1) return AdjustStage(output);
    const Named a = levels_[Choose(levels_)];
    Named b = levels_[Choose(levels_)];
    while (b.first == a.first) b = levels_[Choose(levels_)];
    const int levels = 2 + Pick(2);
    if (Pick(2) == 0) {
      absl::StrAppend(&text_, "\nmatrix { id: \"M", output, "\" from: \"", a.first, "\" from: \"",
                      b.first, "\" output: \"", output, "\" to: \"", ScaleOf(levels), "\"");
      for (int i = 0; i < a.second; ++i) {
        for (int j = 0; j < b.second; ++j) {
          const int wanted = std::min(levels - 1, (i + j + Pick(2)) / 2);
          absl::StrAppend(&text_, " row { when: \"l", i, "\" when: \"l", j, "\" then: \"l", wanted,
                          "\" basis: BASIS_ASSUMED }");
        }
      }
      absl::StrAppend(&text_, " }");
    } else {
      const bool mean = Pick(3) == 0;
      absl::StrAppend(&text_, "\nsum { id: \"S", output, "\" output: \"s", output,
                      "\" term { value: \"", a.first, "\" weight: ", 1 + Pick(3),
                      " } term { value: \"", b.first, "\" weight: ", 1 + Pick(3),
                      " } times: ", mean ? 4 : 1 + Pick(2), " over: ", 1 + Pick(3),
                      Pick(2) == 0 ? " round { unit: \"1\" }" : "", mean ? " mean: true" : "",
                      Need(), " basis: BASIS_ASSUMED }");
      Band(output, absl::StrCat("s", output), levels);
    }
    levels_.emplace_back(output, levels);
  }

  const char* Need() {
    static constexpr const char* kNeeds[] = {"", " need: NEED_AT_LEAST least: 1",
                                             " need: NEED_AT_LEAST least: 2",
                                             " need: NEED_MORE_THAN_HALF"};
    return kNeeds[Pick(4)];
  }

  void Band(const std::string& output, const std::string& from, int levels) {
    absl::StrAppend(&text_, "\nband { id: \"B", output, "\" from: \"", from, "\" output: \"",
                    output, "\" to: \"", ScaleOf(levels), "\"",
                    Pick(3) == 0 ? " direction: DIRECTION_AT_MOST" : "");
    const Named by = levels_[Choose(levels_)];
    if (Pick(3) != 0) {
      Cuts(levels - 1);
    } else {
      absl::StrAppend(&text_, " by: \"", by.first, "\"");
      const int lists = 1 + Pick(by.second);
      for (int list = 0; list < lists; ++list) {
        absl::StrAppend(&text_, " list { basis: BASIS_ASSUMED");
        for (int level = list; level < (list + 1 < lists ? list + 1 : by.second); ++level) {
          absl::StrAppend(&text_, " level: \"l", level, "\"");
        }
        const int lowest = Pick(levels - 1);
        absl::StrAppend(&text_, " lowest: \"l", lowest, "\"");
        Cuts(levels - 1 - lowest);
        absl::StrAppend(&text_, " }");
      }
    }
    absl::StrAppend(&text_, " basis: BASIS_ASSUMED }");
  }

  void Cuts(int cuts) {
    for (int at = Pick(2); cuts > 0; --cuts) {
      at += 1 + Pick(3);
      absl::StrAppend(&text_, " cut { decimal: \"", at, "\" }");
    }
  }

  // A band of how many conditions hold.
  void CountStage(const std::string& output) {
    const int levels = 2 + Pick(2);
    static constexpr const char* kUnknowns[] = {"", " unknown: COUNT_UNKNOWN_SKIP",
                                                " unknown: COUNT_UNKNOWN_AS_TRUE"};
    absl::StrAppend(&text_, "\ncount { id: \"N", output, "\" output: \"n", output, "\" ",
                    As("condition", output), As("condition", output), kUnknowns[Pick(3)],
                    " basis: BASIS_ASSUMED }");
    Band(output, absl::StrCat("n", output), levels);
    levels_.emplace_back(output, levels);
  }

  void AdjustStage(const std::string& output) {
    const Named from = levels_[Choose(levels_)];
    absl::StrAppend(&text_, "\nadjust { id: \"J", output, "\" from: \"", from.first,
                    "\" output: \"", output, "\"");
    const int steps = 1 + Pick(3);
    for (int i = 0; i < steps; ++i) {
      absl::StrAppend(&text_, " step { ", As("when", output),
                      " by: ", Pick(2) == 0 ? -1 - Pick(2) : 1 + Pick(2), " }");
    }
    if (Pick(3) == 0) {
      absl::StrAppend(&text_, " bound { ", As("when", output), " gain_at_most: ", Pick(2), " }");
    }
    absl::StrAppend(&text_, " basis: BASIS_ASSUMED }");
    levels_.emplace_back(output, from.second);
  }

  // A condition as this field; there are always inputs to test.
  std::string As(const std::string& field, const std::string& target) {
    std::string condition;
    while (condition.empty()) condition = Condition(target);
    return absl::StrReplaceAll(condition, {{"any {", absl::StrCat(field, " {")}});
  }

  std::mt19937 random_;
  std::string text_;
  std::vector<Named> levels_;
  std::vector<std::string> numbers_;
  std::vector<std::string> read_;
  int limits_ = 0;
};

}  // namespace starratings::verify
