#include "assessment-svc/watch/part.h"

#include <utility>
#include <variant>

#include "common/digest/bucket.h"

namespace starratings::watch {

store::LogCursor CursorOf(const Place& place) {
  if (place.item == 0) return {place.Complete(), store::LogCursor::kWhole};
  return {place.revision, place.item};
}

size_t BytesOf(const evidence::RecordedItem& item) {
  // On the wire: digest and etag, the source's id, a time, tags and lengths.
  constexpr size_t kBesideTexts = sizeof(evidence::RecordedItem) + 64;
  const evidence::ItemKey& key = item.item.key;
  size_t bytes = kBesideTexts + key.organisation.size() + key.period.size() + key.code.size() +
                 key.instance.size() + item.actor.size() + item.reason.size();
  if (const auto* text = std::get_if<evidence::Text>(&item.item.value)) bytes += text->text.size();
  if (item.item.overriding) bytes += item.item.overriding->authority.size();
  return bytes;
}

size_t BytesOf(const evidence::Source& source) {
  return sizeof(evidence::Source) + source.title.size() + source.uri.size() + source.sha256.size();
}

Part::Part(store::LoggedRevision logged) : logged_(std::move(logged)) {
  bytes_ = sizeof(Part) + logged_.commit.actor.size() + logged_.commit.reason.size();
  buckets_.reserve(items().size());
  const evidence::RecordedItem* before = nullptr;
  for (const evidence::RecordedItem& item : items()) {
    const std::string& organisation = item.item.key.organisation;
    // Items of one organisation often follow one another.
    if (before != nullptr && before->item.key.organisation == organisation) {
      buckets_.push_back(buckets_.back());
    } else {
      buckets_.push_back(digest::BucketOf(organisation));
      organisations_.insert(organisation);
    }
    bytes_ += BytesOf(item);
    if (before == nullptr || before->item.source != item.item.source) {
      bytes_ += BytesOf(*item.item.source);
    }
    before = &item;
  }
}

Place Part::end() const {
  if (!logged_.more) return PlaceAfter(revision());
  return {revision(), logged_.first + std::ssize(items())};
}

}  // namespace starratings::watch
