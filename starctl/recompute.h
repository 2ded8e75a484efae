// Recomputes an exported round: everything in the file that can be computed,
// from what cannot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "starctl/round_file.h"

namespace starratings::starctl {

// Where the file first says something else than was computed.
struct Difference {
  int64_t line = 0;
  std::string organisation;  // Empty: not about one.
  std::string what;          // For example `result stars`.
  std::string recorded;      // What the file says.
  std::string recomputed;
};

struct Recomputed {
  std::optional<Difference> difference;  // None: all is as the file says.
  std::string round;
  std::string scheme;         // `id@version`
  int64_t organisations = 0;  // Up to the difference.
  int64_t items = 0;
  std::string round_digest;  // As computed; empty where there is a difference before.
};

// Reads the file once and holds one organisation of it. Stops at the first
// difference. Returns BAD_FILE if it is no exported round, or not whole.
absl::StatusOr<Recomputed> Recompute(RoundFileReader& file);

}  // namespace starratings::starctl
