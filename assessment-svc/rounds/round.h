// A round as a value: one exercise of rating, from the first plan to
// publication.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/evidence/date.h"
#include "common/evidence/register.h"

namespace starratings::rounds {

// The numbers are those of the wire and of the record.
enum class State {
  kOpen = 1,
  kFrozen = 2,
  kRated = 3,
  kPublished = 4,
  kSuperseded = 5,
  kWithdrawn = 6,
};

// "OPEN" and so on.
const char* ToString(State state);
std::optional<State> StateFromString(absl::string_view name);

// Who is rated. Empty filters match everybody.
struct Selector {
  std::vector<std::string> kinds;
  std::vector<std::string> regions;
  std::vector<std::string> organisations;

  friend bool operator==(const Selector&, const Selector&) = default;
};

// What a round says; every act makes a new version of it.
struct Round {
  std::string id;
  std::string title;
  State state = State::kOpen;
  Selector selector;
  std::string period;
  evidence::Date date;
  std::string scheme_id;
  std::string scheme_version;
  std::string scheme_digest;  // Hexadecimal; from the freeze on.
  std::string refreshes;      // The round it refreshes; may be empty.
  int64_t frozen_revision = 0;
  int64_t organisation_count = 0;
  std::string attempt;        // Names the ratings that were recorded.
  std::string round_digest;   // Over them; hexadecimal.
  std::string superseded_by;  // May be empty.

  friend bool operator==(const Round&, const Round&) = default;
};

// Something that was done to a round: the state it led to, and by whom.
struct Act {
  State state = State::kOpen;
  std::string actor;
  int64_t revision = 0;
};

// A round and everything that was done to it, oldest first; never empty.
struct History {
  Round round;
  std::vector<Act> acts;

  // What a caller names in the next act: `r` and the revision of the last one.
  std::string Etag() const;

  // The revision that made it public; nothing if that never happened.
  std::optional<int64_t> PublishedAt() const;

  // Whether readers may see its ratings: it was published once. One that was
  // superseded or withdrawn after that stays readable.
  bool IsPublic() const { return PublishedAt().has_value(); }
};

}  // namespace starratings::rounds
