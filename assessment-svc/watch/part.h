// A piece of the log, as the ring and all watchers share it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/store/store.h"

namespace starratings::watch {

// The most items of one part, and so of one message.
inline constexpr int kPartItemsMost = 1'000;

// A place in the log: before item `item` (from 0) of `revision`. Everything
// before it has been seen; the default is the start of the log.
struct Place {
  int64_t revision = 1;
  int64_t item = 0;

  // The newest revision that lies before this place as a whole.
  int64_t Complete() const { return revision - 1; }

  friend auto operator<=>(const Place&, const Place&) = default;
};

// The place after the whole of `revision`.
inline Place PlaceAfter(int64_t revision) { return {revision + 1, 0}; }

// The same place, as the store says it.
store::LogCursor CursorOf(const Place& place);

// A revision, or consecutive items of one. Immutable.
class Part {
 public:
  explicit Part(store::LoggedRevision logged);

  const store::LoggedRevision& logged() const { return logged_; }
  const std::vector<evidence::RecordedItem>& items() const { return logged_.items; }
  int64_t revision() const { return logged_.commit.revision; }
  // Organisations, periods or codes were registered.
  bool changes_register() const { return logged_.kind == store::WriteKind::kRegistration; }

  // Parts that follow one another: the end of one is the beginning of the next.
  Place begin() const { return {revision(), logged_.first}; }
  Place end() const;

  // The bucket of the organisation of an item.
  int BucketOf(size_t item) const { return buckets_[item]; }
  // Whether any item is about it.
  bool Mentions(absl::string_view organisation) const {
    return organisations_.contains(organisation);
  }
  size_t organisations() const { return organisations_.size(); }

  // Roughly what it takes in memory.
  size_t bytes() const { return bytes_; }

 private:
  const store::LoggedRevision logged_;
  std::vector<int> buckets_;
  absl::flat_hash_set<absl::string_view> organisations_;  // Into `logged_`.
  size_t bytes_ = 0;
};

using SharedPart = std::shared_ptr<const Part>;

// Roughly what an item takes in memory, and not less than on the wire; without
// its source.
size_t BytesOf(const evidence::RecordedItem& item);
size_t BytesOf(const evidence::Source& source);

}  // namespace starratings::watch
