// What bench_load does: calls a service as fast, or as often, as it is told to,
// and says how long the answers took.
#pragma once

#include <string>
#include <vector>

namespace starratings::bench {

struct LoadOptions {
  std::string kind;        // See load_main.cc.
  std::string address;     // HOST:PORT.
  std::string watch;       // HOST:PORT of a replica to watch meanwhile; empty: none.
  int callers = 64;        // Calls in flight.
  int channels = 4;        // Connections of their own.
  double rate = 0;         // Calls a second, however long they take; 0: `callers` at a time.
  bool refusable = false;  // Count what is refused, RESOURCE_EXHAUSTED, and go on.
  int trace = 0;           // Of `rate`: a rating.v1.TraceDetail.
  int items = 1;           // Of `submit`, in one call.
  double seconds = 2;      // Measured, after a warm-up of a quarter.
  int organisations = 1000;
  int codes = 25;
  int batch = 10'000;     // Items of a batch.
  int revisions = 1;      // How often `ingest` says every item.
  int request_bytes = 0;  // Of an echo; with reply_bytes.
  int reply_bytes = 0;
  std::string token;              // Reads are exactly at this; empty: latest.
  std::string scheme = "many@1";  // Of `rate`, which reads at minimize_latency.
  std::string date = "2002-05-30";
  std::string round = "r";  // Of `round`, which is rated compact.
};

// `home-00042`.
std::string OrganisationId(int i);
// `code.07`.
std::string CodeId(int i);
// A new UUID.
std::string NewUuid();

// The q-th quantile; sorts. 0 if there are none.
double Quantile(std::vector<double>& values, double q);

// Each returns what it found as an object of JSON.
std::string RunUnary(const LoadOptions& options);
std::string RunIngest(const LoadOptions& options);
std::string RunExport(const LoadOptions& options);
std::string RunRound(const LoadOptions& options);

// Answers every call with as many bytes as the first four of its request say;
// prints its address, and ends with standard input.
void ServeEcho();

}  // namespace starratings::bench
