// What one watcher has seen of the log and what it wants of the rest. Knows no
// thread, no clock and no store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "assessment-svc/watch/part.h"
#include "common/digest/bucket.h"

namespace starratings::watch {

// Chooses items, or acts on rounds. Empty filters match everything.
struct Filter {
  absl::flat_hash_set<std::string> organisations;
  std::string period;
  absl::flat_hash_set<std::string> codes;
  // Buckets from `first_bucket` up to, not including, `end_bucket`.
  int first_bucket = 0;
  int end_bucket = digest::kBuckets;
  // Acts on rounds are chosen by their ids alone.
  enum class What { kItems, kRounds };
  What what = What::kItems;
  absl::flat_hash_set<std::string> rounds = {};

  bool Passes(const Part& part, size_t item) const;
  // The first item from `from` on that passes; the number of items if none.
  size_t FirstPassing(const Part& part, size_t from) const;
  // Whether `part` ends an act on a round that passes.
  bool PassesRounds(const Part& part) const;
};

// A message is closed once it has this size; the transport takes eight times it.
inline constexpr size_t kMessageBytesMost = 1 << 20;

// What is to be said of one part.
struct Delivery {
  SharedPart part;            // Null in a bookmark.
  std::vector<size_t> items;  // Of `part`, in order; none where rounds are watched.
  bool more = false;          // More items of the same revision follow.
  // Everything up to here has been delivered. Of no use where `more` is true.
  int64_t revision = 0;
  // The newest revision up to there that changed the register, if one did
  // since the message before; otherwise 0. Not filtered.
  int64_t register_changed = 0;
};

// One message for one watcher: what is to be said of parts that follow one
// another. What comes while a message is on its way is the next message, as what
// comes while a group is written is the next group.
struct Message {
  // A part that would make it larger begins the next; the first always fits.
  static constexpr size_t kJoinedBytesMost = 64 << 10;

  std::vector<Delivery> deliveries;

  // Whether `part` may be said of in it, too: only whole revisions are.
  bool Takes(const Part& part) const;
  // The newest revision up to which everything is delivered with it; nothing if
  // it says more.
  std::optional<int64_t> Revision() const;
  int64_t RegisterChanged() const;
};

// Goes through the log part by part. Parts must be given in order, without a
// gap: each must contain next(), or lie before it, and then is passed over.
class Cursor {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  Cursor() = default;
  // Begins after the whole of revision `after`; ends with that of `until`.
  Cursor(Filter filter, int64_t after, int64_t until)
      : filter_(std::move(filter)),
        next_(PlaceAfter(after)),
        until_(until < after ? after : until),
        told_(after) {}

  // What has been seen, whether or not it passed the filter.
  const Place& next() const { return next_; }
  // The newest revision whose end the caller was told of.
  int64_t told() const { return told_; }
  bool AtEnd() const { return next_.Complete() >= until_; }
  bool OwesBookmark() const { return !in_midst_ && next_.Complete() > told_; }

  // Moves on into `part`: to its end, or as far as one message reaches. Returns
  // the message, if there is anything to say.
  std::optional<Delivery> Take(const SharedPart& part);

  // Moves on to the end of `part` if there is nothing to say; otherwise stays
  // where it is and returns false.
  bool Skip(const Part& part);

  // What moves the caller's token on, without items. Not in the midst of a
  // revision.
  Delivery Bookmark();

 private:
  // Where in `part` this cursor stands; nothing: behind it, or at the end.
  std::optional<size_t> IndexIn(const Part& part) const;
  // Moves to the end of `part`.
  void Pass(const Part& part);
  void Tell(Delivery& delivery);

  Filter filter_;
  Place next_;
  int64_t until_ = kNever;
  int64_t told_ = 0;
  int64_t register_changed_ = 0;  // Not told yet.
  bool in_midst_ = false;         // The last message said `more`.
};

}  // namespace starratings::watch
