#include "rating-svc/dossiers/cache.h"

#include <algorithm>
#include <variant>

namespace starratings::dossiers {
namespace {

// What containers take beside their elements, roughly.
constexpr size_t kNode = 64;
// More than a watch that is not lost can be behind.
constexpr size_t kUnsettledMost = 16;

size_t BytesOf(const std::string& text) { return sizeof(text) + text.capacity(); }

size_t BytesOf(const evidence::Value& value) {
  if (const auto* level = std::get_if<evidence::Level>(&value)) return level->name.capacity();
  if (const auto* text = std::get_if<evidence::Text>(&value)) return text->text.capacity();
  return 0;
}

}  // namespace

size_t BytesOf(const evidence::Dossier& dossier) {
  size_t bytes = sizeof(dossier) + kNode + BytesOf(dossier.period) +
                 BytesOf(dossier.organisation.id) + BytesOf(dossier.organisation.name) +
                 BytesOf(dossier.organisation.kind) + BytesOf(dossier.organisation.region);
  const evidence::Source* last = nullptr;
  for (const evidence::RecordedItem& item : dossier.items) {
    const evidence::ItemKey& key = item.item.key;
    bytes += sizeof(item) + BytesOf(key.organisation) + BytesOf(key.period) + BytesOf(key.code) +
             BytesOf(key.instance) + BytesOf(item.item.value) + BytesOf(item.actor) +
             BytesOf(item.reason);
    const evidence::Source* const source = item.item.source.get();
    if (source == nullptr || source == last) continue;
    last = source;
    bytes += sizeof(*source) + kNode + BytesOf(source->title) + BytesOf(source->uri) +
             BytesOf(source->sha256);
  }
  return bytes;
}

size_t DossierCache::Kept::bytes() const {
  size_t bytes = BytesOf(*dossier);
  for (const Answer& answer : answers) bytes += answer.bytes;
  return bytes;
}

DossierCache::Outcome DossierCache::Find(absl::string_view organisation, absl::string_view period,
                                         const std::optional<Moment>& at_least, absl::Time now,
                                         absl::string_view question, Found& found) {
  const std::lock_guard lock(mutex_);
  if (!reached_ || now - confirmed_ > limits_.age_most) return Outcome::kBehind;
  if (at_least && at_least->record != reached_->record) return Outcome::kBehind;
  const auto place = by_id_.find(organisation);
  if (place != by_id_.end()) {
    for (const Kept& kept : place->second->periods) {
      if (kept.period != period) continue;
      // Read later than the watch is, or unchanged since it was read.
      const Moment& at = kept.at.revision > reached_->revision ? kept.at : *reached_;
      if (at_least && at.revision < at_least->revision) return Outcome::kBehind;
      found = {kept.dossier, at, nullptr};
      for (const Answer& answer : kept.answers) {
        if (answer.question == question) found.answer = answer.answer;
      }
      kept_.splice(kept_.begin(), kept_, place->second);
      return Outcome::kHit;
    }
  }
  return at_least && reached_->revision < at_least->revision ? Outcome::kBehind : Outcome::kMiss;
}

void DossierCache::Keep(DossierPtr dossier, const Moment& at) {
  const std::string& id = dossier->organisation.id;
  const size_t bytes = BytesOf(*dossier);
  const std::lock_guard lock(mutex_);
  if (!reached_) return;
  if (at.record != reached_->record) {
    // One of the two was read from a record that is no more, and nobody can tell here
    // which. If it is the watch's, it ends soon; until then nothing that was kept is
    // believed.
    kept_.clear();
    by_id_.clear();
    bytes_ = 0;
    return;
  }
  if (at.revision < known_since_ || at.revision < all_touched_ || bytes > limits_.bytes_most) {
    return;
  }
  const auto touched = touched_.find(id);
  if (touched != touched_.end() && touched->second > at.revision) return;
  const auto [place, fresh] = by_id_.try_emplace(id);
  if (fresh) place->second = kept_.insert(kept_.begin(), {id, {}, 0});
  Organisation& organisation = *place->second;
  for (const Kept& kept : organisation.periods) {
    if (kept.period != dossier->period) continue;
    if (kept.at.revision >= at.revision) return;
    organisation.bytes -= kept.bytes();
    bytes_ -= kept.bytes();
    organisation.periods.erase(organisation.periods.begin() +
                               (&kept - organisation.periods.data()));
    break;
  }
  organisation.periods.push_back({dossier->period, std::move(dossier), at});
  organisation.bytes += bytes;
  bytes_ += bytes;
  kept_.splice(kept_.begin(), kept_, place->second);
  DropBeyondLimit();
}

void DossierCache::KeepAnswer(const DossierPtr& dossier, std::string question, AnswerPtr answer,
                              size_t bytes) {
  bytes += sizeof(Answer) + BytesOf(question);
  const std::lock_guard lock(mutex_);
  const auto place = by_id_.find(dossier->organisation.id);
  if (place == by_id_.end()) return;
  Organisation& organisation = *place->second;
  for (Kept& kept : organisation.periods) {
    if (kept.dossier != dossier) continue;
    const size_t before = kept.bytes();
    std::erase_if(kept.answers, [&](const Answer& old) { return old.question == question; });
    if (kept.answers.size() == kAnswersMost) kept.answers.erase(kept.answers.begin());
    kept.answers.push_back({std::move(question), std::move(answer), bytes});
    organisation.bytes += kept.bytes() - before;
    bytes_ += kept.bytes() - before;
    break;
  }
  DropBeyondLimit();
}

std::optional<Moment> DossierCache::reached() const {
  const std::lock_guard lock(mutex_);
  return reached_;
}

void DossierCache::Begin(const Moment& at) {
  const std::lock_guard lock(mutex_);
  Forget();
  reached_ = at;
  known_since_ = at.revision;
}

void DossierCache::Touched(absl::string_view organisation, int64_t revision) {
  const std::lock_guard lock(mutex_);
  if (!reached_) return;
  int64_t& last = touched_[organisation];
  last = std::max(last, revision);
  const auto place = by_id_.find(organisation);
  if (place != by_id_.end()) {
    Organisation& kept = *place->second;
    const auto older = [&](const Kept& one) {
      if (one.at.revision >= revision) return false;
      kept.bytes -= one.bytes();
      bytes_ -= one.bytes();
      return true;
    };
    std::erase_if(kept.periods, older);
    if (kept.periods.empty()) Drop(place->second);
  }
  if (touched_.size() > limits_.touched_most) {
    // A read from before this moment can no longer be told apart.
    for (const auto& [id, at] : touched_) known_since_ = std::max(known_since_, at);
    touched_.clear();
  }
}

void DossierCache::Reached(const Moment& at, int64_t register_changed) {
  const std::lock_guard lock(mutex_);
  if (!reached_) return;
  if (at.record != reached_->record || at.revision < reached_->revision) {
    Forget();  // Not what a watch does.
    return;
  }
  if (register_changed > all_touched_) {
    all_touched_ = register_changed;
    DropBefore(register_changed);
  }
  reached_ = at;
  Settle();
}

void DossierCache::Confirm(const std::string& record, int64_t revision, absl::Time asked) {
  const std::lock_guard lock(mutex_);
  if (!reached_ || record != reached_->record) return;
  if (unsettled_.size() == kUnsettledMost) unsettled_.erase(unsettled_.begin());
  unsettled_.emplace_back(revision, asked);
  Settle();
}

void DossierCache::Lose() {
  const std::lock_guard lock(mutex_);
  Forget();
}

DossierCache::Size DossierCache::size() const {
  const std::lock_guard lock(mutex_);
  return {bytes_, kept_.size(), reached_ ? reached_->revision : 0, confirmed_};
}

void DossierCache::Forget() {
  reached_.reset();
  known_since_ = 0;
  touched_.clear();
  all_touched_ = 0;
  confirmed_ = absl::InfinitePast();
  unsettled_.clear();
  kept_.clear();
  by_id_.clear();
  bytes_ = 0;
}

void DossierCache::Drop(Place place) {
  bytes_ -= place->bytes;
  by_id_.erase(place->id);
  kept_.erase(place);
}

void DossierCache::DropBeyondLimit() {
  while (bytes_ > limits_.bytes_most) Drop(std::prev(kept_.end()));
}

void DossierCache::DropBefore(int64_t revision) {
  for (auto place = kept_.begin(); place != kept_.end();) {
    const Place at = place++;
    const bool old = std::any_of(at->periods.begin(), at->periods.end(),
                                 [&](const Kept& kept) { return kept.at.revision < revision; });
    if (old) Drop(at);
  }
}

void DossierCache::Settle() {
  std::erase_if(unsettled_, [this](const std::pair<int64_t, absl::Time>& one) {
    if (one.first > reached_->revision) return false;
    confirmed_ = std::max(confirmed_, one.second);
    return true;
  });
}

}  // namespace starratings::dossiers
