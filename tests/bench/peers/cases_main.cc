// bench_cases: every case and its stars by the evaluator, as JSON for the peers. Of an
// indicator numerator and denominator; null where it was not reported.
#include <cstdio>
#include <vector>

#include "tests/bench/records.h"

namespace starratings::bench {
namespace {

// Names in most languages have no dots.
std::string NameOf(const scheme::Input& input) {
  std::string name = input.code;
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

void Print(const scheme::Scheme& scheme, const Record& record, int stars) {
  std::printf("{");
  for (size_t i = 0; i < kJudgements; ++i) {
    std::printf("\"%s\": %d, ", NameOf(scheme.inputs[i]).c_str(), record.levels[i]);
  }
  for (size_t i = 0; i < kIndicators; ++i) {
    const auto [numerator, denominator] = record.indicators[i];
    const std::string name = NameOf(scheme.inputs[kJudgements + i]);
    if (denominator == 0) {
      std::printf("\"%s\": null, ", name.c_str());
    } else {
      std::printf("\"%s\": [%u, %u], ", name.c_str(), numerator, denominator);
    }
  }
  std::printf("\"stars\": %d}", stars);
}

}  // namespace

int Main() {
  const auto scheme = England();
  rating::Evaluation evaluation(*scheme);
  std::vector<rating::Value> readings(scheme->inputs.size());
  const char* before = "[\n";
  for (const Record& record : Cases(*scheme)) {
    Read(record, readings);
    rating::Evaluate(*scheme, readings, evaluation);
    std::printf("%s", before);
    Print(*scheme, record, evaluation.ResultOf(*scheme, 0).level);
    before = ",\n";
  }
  std::printf("\n]\n");
  return 0;
}

}  // namespace starratings::bench

int main() { return starratings::bench::Main(); }
