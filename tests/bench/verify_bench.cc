// How long each shipped scheme takes to be parsed, resolved and proven. Prints one
// JSON line a scheme; the median of several runs counts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "rating-svc/verify/verify.h"

namespace {

constexpr int kRuns = 21;
constexpr double kGoalMs = 100;

// Returns false if the scheme does not verify.
bool Measure(const std::filesystem::path& folder) {
  std::ifstream in(folder / "scheme.textproto", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<double> took_ms;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const auto verification = starratings::verify::Verify(text);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (verification.scheme == nullptr) {
      std::fprintf(stderr, "%s does not verify\n", folder.c_str());
      return false;
    }
    took_ms.push_back(took.count());
  }
  std::nth_element(took_ms.begin(), took_ms.begin() + kRuns / 2, took_ms.end());
  std::printf("{\"name\": \"verify %s\", \"value\": %.3f, \"unit\": \"ms\", \"limit\": %.0f}\n",
              folder.filename().c_str(), took_ms[kRuns / 2], kGoalMs);
  return true;
}

}  // namespace

int main() {
  std::vector<std::filesystem::path> folders;
  for (const auto& folder :
       std::filesystem::directory_iterator(SOURCE_ROOT "/rating-svc/schemes")) {
    if (folder.is_directory()) folders.push_back(folder.path());
  }
  std::sort(folders.begin(), folders.end());
  return std::all_of(folders.begin(), folders.end(), Measure) ? 0 : 1;
}
