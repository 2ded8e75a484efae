// The log as a list, and what it says: a fold from its start. Of memory_store.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// The order of organisations everywhere: (bucket, id).
using Place = std::pair<int, std::string>;
Place PlaceOf(const std::string& organisation);

// An empty filter matches everything.
template <typename T>
bool Matches(const std::vector<T>& filter, const T& value) {
  return filter.empty() || std::find(filter.begin(), filter.end(), value) != filter.end();
}

// An accepted write.
struct LogEntry {
  Commit commit;
  Nonce nonce;
  Write write;
};

// What the log says up to a revision.
struct LogState {
  std::map<evidence::ItemKey, std::vector<evidence::RecordedItem>> items;  // Oldest first.
  std::map<Place, evidence::Organisation> organisations;
  std::map<std::string, evidence::Period> periods;
  std::map<std::string, RegisteredCode> codes;
  std::vector<SchemeRow> schemes;
  std::map<std::string, Commit> approvals;  // By digest.
  std::map<std::string, std::vector<RoundVersion>> rounds;
  std::map<std::string, std::set<std::string>> chosen;  // By round.
  int64_t registered = 0;  // The last revision that registered something.

  // Null if nobody ever said anything under `key`.
  const evidence::RecordedItem* NewestOf(const evidence::ItemKey& key) const;
};

// Adds what `entry` says.
void Apply(const LogEntry& entry, LogState& state);

// The ids of the rounds that `write` changes, in order.
std::vector<std::string> RoundsOf(const Write& write);

// OK if `write` may follow `state`.
absl::Status Decide(const Write& write, const LogState& state);

}  // namespace starratings::store
