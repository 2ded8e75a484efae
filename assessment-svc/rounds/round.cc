#include "assessment-svc/rounds/round.h"

#include <cassert>

#include "absl/strings/str_cat.h"

namespace starratings::rounds {

const char* ToString(State state) {
  switch (state) {
    case State::kOpen:
      return "OPEN";
    case State::kFrozen:
      return "FROZEN";
    case State::kRated:
      return "RATED";
    case State::kPublished:
      return "PUBLISHED";
    case State::kSuperseded:
      return "SUPERSEDED";
    case State::kWithdrawn:
      return "WITHDRAWN";
  }
  return "";
}

std::optional<State> StateFromString(absl::string_view name) {
  for (const State state : {State::kOpen, State::kFrozen, State::kRated, State::kPublished,
                            State::kSuperseded, State::kWithdrawn}) {
    if (name == ToString(state)) return state;
  }
  return std::nullopt;
}

std::string History::Etag() const {
  assert(!acts.empty());
  return absl::StrCat("r", acts.back().revision);
}

std::optional<int64_t> History::PublishedAt() const {
  for (const Act& act : acts) {
    if (act.state == State::kPublished) return act.revision;
  }
  return std::nullopt;
}

}  // namespace starratings::rounds
