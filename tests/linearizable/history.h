// What clients saw of an item: submits and reads, with the times between which
// each took effect.
#pragma once

#include <cstdint>
#include <istream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::linearizable {

// An etag, `ordinal.revision`: the ordinal-th statement of its item, made at
// that revision. 0.0: nothing was said.
struct Etag {
  int64_t ordinal = 0;
  int64_t revision = 0;

  friend bool operator==(const Etag&, const Etag&) = default;
};

// Reads `3.12`; empty and `*none*` are 0.0. Returns INVALID_ARGUMENT on others.
absl::StatusOr<Etag> ParseEtag(absl::string_view text);
std::string ToString(const Etag& etag);

struct Operation {
  enum class Kind { kSubmit, kRead };
  enum class Outcome {
    kOk,
    kMismatch,  // Of a submit: something else was there.
    kUnknown,   // It may have happened, at any time after the call, or not.
  };
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  int client = 0;
  std::string key;
  Kind kind = Kind::kRead;
  std::optional<Etag> expected;  // Of a submit: what must be there; unset: anything.
  std::string value;             // Of a submit: what it says.
  // In any unit of one clock. Operations that only touch are taken as
  // overlapping.
  int64_t call = 0;
  int64_t finish = kNever;  // kNever if unknown.
  Outcome outcome = Outcome::kOk;
  Etag seen;               // Its new etag, or the one that it found instead.
  std::string value_seen;  // Of a read; empty if nothing was there.
};

// `client 2 read 3.12 "b" [100, 180]`, for people.
std::string ToString(const Operation& operation);

// Reads one JSON object a line:
//   {"client": 2, "key": "hull", "op": "submit" | "read",
//    "etag_expected": "3.12" | null, "value": "b" | null,
//    "call_us": 100, "return_us": 180 | null,
//    "outcome": "ok" | "mismatch" | "unknown",
//    "etag_seen": "4.13" | null, "value_seen": "b" | null}
// An `etag_expected` of null is unconditional, `*none*` says that nothing must
// be there; a `return_us` of null makes the outcome unknown. Returns
// INVALID_ARGUMENT naming the line.
absl::StatusOr<std::vector<Operation>> ReadHistory(std::istream& in);

}  // namespace starratings::linearizable
