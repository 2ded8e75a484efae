// How long a scheme takes to be parsed, resolved and proven. Prints one JSON
// line; the median of several runs counts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "rating-svc/verify/verify.h"

int main() {
  constexpr int kRuns = 21;
  constexpr double kGoalMs = 100;
  std::ifstream in(SOURCE_ROOT "/rating-svc/schemes/england-social-services-2002/scheme.textproto",
                   std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<double> took_ms;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const auto verification = starratings::verify::Verify(text);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (verification.scheme == nullptr) {
      std::fprintf(stderr, "the scheme does not verify\n");
      return 1;
    }
    took_ms.push_back(took.count());
  }
  std::nth_element(took_ms.begin(), took_ms.begin() + kRuns / 2, took_ms.end());
  const double value = took_ms[kRuns / 2];
  std::printf(
      "{\"name\": \"verify england-2002\", \"value\": %.3f, \"unit\": \"ms\", \"limit\": %.0f}\n",
      value, kGoalMs);
  return 0;
}
