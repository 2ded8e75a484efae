// Pairs of a scheme and evidence, and what the product makes of them, for the second
// implementation. Prints a JSON object a line: a scheme with dossiers, then an answer for
// each of them.
//
//   reference_pairs SCHEMES DOSSIERS FIRST STEP  random schemes FIRST, FIRST + STEP, ...
//   reference_pairs FOLDER DOSSIERS              the scheme that is shipped there
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/escaping.h"
#include "common/wire/scheme_text.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/rating/rating.h"
#include "tests/reference/dossier_author.h"

namespace starratings::reference {
namespace {

using nlohmann::json;
namespace v1 = scheme::v1;

const char* KindOf(const rating::StepFinding& step) {
  if (step.veto) return "VETO";
  switch (step.kind) {
    case scheme::StageKind::kSum:
      return "SUM";
    case scheme::StageKind::kBand:
      return "BAND";
    case scheme::StageKind::kMatrix:
      return "MATRIX";
    case scheme::StageKind::kCount:
      return "COUNT";
    case scheme::StageKind::kAdjust:
      return "ADJUST";
    case scheme::StageKind::kLimit:
      break;
  }
  return step.floor ? "FLOOR" : "CAP";
}

json OutcomeOf(const rating::ResultOutcome& result) {
  const std::string& outcome = result.level.empty() ? result.number : result.level;
  if (!result.not_rated) return {result.id, outcome, "", "", ""};
  return {result.id, outcome, rating::ToString(result.not_rated->reason), result.not_rated->rule_id,
          result.not_rated->code};
}

json ResultsOf(const rating::Rating& rating) {
  json results = json::array();
  for (const rating::ResultOutcome& result : rating.results) results.push_back(OutcomeOf(result));
  return results;
}

// What they would be without overrides; empty if there was none.
json MechanicalOf(const rating::Rating& rating) {
  json results = json::array();
  for (const rating::ResultOutcome& result : rating.results) {
    if (result.mechanical != nullptr) results.push_back(OutcomeOf(*result.mechanical));
  }
  return results;
}

json AnswerTo(const scheme::Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date) {
  const rating::Explanation explained = rating::Explain(scheme, dossier, date);
  json answer = {{"results", ResultsOf(explained.rating)},
                 {"mechanical", MechanicalOf(explained.rating)},
                 {"digest", digest::ToHex(explained.rating.digest)}};
  const rating::Rating alone = rating::Rate(scheme, dossier, date);
  if (ResultsOf(alone) != answer["results"] || alone.digest != explained.rating.digest) {
    std::cerr << "a rating differs without its trace:\n" << scheme.text << ToJson(dossier);
    std::abort();
  }
  json& decisions = answer["decisions"] = json::array();
  for (const rating::Decision& decision : explained.rating.decisions) {
    decisions.push_back({decision.id, decision.code, decision.previous, decision.state,
                         rating::ToString(decision.move)});
  }
  json& consequences = answer["consequences"] = json::array();
  for (const scheme::Consequence* consequence : explained.rating.consequences) {
    consequences.push_back({consequence->id});
  }
  json& readings = answer["readings"] = json::array();
  for (const rating::ReadingFinding& reading : explained.readings) {
    readings.push_back(
        {reading.code, reading.value, rating::ToString(reading.absent), reading.assumed});
  }
  json& steps = answer["steps"] = json::array();
  for (const rating::StepFinding& step : explained.steps) {
    steps.push_back({step.rule_id, KindOf(step), step.target, step.before, step.after, step.fired,
                     step.decided, step.binding});
  }
  return answer;
}

// The dossiers are the cohort of each other.
void Print(const v1::Scheme& message, uint32_t seed, int count) {
  const std::optional<scheme::Scheme> scheme = Resolved(TextOf(message));
  if (!scheme) return;  // For example a sum of so many ratios that it has too many digits.
  DossierAuthor author(*scheme, seed);
  rating::Cohort cohort(*scheme);
  std::vector<evidence::Dossier> dossiers;
  json written = json::array();
  for (int i = 0; i < count; ++i) {
    dossiers.push_back(author.Write());
    cohort.Add(dossiers.back(), author.date());
    written.push_back(ToJson(dossiers.back()));
  }
  std::cout << json{{"seed", seed},
                    {"scheme", absl::Base64Escape(message.SerializeAsString())},
                    {"date", author.date().ToString()},
                    {"dossiers", written}}
            << "\n";
  const scheme::Scheme bound = rating::Bind(*scheme, cohort.Derive());
  for (const evidence::Dossier& dossier : dossiers) {
    std::cout << AnswerTo(bound, dossier, author.date()) << "\n";
  }
}

int Main(int argc, char** argv) {
  if (argc == 3) {
    std::ifstream in(std::string(argv[1]) + "/scheme.textproto");
    Print(*wire::ParseScheme(std::string(std::istreambuf_iterator<char>(in), {})), 1,
          std::atoi(argv[2]));
    return 0;
  }
  if (argc != 5) return 2;
  const auto schemes = static_cast<uint32_t>(std::atoi(argv[1]));
  const auto step = static_cast<uint32_t>(std::atoi(argv[4]));
  for (auto seed = static_cast<uint32_t>(std::atoi(argv[3])); seed < schemes; seed += step) {
    Print(SchemeAuthor(seed).Write(), seed, std::atoi(argv[2]));
  }
  return 0;
}

}  // namespace
}  // namespace starratings::reference

int main(int argc, char** argv) { return starratings::reference::Main(argc, argv); }
