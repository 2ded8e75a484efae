// What was published. A round that never was is not there, whoever asks.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/publication.h"
#include "assessment-svc/service/round_reads.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/snapshots.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using assessment::v1::GetPublishedRatingRequest;
using assessment::v1::GetPublishedRatingResponse;
using assessment::v1::ListPublishedRatingsRequest;
using assessment::v1::ListPublishedRatingsResponse;
using assessment::v1::ListSpecialMeasuresRequest;
using assessment::v1::ListSpecialMeasuresResponse;
using rating::v1::Decision;
using rating::v1::Rating;
using status::FieldErrors;

constexpr int kRoundsStep = 100;  // Rounds listed at a time.

// Where a list of ratings stands, and of which round it is.
struct Place {
  RoundRecord record;
  int page_size = 0;
  Page page;
};

template <typename Request>
absl::StatusOr<Place> PlaceOf(const store::EvidenceStore& store, const Request& request,
                              absl::Time deadline) {
  FieldErrors errors;
  Place place;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  place.page_size = PageSizeOf(request.page_size(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(place.page, PageOf(store, request, 1, deadline));
  ASSIGN_OR_RETURN(place.record,
                   ReadPublicRound(store, request.round(), place.page.revision, deadline));
  return place;
}

// The token of a list that goes on after `organisation`.
template <typename Request>
std::string TokenAfter(const store::EvidenceStore& store, const Request& request, int64_t revision,
                       const std::string& organisation) {
  return EncodePage({revision, CursorOf(organisation)}, request, store.GetIdentity());
}

// The published rounds that stood at `revision`, the one published last first.
absl::StatusOr<std::vector<RoundRecord>> Standing(const store::EvidenceStore& store,
                                                  int64_t revision, absl::Time deadline) {
  std::vector<RoundRecord> standing;
  int64_t before = revision + 1;
  while (true) {
    ASSIGN_OR_RETURN(const auto page, store.ListRounds(before, kRoundsStep, deadline));
    for (const auto& ref : page) {
      before = ref.created;
      ASSIGN_OR_RETURN(RoundRecord record, ReadRound(store, ref.id, revision, deadline));
      if (record.history.IsPublic() && record.history.round.state != rounds::State::kWithdrawn) {
        standing.push_back(std::move(record));
      }
    }
    if (page.size() < static_cast<size_t>(kRoundsStep)) break;
  }
  std::sort(standing.begin(), standing.end(), [](const RoundRecord& a, const RoundRecord& b) {
    return *a.history.PublishedAt() > *b.history.PublishedAt();
  });
  return standing;
}

// Fills `response` if `record` rated the organisation; says whether it did.
absl::StatusOr<bool> FillRating(const store::EvidenceStore& store, const RoundRecord& record,
                                const std::string& organisation, absl::Time deadline,
                                GetPublishedRatingResponse& response) {
  const rounds::Round& round = record.history.round;
  ASSIGN_OR_RETURN(const auto staged,
                   store.ReadRating(round.id, round.attempt, organisation, deadline));
  if (!staged) return false;
  ASSIGN_OR_RETURN(*response.mutable_rating(), RatingFrom(*staged));
  *response.mutable_round() = ToProto(store, record);
  return true;
}

std::vector<const Decision*> DecisionsToShow(const Rating& rating) {
  std::vector<const Decision*> shown;
  for (const Decision& decision : rating.decisions()) {
    if (MovedOrListed(decision)) shown.push_back(&decision);
  }
  return shown;
}

}  // namespace

absl::Status GetPublishedRating(const store::EvidenceStore& store,
                                const GetPublishedRatingRequest& request, absl::Time deadline,
                                GetPublishedRatingResponse& response) {
  FieldErrors errors;
  errors.AddIfError("organisation", evidence::CheckOrganisationId(request.organisation()));
  if (!request.round().empty()) {
    errors.AddIfError("round", evidence::CheckSlug(request.round()));
  }
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionFor(store, request.freshness(), "freshness", deadline));
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  std::vector<RoundRecord> candidates;
  if (request.round().empty()) {
    ASSIGN_OR_RETURN(candidates, Standing(store, revision, deadline));
  } else {
    ASSIGN_OR_RETURN(RoundRecord record,
                     ReadPublicRound(store, request.round(), revision, deadline));
    candidates.push_back(std::move(record));
  }
  for (const RoundRecord& record : candidates) {
    ASSIGN_OR_RETURN(const bool found,
                     FillRating(store, record, request.organisation(), deadline, response));
    if (found) return absl::OkStatus();
  }
  return status::Error(
      absl::StatusCode::kNotFound, "RATING_NOT_FOUND",
      absl::StrCat("no rating of `", request.organisation(), "` was published",
                   request.round().empty() ? "" : absl::StrCat(" in `", request.round(), "`")),
      {{"organisation", request.organisation()}, {"round", request.round()}});
}

absl::Status ListPublishedRatings(const store::EvidenceStore& store,
                                  const ListPublishedRatingsRequest& request, absl::Time deadline,
                                  ListPublishedRatingsResponse& response) {
  ASSIGN_OR_RETURN(const Place place, PlaceOf(store, request, deadline));
  const rounds::Round& round = place.record.history.round;
  ASSIGN_OR_RETURN(const auto staged,
                   store.ReadRatings(round.id, round.attempt, OrganisationCursorOf(place.page),
                                     place.page_size + 1, deadline));
  for (const store::StagedRating& rating : staged) {
    if (response.ratings_size() == place.page_size) {
      const std::string& last = response.ratings().rbegin()->organisation();
      response.set_next_page_token(TokenAfter(store, request, place.page.revision, last));
      break;
    }
    ASSIGN_OR_RETURN(*response.add_ratings(), RatingFrom(rating));
  }
  *response.mutable_round() = ToProto(store, place.record);
  *response.mutable_snapshot() = SnapshotAt(store, place.page.revision);
  return absl::OkStatus();
}

absl::Status ListSpecialMeasures(const store::EvidenceStore& store,
                                 const ListSpecialMeasuresRequest& request, absl::Time deadline,
                                 ListSpecialMeasuresResponse& response) {
  ASSIGN_OR_RETURN(const Place place, PlaceOf(store, request, deadline));
  *response.mutable_snapshot() = SnapshotAt(store, place.page.revision);
  return ForEachRating(
      store, place.record.history.round, OrganisationCursorOf(place.page), deadline,
      [&](const Rating& rating) -> absl::StatusOr<bool> {
        const auto decisions = DecisionsToShow(rating);
        if (decisions.empty()) return true;
        // A page ends between two organisations. One with more decisions than
        // a page still gets on.
        const int entries = response.entries_size() + static_cast<int>(decisions.size());
        if (response.entries_size() > 0 && entries > place.page_size) {
          const std::string& last = response.entries().rbegin()->organisation();
          response.set_next_page_token(TokenAfter(store, request, place.page.revision, last));
          return false;
        }
        for (const Decision* decision : decisions) {
          auto& entry = *response.add_entries();
          entry.set_organisation(rating.organisation());
          entry.set_name(rating.name());
          *entry.mutable_decision() = *decision;
        }
        return true;
      });
}

}  // namespace starratings::service
