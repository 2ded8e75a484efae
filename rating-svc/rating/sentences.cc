#include "rating-svc/rating/sentences.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace starratings::rating {
namespace {

using scheme::StageKind;

std::string TitleOf(const scheme::Scheme& scheme, size_t result) {
  const scheme::Result& declared = scheme.results[result];
  return declared.title.empty() ? scheme.values[static_cast<size_t>(declared.value)].name
                                : declared.title;
}

// What a result is, for the end of a sentence: `is rated "2" for stars`.
std::string Outcome(const ResultOutcome& result, const std::string& title) {
  if (result.not_rated) {
    return absl::StrCat("has no rating for ", title, ": ", result.not_rated->code, " is ",
                        ToString(result.not_rated->reason), ", and ", result.not_rated->rule_id,
                        " does not go on without it.");
  }
  return absl::StrCat("is rated ", Quote(result.level.empty() ? result.number : result.level),
                      " for ", title, ".");
}

void AddResults(const scheme::Scheme& scheme, const Rating& rating,
                std::vector<std::string>& sentences) {
  for (size_t i = 0; i < rating.results.size(); ++i) {
    sentences.push_back(
        absl::StrCat(rating.name, " ", Outcome(rating.results[i], TitleOf(scheme, i))));
  }
}

// What persons decided, and what the scheme makes of the rest.
void AddOverrides(const scheme::Scheme& scheme, const Explanation& explanation,
                  std::vector<std::string>& sentences) {
  for (const ReadingFinding& reading : explanation.readings) {
    if (reading.item == nullptr || !reading.item->item.overriding) continue;
    const evidence::Override& override_ = *reading.item->item.overriding;
    const std::string until = override_.expires_on.ToString();
    if (reading.gap == Absent::kNo) {
      sentences.push_back(absl::StrCat(reading.code, " is an override, decided by ",
                                       override_.authority, " and in force until before ", until,
                                       ": ", Quote(reading.item->reason), "."));
    } else if (reading.gap == Absent::kExpired) {
      sentences.push_back(absl::StrCat("The override of ", reading.code, " by ",
                                       override_.authority, " counts no more: it expired on ",
                                       until, "."));
    } else {
      sentences.push_back(absl::StrCat("The override of ", reading.code, " by ",
                                       override_.authority, " does not count: it is ",
                                       ToString(reading.gap), "."));
    }
  }
  for (size_t i = 0; i < explanation.rating.results.size(); ++i) {
    const ResultOutcome* const mechanical = explanation.rating.results[i].mechanical.get();
    if (mechanical == nullptr) continue;
    sentences.push_back(absl::StrCat("Without overrides, ", explanation.rating.name, " ",
                                     Outcome(*mechanical, TitleOf(scheme, i))));
  }
}

// The rules that reached the result, and what each of them was worth.
void AddRules(const Explanation& explanation, std::vector<std::string>& sentences) {
  std::vector<std::string> alone;
  for (const StepFinding& step : explanation.steps) {
    if (!step.decided) continue;
    sentences.push_back(step.sentence);
    if (!step.binding) {
      alone.push_back(step.rule_id);
    } else if (step.kind == StageKind::kLimit) {
      sentences.push_back(
          absl::StrCat("Without ", step.rule_id, " the result would be different."));
    }
  }
  if (alone.size() > 1) {
    sentences.push_back(absl::StrCat("No rule is binding by itself: each of ", alone.size(),
                                     " rules alone is enough (", absl::StrJoin(alone, ", "), ")."));
  }
}

void AddGaps(const Explanation& explanation, std::vector<std::string>& sentences) {
  std::vector<std::string> gaps;
  for (const ReadingFinding& reading : explanation.readings) {
    if (reading.absent != Absent::kNo) {
      gaps.push_back(absl::StrCat(reading.code, " (", ToString(reading.absent), ")"));
    }
    if (reading.assumed) {
      sentences.push_back(absl::StrCat(reading.code,
                                       reading.gap == Absent::kNotReported
                                           ? " was not reported"
                                           : absl::StrCat(" is ", ToString(reading.gap)),
                                       "; the scheme assumes ", Quote(reading.value), "."));
    }
  }
  if (!gaps.empty()) {
    sentences.push_back(absl::StrCat("Without a value: ", absl::StrJoin(gaps, ", "), "."));
  }
}

void AddMoves(const Rating& rating, std::vector<std::string>& sentences) {
  for (const Decision& decision : rating.decisions) {
    switch (decision.move) {
      case Move::kEntered:
        sentences.push_back(absl::StrCat("It enters the list (", decision.code, ")."));
        break;
      case Move::kRemained:
        sentences.push_back(absl::StrCat("It remains on the list (", decision.code, ")."));
        break;
      case Move::kLeft:
        sentences.push_back(absl::StrCat("It leaves the list (", decision.code, ")."));
        break;
      case Move::kUnknown:
        sentences.push_back(absl::StrCat("Its state on the list was not known before; it is now ",
                                         Quote(decision.state), " (", decision.code, ")."));
        break;
      case Move::kNone:
        break;
    }
  }
}

void AddGrounds(const Explanation& explanation, std::vector<std::string>& sentences) {
  for (const ResultOutcome& result : explanation.rating.results) {
    if (result.not_rated || result.basis != scheme::Basis::kAssumed) continue;
    std::vector<std::string> assumed;
    for (const StepFinding& step : explanation.steps) {
      if (step.decided && step.basis == scheme::Basis::kAssumed) assumed.push_back(step.rule_id);
    }
    sentences.push_back(absl::StrCat("The result rests on a reconstruction of the scheme",
                                     assumed.empty() ? "" : ": ", absl::StrJoin(assumed, ", "),
                                     assumed.empty() ? "." : " (ASSUMED)."));
    break;
  }
  for (const StepFinding& step : explanation.steps) {
    if (!step.decided || step.allowed.empty()) continue;
    std::vector<std::string> levels;
    for (const std::string& level : step.allowed) levels.push_back(Quote(level));
    sentences.push_back(absl::StrCat("For ", step.target,
                                     " the declared principles alone would allow ",
                                     absl::StrJoin(levels, " or "), " (", step.rule_id, ")."));
  }
  const auto reconstructed = std::count_if(
      explanation.readings.begin(), explanation.readings.end(), [](const ReadingFinding& reading) {
        return reading.item != nullptr && reading.item->item.source->reconstructed;
      });
  if (reconstructed > 0) {
    sentences.push_back(
        reconstructed == 1
            ? "1 value it reads is reconstructed: nobody published it."
            : absl::StrCat(reconstructed,
                           " values it reads are reconstructed: nobody published them."));
  }
}

}  // namespace

std::string Quote(absl::string_view text) { return absl::StrCat("\"", text, "\""); }

std::vector<std::string> Summarise(const scheme::Scheme& scheme, const Explanation& explanation) {
  std::vector<std::string> sentences;
  AddResults(scheme, explanation.rating, sentences);
  AddOverrides(scheme, explanation, sentences);
  AddRules(explanation, sentences);
  AddGaps(explanation, sentences);
  AddMoves(explanation.rating, sentences);
  AddGrounds(explanation, sentences);
  return sentences;
}

}  // namespace starratings::rating
