#include "assessment-svc/watch/cursor.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace starratings::watch {

bool Filter::Passes(const Part& part, size_t item) const {
  const evidence::ItemKey& key = part.items()[item].item.key;
  return (organisations.empty() || organisations.contains(key.organisation)) &&
         (period.empty() || period == key.period) && (codes.empty() || codes.contains(key.code)) &&
         part.BucketOf(item) >= first_bucket && part.BucketOf(item) < end_bucket;
}

bool Filter::PassesRounds(const Part& part) const {
  if (what != What::kRounds) return false;
  const std::vector<std::string>& changed = part.logged().rounds;
  return std::any_of(changed.begin(), changed.end(), [this](const std::string& id) {
    return rounds.empty() || rounds.contains(id);
  });
}

size_t Filter::FirstPassing(const Part& part, size_t from) const {
  const size_t end = part.items().size();
  if (what == What::kRounds) return end;
  // Most watchers want few organisations, and most parts are not about them.
  if (!organisations.empty() && organisations.size() < part.organisations() &&
      std::none_of(organisations.begin(), organisations.end(),
                   [&part](const std::string& id) { return part.Mentions(id); })) {
    return end;
  }
  while (from < end && !Passes(part, from)) ++from;
  return from;
}

bool Message::Takes(const Part& part) const {
  if (deliveries.empty()) return true;
  if (deliveries.back().more || part.begin().item > 0 || part.logged().more) return false;
  // An act on a round stands alone: with the rounds it can be large.
  const SharedPart& last = deliveries.back().part;
  if (!part.logged().rounds.empty() || (last != nullptr && !last->logged().rounds.empty())) {
    return false;
  }
  size_t bytes = part.bytes();
  for (const Delivery& delivery : deliveries) {
    if (delivery.part != nullptr) bytes += delivery.part->bytes();
  }
  return bytes <= kJoinedBytesMost;
}

std::optional<int64_t> Message::Revision() const {
  const Delivery& last = deliveries.back();
  return last.more ? std::nullopt : std::optional(last.revision);
}

int64_t Message::RegisterChanged() const {
  int64_t newest = 0;
  for (const Delivery& delivery : deliveries) newest = std::max(newest, delivery.register_changed);
  return newest;
}

std::optional<size_t> Cursor::IndexIn(const Part& part) const {
  if (part.end() <= next_ || AtEnd()) return std::nullopt;
  assert(part.begin() <= next_);
  return static_cast<size_t>(next_.item - part.begin().item);
}

void Cursor::Pass(const Part& part) {
  next_ = part.end();
  if (part.changes_register() && !part.logged().more) register_changed_ = part.revision();
}

void Cursor::Tell(Delivery& delivery) {
  delivery.revision = next_.Complete();
  in_midst_ = delivery.more;
  if (delivery.more) return;
  told_ = delivery.revision;
  delivery.register_changed = std::exchange(register_changed_, 0);
}

std::optional<Delivery> Cursor::Take(const SharedPart& part) {
  const std::optional<size_t> index = IndexIn(*part);
  if (!index) return std::nullopt;
  Delivery delivery;
  delivery.part = part;
  const std::vector<evidence::RecordedItem>& items = part->items();
  const evidence::Source* source = nullptr;
  size_t bytes = 0;
  size_t at = filter_.FirstPassing(*part, *index);
  for (; at < items.size() && bytes < kMessageBytesMost; at = filter_.FirstPassing(*part, at + 1)) {
    delivery.items.push_back(at);
    bytes += BytesOf(items[at]);
    if (items[at].item.source.get() != source) bytes += BytesOf(*items[at].item.source);
    source = items[at].item.source.get();
  }
  if (at < items.size()) {
    next_ = {part->revision(), part->begin().item + static_cast<int64_t>(at)};
    delivery.more = true;
  } else {
    Pass(*part);
    delivery.more = part->logged().more;
  }
  const bool closes = in_midst_ && !delivery.more;
  if (delivery.items.empty() && !closes && !filter_.PassesRounds(*part)) return std::nullopt;
  Tell(delivery);
  return delivery;
}

bool Cursor::Skip(const Part& part) {
  const std::optional<size_t> index = IndexIn(part);
  if (!index) return part.end() <= next_;
  const bool closes = in_midst_ && !part.logged().more;
  if (closes || filter_.PassesRounds(part) ||
      filter_.FirstPassing(part, *index) < part.items().size()) {
    return false;
  }
  Pass(part);
  return true;
}

Delivery Cursor::Bookmark() {
  assert(!in_midst_);
  Delivery bookmark;
  Tell(bookmark);
  return bookmark;
}

}  // namespace starratings::watch
