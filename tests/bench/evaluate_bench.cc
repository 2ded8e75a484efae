// How many decisions a second the evaluator makes on one core, on the shape of
// the 2002 scheme: every profile of judgements with varied indicators.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "rating-svc/rating/test_schemes.h"

namespace starratings::rating {
namespace {

constexpr int kRuns = 7;
constexpr int kRounds = 40;

std::vector<std::vector<Value>> Dossiers() {
  std::vector<std::vector<Value>> all;
  for (int profile = 0; profile < 256; ++profile) {
    for (int variant = 0; variant < 32; ++variant) {
      std::vector<Value> readings =
          Judgements(profile / 64, profile / 16 % 4, profile / 4 % 4, profile % 4);
      for (int k = 0; k < 5; ++k) {
        if ((variant >> k & 1) == 0) continue;
        readings[static_cast<size_t>(kPlacements + k)] = Value::Number(7 * profile + k, 2'000);
      }
      readings[kListState] = Value::Level(variant % 2);
      all.push_back(std::move(readings));
    }
  }
  return all;
}

// Decisions a second; the median of some runs. The sum of all stars is printed,
// so that nothing is optimised away.
template <typename Decide>
double Measure(const scheme::Scheme& scheme, const std::vector<std::vector<Value>>& dossiers,
               Decide decide) {
  Evaluation evaluation(scheme);
  std::vector<double> rates;
  long stars = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    for (int round = 0; round < kRounds; ++round) {
      for (const std::vector<Value>& readings : dossiers) {
        decide(scheme, readings, evaluation);
        stars += evaluation.ResultOf(scheme, 0).level;
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    rates.push_back(static_cast<double>(dossiers.size()) * kRounds / took.count());
  }
  std::sort(rates.begin(), rates.end());
  std::fprintf(stderr, "checksum %ld\n", stars);
  return rates[kRuns / 2];
}

void Report(const char* name, double value, double goal) {
  std::printf("{\"name\": \"%s\", \"value\": %.0f, \"unit\": \"decisions/s\", \"limit\": %.0f}\n",
              name, value, goal);
}

int Main() {
  const scheme::Scheme scheme = EnglandShape();
  const std::vector<std::vector<Value>> dossiers = Dossiers();
  Report("evaluator, one core, without trace",
         Measure(scheme, dossiers,
                 [](const scheme::Scheme& s, std::span<const Value> r, Evaluation& e) {
                   Evaluate(s, r, e);
                 }),
         10'000'000);
  Report("evaluator, one core, with trace",
         Measure(scheme, dossiers,
                 [](const scheme::Scheme& s, std::span<const Value> r, Evaluation& e) {
                   EvaluateTraced(s, r, e);
                 }),
         5'000'000);
  return 0;
}

}  // namespace
}  // namespace starratings::rating

int main() { return starratings::rating::Main(); }
