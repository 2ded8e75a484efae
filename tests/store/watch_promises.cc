#include "tests/store/watch_promises.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest/sha256.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

using evidence::RecordedItem;

// All of an item.
std::string Describe(const RecordedItem& item) {
  const evidence::ItemKey& key = item.item.key;
  return absl::StrCat(item.revision, ": ", key.organisation, "/", key.period, "/", key.code, "/",
                      key.instance, "=", evidence::ToString(item.item.value), " from ",
                      item.item.source->title, " etag ", item.Etag(), " by ", item.actor, " as ",
                      item.reason, " ", digest::ToHex(item.item.digest));
}

std::vector<const RecordedItem*> ItemsOf(const WatchRecording& recording, size_t from = 0) {
  std::vector<const RecordedItem*> items;
  for (size_t i = from; i < recording.messages.size(); ++i) {
    for (const RecordedItem& item : recording.messages[i].items) items.push_back(&item);
  }
  return items;
}

absl::Status Breach(absl::string_view what, size_t message) {
  return absl::FailedPreconditionError(absl::StrCat("message ", message, ": ", what));
}

absl::Status Named(absl::string_view promise, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::FailedPreconditionError(absl::StrCat(promise, ": ", status.message()));
}

// What both lists must say alike.
absl::Status CheckSame(const std::vector<const RecordedItem*>& expected,
                       const std::vector<const RecordedItem*>& heard) {
  for (size_t i = 0; i < std::max(expected.size(), heard.size()); ++i) {
    const std::string want = i < expected.size() ? Describe(*expected[i]) : "nothing";
    const std::string got = i < heard.size() ? Describe(*heard[i]) : "nothing";
    if (want != got) {
      return absl::FailedPreconditionError(
          absl::StrCat("item ", i, " must be ", want, ", and is ", got));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int64_t WatchRecording::Told() const {
  int64_t told = after;
  for (const WatchMessage& message : messages) told = message.revision.value_or(told);
  return told;
}

WatchedLog ReadWholeLog(const EvidenceStore& store, int64_t head) {
  WatchedLog log;
  LogCursor cursor;
  while (true) {
    auto parts = store.ReadLog(cursor, head, 1'000, absl::InfiniteFuture());
    if (!parts.ok() || parts->empty()) return log;
    for (LoggedRevision& part : *parts) {
      cursor = {part.commit.revision, LogCursor::kWhole};
      if (part.more) cursor.items = part.first + std::ssize(part.items);
      if (part.first == 0) {
        log.push_back(std::move(part));
        log.back().more = false;
      } else {
        std::move(part.items.begin(), part.items.end(), std::back_inserter(log.back().items));
      }
    }
  }
}

absl::Status CheckOrdered(const WatchRecording& recording, const WatchedLog& log) {
  // Where each item stands in its write.
  std::map<std::pair<int64_t, evidence::ItemKey>, size_t> places;
  for (const LoggedRevision& logged : log) {
    for (size_t i = 0; i < logged.items.size(); ++i) {
      places[{logged.commit.revision, logged.items[i].item.key}] = i;
    }
  }
  std::pair<int64_t, size_t> last = {recording.after, 0};
  for (const RecordedItem* item : ItemsOf(recording)) {
    const std::pair<int64_t, size_t> place = {item->revision,
                                              places[{item->revision, item->item.key}]};
    if (place < last) {
      return absl::FailedPreconditionError(absl::StrCat(Describe(*item), " comes too late"));
    }
    last = place;
  }
  return absl::OkStatus();
}

absl::Status CheckUnique(const WatchRecording& recording) {
  std::set<std::pair<int64_t, evidence::ItemKey>> seen;
  for (const RecordedItem* item : ItemsOf(recording)) {
    if (!seen.insert({item->revision, item->item.key}).second) {
      return absl::FailedPreconditionError(absl::StrCat(Describe(*item), " comes twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckReliable(const WatchRecording& recording, const WatchedLog& log) {
  std::vector<const RecordedItem*> expected;
  for (const LoggedRevision& logged : log) {
    if (logged.commit.revision <= recording.after) continue;
    if (logged.commit.revision > recording.Told()) break;
    for (const RecordedItem& item : logged.items) {
      if (recording.passes(item)) expected.push_back(&item);
    }
  }
  std::vector<const RecordedItem*> heard = ItemsOf(recording);
  // What comes after is not told yet.
  std::erase_if(heard,
                [told = recording.Told()](const auto* item) { return item->revision > told; });
  return CheckSame(expected, heard);
}

absl::Status CheckAtomic(const WatchRecording& recording, const WatchedLog& log) {
  std::map<int64_t, size_t> unsaid;  // Items that pass and were not said yet.
  for (const LoggedRevision& logged : log) {
    unsaid[logged.commit.revision] = static_cast<size_t>(
        std::count_if(logged.items.begin(), logged.items.end(), recording.passes));
  }
  int64_t open = 0;  // The revision that the message before said more of.
  for (size_t i = 0; i < recording.messages.size(); ++i) {
    const WatchMessage& message = recording.messages[i];
    if (message.more && message.items.empty()) return Breach("says more of nothing", i);
    int64_t revision = open;  // The last that it tells of.
    for (const RecordedItem& item : message.items) {
      if (revision != 0 && item.revision != revision) {
        if (message.more) return Breach("says more, and tells of two revisions", i);
        if (unsaid[revision] > 0) return Breach("splits a revision without saying so", i);
      }
      revision = item.revision;
      size_t& left = unsaid[revision];
      if (left > 0) --left;
    }
    if (open != 0 && !message.more && (message.revision.value_or(0) < open || unsaid[open] > 0)) {
      return Breach("there was to be more of a revision", i);
    }
    if (!message.more && revision != 0 && unsaid[revision] > 0) {
      return Breach("splits a revision without saying so", i);
    }
    open = message.more ? revision : 0;
  }
  return absl::OkStatus();
}

absl::Status CheckResumable(const WatchRecording& whole, size_t at, const WatchRecording& rest) {
  const WatchMessage& message = whole.messages[at];
  if (!message.revision) return Breach("has no revision to resume after", at);
  if (rest.after != *message.revision) return Breach("was resumed elsewhere", at);
  return CheckSame(ItemsOf(whole, at + 1), ItemsOf(rest));
}

absl::Status CheckBookmarked(const WatchRecording& recording, int64_t head) {
  if (recording.messages.empty()) return absl::FailedPreconditionError("there is no bookmark");
  const WatchMessage& first = recording.messages.front();
  if (!first.items.empty() || first.more || first.revision != recording.after) {
    return Breach("is not a bookmark of the beginning", 0);
  }
  int64_t told = recording.after;
  for (size_t i = 0; i < recording.messages.size(); ++i) {
    const WatchMessage& message = recording.messages[i];
    if (message.more == message.revision.has_value()) {
      return Breach("has a revision and says more, or neither", i);
    }
    if (!message.revision) continue;
    // Only the first repeats what was known.
    if (*message.revision < told || (i > 0 && *message.revision == told)) {
      return Breach("does not move on", i);
    }
    if (!message.items.empty() && message.items.back().revision != *message.revision) {
      return Breach("tells of another revision than it is of", i);
    }
    told = *message.revision;
  }
  if (told != head) return Breach(absl::StrCat("tells of ", told, ", not of ", head), 0);
  return absl::OkStatus();
}

absl::Status CheckFiltered(const WatchRecording& recording) {
  for (const RecordedItem* item : ItemsOf(recording)) {
    if (!recording.passes(*item)) {
      return absl::FailedPreconditionError(absl::StrCat(Describe(*item), " is to be hidden"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRegisterChanges(const WatchRecording& recording, const WatchedLog& log) {
  int64_t told = recording.after;
  for (size_t i = 0; i < recording.messages.size(); ++i) {
    const WatchMessage& message = recording.messages[i];
    int64_t changed = 0;
    for (const LoggedRevision& logged : log) {
      const int64_t revision = logged.commit.revision;
      if (revision > told && revision <= message.revision.value_or(0) &&
          logged.kind == WriteKind::kRegistration) {
        changed = revision;
      }
    }
    if (message.register_changed != changed) {
      return Breach(absl::StrCat("the register changed at ", changed, ", and it says ",
                                 message.register_changed),
                    i);
    }
    told = message.revision.value_or(told);
  }
  return absl::OkStatus();
}

absl::Status CheckWatch(const WatchRecording& recording, const WatchedLog& log, int64_t head) {
  RETURN_IF_ERROR(Named("unique", CheckUnique(recording)));
  RETURN_IF_ERROR(Named("ordered", CheckOrdered(recording, log)));
  RETURN_IF_ERROR(Named("reliable", CheckReliable(recording, log)));
  RETURN_IF_ERROR(Named("atomic", CheckAtomic(recording, log)));
  RETURN_IF_ERROR(Named("bookmarked", CheckBookmarked(recording, head)));
  RETURN_IF_ERROR(Named("filtered", CheckFiltered(recording)));
  return Named("register", CheckRegisterChanges(recording, log));
}

}  // namespace starratings::store
