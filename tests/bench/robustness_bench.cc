// How long exact star probabilities take for one organisation, on one core, on the shape of the
// 2002 scheme: five indicators that vary, at denominators as councils have them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "rating-svc/analysis/robustness.h"
#include "rating-svc/rating/test_schemes.h"

namespace starratings::analysis {
namespace {

constexpr int kRuns = 7;
constexpr int kOrganisations = 20'000;

std::vector<std::vector<rating::Value>> Dossiers() {
  std::mt19937 random(20020530);
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<uint32_t>(below));
  };
  std::vector<std::vector<rating::Value>> all;
  for (int i = 0; i < kOrganisations; ++i) {
    std::vector<rating::Value> readings = rating::Judgements(pick(4), pick(4), pick(4), pick(4));
    const auto share = [&](int most, int least_percent, int most_percent) {
      const int denominator = 30 + pick(most - 30);
      const int percent = least_percent + pick(most_percent - least_percent + 1);
      return rating::Value::Number(denominator * percent / 100, denominator);
    };
    readings[rating::kPlacements] = share(600, 8, 24);
    readings[rating::kReRegistrations] = share(300, 5, 28);
    readings[rating::kChildrensHomes] = share(60, 90, 100);
    readings[rating::kAdultHomes] = share(300, 95, 100);
    readings[rating::kEquipment] = share(1'000, 70, 98);
    all.push_back(std::move(readings));
  }
  return all;
}

int Main() {
  const scheme::Scheme scheme = rating::EnglandShape();
  const std::vector<std::vector<rating::Value>> dossiers = Dossiers();
  std::vector<double> took_us;
  double lowest = 0;
  for (int run = 0; run < kRuns; ++run) {
    Assessor assessor(scheme, 0, RateModel::kJeffreys);
    const auto begun = std::chrono::steady_clock::now();
    for (const auto& readings : dossiers) lowest += assessor.Assess(readings).levels[0];
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begun;
    took_us.push_back(took.count() / kOrganisations);
  }
  std::sort(took_us.begin(), took_us.end());
  // So that nothing is optimised away.
  std::fprintf(stderr, "checksum %f\n", lowest);
  std::printf(
      "{\"name\": \"exact star probabilities\", \"value\": %.3f, \"unit\": \"us\", \"limit\": 2}\n",
      took_us[kRuns / 2]);
  return 0;
}

}  // namespace
}  // namespace starratings::analysis

int main() { return starratings::analysis::Main(); }
