// What a watch promises, one function for each promise, over a recorded stream
// and the log it is of. Each returns the first breach, or OK. They know neither
// gRPC nor the tail: what they are given, they judge.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "assessment-svc/store/store.h"
#include "common/evidence/evidence.h"

namespace starratings::store {

// A message of a stream.
struct WatchMessage {
  std::vector<evidence::RecordedItem> items;
  bool more = false;
  std::optional<int64_t> revision;  // Of the snapshot, if there is one.
  int64_t register_changed = 0;
};

// A stream that began after revision `after`, and ended or was cut anywhere.
struct WatchRecording {
  int64_t after = 0;
  std::function<bool(const evidence::RecordedItem&)> passes;  // The filter.
  std::vector<WatchMessage> messages;

  // What to resume after.
  int64_t Told() const;
};

// The log from revision 1 on, every revision as a whole.
using WatchedLog = std::vector<LoggedRevision>;

// Reads it up to `head`, putting the parts of a revision together.
WatchedLog ReadWholeLog(const EvidenceStore& store, int64_t head);

// By revision, and within one in the order of its write.
absl::Status CheckOrdered(const WatchRecording& recording, const WatchedLog& log);
// Nothing comes twice.
absl::Status CheckUnique(const WatchRecording& recording);
// Nothing that passes the filter is left out, up to what the stream has told;
// and what is said is what the log says.
absl::Status CheckReliable(const WatchRecording& recording, const WatchedLog& log);
// A message holds whole revisions; where a revision takes several messages, all
// but the last say `more` and hold nothing else.
absl::Status CheckAtomic(const WatchRecording& recording, const WatchedLog& log);
// `rest`, which resumed after the revision that message `at` of `whole` told,
// says what `whole` says after it.
absl::Status CheckResumable(const WatchRecording& whole, size_t at, const WatchRecording& rest);
// The first message is a bookmark of where the stream begins; every message has
// a revision unless it says `more`; they never decrease; the last is `head`.
absl::Status CheckBookmarked(const WatchRecording& recording, int64_t head);
// Nothing that the filter hides is said.
absl::Status CheckFiltered(const WatchRecording& recording);
// Each message says the newest revision that changed the register since the
// message before.
absl::Status CheckRegisterChanges(const WatchRecording& recording, const WatchedLog& log);

// All that need one stream; the breach names its promise. The stream must have
// been heard up to `head`.
absl::Status CheckWatch(const WatchRecording& recording, const WatchedLog& log, int64_t head);

}  // namespace starratings::store
