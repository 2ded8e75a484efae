#include "rating-svc/service/published_ratings.h"

#include <algorithm>
#include <set>

#include "common/digest/bucket.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

constexpr int kPage = 1'000;

// The revision at which a round was published and from then on stood at
// `revision`; 0 if it did not.
int64_t PublishedBy(const assessment::v1::Round& round, int64_t revision) {
  int64_t published = 0;
  for (const assessment::v1::RoundAct& act : round.acts()) {
    if (act.write().revision() > revision) continue;
    if (act.state() == assessment::v1::ROUND_STATE_PUBLISHED) published = act.write().revision();
    if (act.state() == assessment::v1::ROUND_STATE_WITHDRAWN) return 0;
  }
  return published;
}

std::pair<int, std::string> PlaceOf(const std::string& organisation) {
  return {digest::BucketOf(organisation), organisation};
}

}  // namespace

bool ReadsPublished(const scheme::Scheme& scheme) {
  return std::any_of(scheme.inputs.begin(), scheme.inputs.end(), [](const scheme::Input& input) {
    return input.from == scheme::InputFrom::kPublished;
  });
}

std::shared_ptr<PublishedRatings> PublishedRatings::Of(
    const EvidenceClient& client, std::initializer_list<const scheme::Scheme*> schemes,
    absl::Time deadline) {
  std::set<std::string> read;
  for (const scheme::Scheme* const scheme : schemes) {
    for (const scheme::Input& input : scheme->inputs) {
      if (input.from == scheme::InputFrom::kPublished) read.insert(input.published_scheme);
    }
  }
  if (read.empty()) return nullptr;
  std::shared_ptr<PublishedRatings> published(new PublishedRatings(client, deadline));
  for (const std::string& name : read) published->sources_.emplace_back().scheme = name;
  return published;
}

// Of each scheme the round that was published last.
absl::Status PublishedRatings::Choose(int64_t revision) {
  std::vector<int64_t> newest(sources_.size(), 0);
  std::string token;
  do {
    ASSIGN_OR_RETURN(const assessment::v1::ListRoundsResponse page,
                     client_.ListRounds(kPage, token, deadline_));
    for (const assessment::v1::Round& round : page.rounds()) {
      const int64_t published = PublishedBy(round, revision);
      for (size_t i = 0; i < sources_.size(); ++i) {
        if (round.scheme().id() != sources_[i].scheme || published <= newest[i]) continue;
        newest[i] = published;
        sources_[i].round = round.id();
      }
    }
    token = page.next_page_token();
  } while (!token.empty());
  chosen_ = true;
  return absl::OkStatus();
}

absl::Status PublishedRatings::Turn(Source& source) {
  ASSIGN_OR_RETURN(assessment::v1::ListPublishedRatingsResponse page,
                   client_.ListPublishedRatings(source.round, kPage, source.token, deadline_));
  source.page.clear();
  for (rating::v1::Rating& rating : *page.mutable_ratings()) {
    source.page.push_back(std::move(rating));
  }
  source.next = 0;
  source.token = page.next_page_token();
  source.last_page = source.token.empty();
  return absl::OkStatus();
}

absl::StatusOr<const rating::v1::Rating*> PublishedRatings::Find(Source& source,
                                                                 const std::string& organisation) {
  const auto wanted = PlaceOf(organisation);
  while (true) {
    while (source.next < source.page.size()) {
      const rating::v1::Rating& rating = source.page[source.next];
      const auto place = PlaceOf(rating.organisation());
      if (place == wanted) return &rating;
      if (place > wanted) return nullptr;
      ++source.next;
    }
    if (source.last_page) return nullptr;
    RETURN_IF_ERROR(Turn(source));
  }
}

void PublishedRatings::Restart(Source& source) {
  source.page.clear();
  source.next = 0;
  source.token.clear();
  source.last_page = false;
}

absl::Status PublishedRatings::Fill(int64_t revision, evidence::Dossier& dossier) {
  if (!chosen_) RETURN_IF_ERROR(Choose(revision));
  const std::string& organisation = dossier.organisation.id;
  const auto place = PlaceOf(organisation);
  const bool back = place < before_;
  before_ = place;
  for (Source& source : sources_) {
    if (source.round.empty()) continue;
    if (back) Restart(source);
    ASSIGN_OR_RETURN(const rating::v1::Rating* const rating, Find(source, organisation));
    if (rating == nullptr) continue;
    for (const rating::v1::Result& result : rating->results()) {
      dossier.published.push_back({rating->scheme().id(), rating->scheme().version(), result.id(),
                                   result.level(), rating->digest()});
    }
  }
  return absl::OkStatus();
}

}  // namespace starratings::service
