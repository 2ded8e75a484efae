#include "assessment-svc/service/ratings_receiver.h"

#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "assessment-svc/rounds/acts.h"
#include "assessment-svc/service/publication.h"
#include "assessment-svc/service/round_acts.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/service/writes.h"
#include "common/digest/bucket.h"
#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using assessment::v1::RecordRatingsRequest;
using rating::v1::Rating;
using rounds::Deed;
using rounds::Round;
using status::FieldErrors;

absl::Status OutOfOrder(absl::string_view rule) {
  FieldErrors errors;
  errors.Add("part", rule);
  return errors.ToStatus();
}

absl::Status Mismatch(absl::string_view reason, const std::string& message,
                      std::map<std::string, std::string> metadata) {
  return status::Error(absl::StatusCode::kDataLoss, reason, message, std::move(metadata));
}

// Notes what keeps `rating` from being one of `round`.
void CheckRating(const Rating& rating, const Round& round, const std::string& at,
                 FieldErrors& errors) {
  errors.AddIfError(at + "organisation", evidence::CheckOrganisationId(rating.organisation()));
  errors.AddIfError(at + "digest", evidence::CheckSha256(rating.digest()));
  if (rating.period() != round.period) {
    errors.Add(at + "period", absl::StrCat("must be that of the round, ", round.period));
  }
  if (rating.scheme().digest() != round.scheme_digest) {
    errors.Add(at + "scheme.digest",
               absl::StrCat("must be that of the round, ", round.scheme_digest));
  }
  std::set<std::string> codes;
  for (int i = 0; i < rating.decisions_size(); ++i) {
    if (!codes.insert(rating.decisions(i).code()).second) {
      errors.Add(absl::StrCat(at, "decisions[", i, "].code"), "must not occur twice");
    }
  }
}

// Goes through the organisations of a frozen round in their order.
class Roll {
 public:
  Roll(const store::EvidenceStore& store, const Round& round)
      : store_(store), chosen_(ChosenBy(round, 0)) {}

  // The next one; empty at the end.
  absl::StatusOr<std::string> Next(absl::Time deadline) {
    if (position_ == page_.size()) {
      ASSIGN_OR_RETURN(page_, store_.ListOrganisations(chosen_.filter, after_, kRatingsStep,
                                                       chosen_.revision, deadline));
      position_ = 0;
      if (page_.empty()) return "";
      after_ = {digest::BucketOf(page_.back().id), page_.back().id};
    }
    return page_[position_++].id;
  }

 private:
  const store::EvidenceStore& store_;
  const Chosen chosen_;
  std::vector<evidence::Organisation> page_;
  size_t position_ = 0;
  store::OrganisationCursor after_;
};

}  // namespace

std::string AttemptName(absl::string_view actor, absl::string_view request_id) {
  return digest::ToHex(digest::Sha256(absl::StrCat(actor, "\n", request_id))).substr(0, 32);
}

absl::Status RatingsReceiver::Take(const Request& request, absl::Time deadline) {
  if (request.has_begin()) {
    if (claim_ != nullptr) return OutOfOrder("must be `begin` in the first message only");
    return Begin(request.begin(), deadline);
  }
  if (claim_ == nullptr) return OutOfOrder("must be `begin` in the first message");
  if (request.has_chunk()) return Stage(request.chunk(), deadline);
  return OutOfOrder("must be `chunk`, or `commit` in the last message");
}

absl::Status RatingsReceiver::Begin(const Request::Begin& begin, absl::Time deadline) {
  FieldErrors errors;
  errors.AddIfError("begin.round", evidence::CheckSlug(begin.round()));
  errors.AddIfError("begin.etag", evidence::CheckText(begin.etag(), 1, 64));
  errors.AddIfError("begin.request_id", evidence::CheckUuid(begin.request_id()));
  errors.AddIfError("begin.on_behalf_of", evidence::CheckText(begin.on_behalf_of(), 1, 200));
  RETURN_IF_ERROR(errors.ToStatus());
  begin_ = begin;
  attempt_ = AttemptName(actor_, begin.request_id());
  Attempts::Claim claim = parts_.attempts.Take(begin.round(), attempt_);
  if (claim == nullptr) {
    return status::Error(absl::StatusCode::kAborted, "ATTEMPT_BUSY",
                         "this attempt is being recorded by another call; wait for its answer",
                         {{"round", begin.round()}});
  }
  // Read after the claim: whoever had it before is done.
  ASSIGN_OR_RETURN(record_, ReadRoundAtHead(parts_.store, begin.round(), deadline));
  refusal_ = rounds::CheckDeed(Deed::kRecordRatings, record_.history, begin.etag());
  if (!refusal_.ok() && record_.history.round.attempt != attempt_) return refusal_;
  claim_ = std::move(claim);
  return absl::OkStatus();
}

