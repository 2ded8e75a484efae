// How many decisions a second the evaluator makes on one core, on a million dossiers
// of 64 bytes in memory, beside C++ written by hand for the scheme and beside reading
// those bytes and nothing else.
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "rating-svc/rating/tables.h"
#include "tests/bench/records.h"

namespace starratings::bench {
namespace {

constexpr int kTurns = 7;

// The evaluator's and the others' rates, each a turn after the other.
struct Rates {
  std::vector<double> plain, traced, by_hand, memory;
};

// What this thread has used of a core, in seconds: what else the machine does is no
// matter.
double Used() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

template <typename Work>
void Time(std::vector<double>& rates, size_t count, Work work) {
  const double begun = Used();
  work();
  rates.push_back(static_cast<double>(count) / (Used() - begun));
}

double Median(std::vector<double>& rates) {
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

// Where a record has what each input reads.
rating::Packing Packed() {
  rating::Packing packing = {sizeof(Record), {}};
  for (size_t i = 0; i < kJudgements; ++i) packing.offsets.push_back(static_cast<uint32_t>(i));
  for (size_t i = 0; i < kIndicators; ++i) {
    packing.offsets.push_back(
        static_cast<uint32_t>(offsetof(Record, indicators) + i * sizeof(Ratio)));
  }
  packing.offsets.push_back(offsetof(Record, listed));
  return packing;
}

// All bytes, as fast as they come: sums that do not wait for each other.
uint64_t Sum(std::span<const Record> records) {
  const auto* words = reinterpret_cast<const uint64_t*>(records.data());
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (const uint64_t* const end = words + 8 * records.size(); words != end; words += 8) {
    a += words[0] + words[4];
    b += words[1] + words[5];
    c += words[2] + words[6];
    d += words[3] + words[7];
  }
  return a + b + c + d;
}

void Report(const char* name, double value, double limit, const char* against, double goal) {
  std::printf(
      "{\"name\": \"%s\", \"value\": %.0f, \"unit\": \"decisions/s\", \"limit\": %.0f, "
      "\"against\": \"%s\", \"goal\": %g}\n",
      name, value, limit, against, goal);
}

int Main() {
  const auto scheme = England();
  const std::vector<Record> records = Million(Cases(*scheme));
  std::vector<uint8_t> expected(records.size()), stars(records.size());
  const auto tables = rating::Tables::Of(*scheme, Packed());
  if (!tables) return 1;
  const std::span<const uint8_t> bytes = {reinterpret_cast<const uint8_t*>(records.data()),
                                          sizeof(Record) * records.size()};
  std::vector<uint64_t> traces(records.size());
  uint64_t sum = 0;
  Rates rates;
  for (int turn = 0; turn < kTurns; ++turn) {
    Time(rates.memory, records.size(), [&] { sum += Sum(records); });
    Time(rates.by_hand, records.size(), [&] { StarsByHand(records, expected); });
    Time(rates.plain, records.size(), [&] { tables->Evaluate(bytes, stars); });
    if (stars != expected) return 1;
    Time(rates.traced, records.size(), [&] { tables->EvaluateTraced(bytes, stars, traces); });
    if (stars != expected) return 1;
  }
  std::fprintf(stderr, "checksum %lu\n", sum);  // So that it is read.
  const double plain = Median(rates.plain);
  const double by_hand = Median(rates.by_hand);
  const char* const code = "C++ by hand for the scheme";
  Report("evaluator, a million dossiers of 64 bytes", plain, by_hand, code, 0.5);
  Report("the same, beside their bytes", plain, Median(rates.memory), "reading them", 0.3);
  Report("the same, with packed traces", Median(rates.traced), by_hand, code, 0.3);
  return 0;
}

}  // namespace
}  // namespace starratings::bench

int main() { return starratings::bench::Main(); }