absl::Status RatingsReceiver::CheckChunk(const Request::Chunk& chunk) {
  FieldErrors errors;
  if (chunk.number() <= last_chunk_) {
    errors.Add("chunk.number", absl::StrCat("must be more than ", last_chunk_));
  }
  if (chunk.ratings_size() < 1 || chunk.ratings_size() > kChunkRatingsMost) {
    errors.Add("chunk.ratings", absl::StrCat("must have 1 to ", kChunkRatingsMost,
                                             " ratings, and has ", chunk.ratings_size()));
    return errors.ToStatus();
  }
  for (int i = 0; i < chunk.ratings_size(); ++i) {
    const Rating& rating = chunk.ratings(i);
    const std::string at = absl::StrCat("chunk.ratings[", i, "].");
    CheckRating(rating, record_.history.round, at, errors);
    store::OrganisationCursor place{digest::BucketOf(rating.organisation()), rating.organisation()};
    if (std::tie(place.bucket, place.organisation) <= std::tie(last_.bucket, last_.organisation)) {
      errors.Add(at + "organisation", "must stand in the order (bucket, id) over all chunks");
    }
    last_ = std::move(place);
  }
  last_chunk_ = chunk.number();
  return errors.ToStatus();
}

absl::Status RatingsReceiver::Stage(const Request::Chunk& chunk, absl::Time deadline) {
  if (!refusal_.ok()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckChunk(chunk));
  std::vector<store::StagedRating> staged;
  staged.reserve(static_cast<size_t>(chunk.ratings_size()));
  for (const Rating& rating : chunk.ratings()) {
    Rating kept = rating;
    kept.clear_trace();  // Recomputed when it is wanted, never stored.
    staged.push_back({kept.organisation(), kept.SerializeAsString()});
  }
  return parts_.store.StageRatings(begin_.round(), attempt_, chunk.number(), staged, deadline);
}

absl::Status RatingsReceiver::CheckStaged(const Request::Commit& commit,
                                          absl::Time deadline) const {
  Round round = record_.history.round;
  if (commit.count() != round.organisation_count) {
    return Mismatch("COUNT_MISMATCH", "the ratings are not as many as the organisations",
                    {{"count", absl::StrCat(commit.count())},
                     {"organisation_count", absl::StrCat(round.organisation_count)}});
  }
  round.attempt = attempt_;
  Roll roll(parts_.store, round);
  digest::RoundDigester digester;
  RETURN_IF_ERROR(ForEachRating(
      parts_.store, round, {}, deadline, [&](const Rating& rating) -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const std::string expected, roll.Next(deadline));
        if (rating.organisation() != expected) {
          return Mismatch("RATINGS_MISMATCH",
                          "the ratings are not of the organisations that the freeze chose",
                          {{"expected", expected}, {"organisation", rating.organisation()}});
        }
        ASSIGN_OR_RETURN(const digest::Digest digest, digest::FromHex(rating.digest()));
        digester.Add(rating.organisation(), digest);
        return true;
      }));
  if (digester.count() != commit.count()) {
    return Mismatch(
        "COUNT_MISMATCH", "fewer ratings were staged than were sent",
        {{"count", absl::StrCat(commit.count())}, {"staged", absl::StrCat(digester.count())}});
  }
  const std::string digest = digest::ToHex(digester.Finish());
  if (digest != commit.round_digest()) {
    return Mismatch("ROUND_DIGEST_MISMATCH", "the ratings are not those the digest says",
                    {{"digest", digest}, {"round_digest", commit.round_digest()}});
  }
  return absl::OkStatus();
}

absl::StatusOr<Plan> RatingsReceiver::Finish(const Request& request, absl::Time deadline) {
  if (claim_ == nullptr) return OutOfOrder("must be `begin` in the first message");
  const Request::Commit& commit = request.commit();
  FieldErrors errors;
  errors.AddIfError("commit.round_digest", evidence::CheckSha256(commit.round_digest()));
  RETURN_IF_ERROR(errors.ToStatus());
  if (refusal_.ok()) RETURN_IF_ERROR(CheckStaged(commit, deadline));

  Plan plan;
  plan.refusal = refusal_;
  ASSIGN_OR_RETURN(const digest::Digest what, PayloadOf(begin_));
  ASSIGN_OR_RETURN(const digest::Digest result, PayloadOf(commit));
  plan.write.actor = actor_;
  plan.write.on_behalf_of = begin_.on_behalf_of();
  plan.write.request_id = begin_.request_id();
  plan.write.payload = digest::Sha256(absl::StrCat(digest::ToHex(what), digest::ToHex(result)));
  Round next = record_.history.round;
  next.state = rounds::State::kRated;
  next.attempt = attempt_;
  next.round_digest = commit.round_digest();
  plan.write.body = ActOn(record_.history, next);
  return plan;
}

}  // namespace starratings::service
