// Staged ratings: durable, but no part of the log.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/pg_store.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// How often a chunk is written that collides with another that is being staged.
constexpr int kTriesMost = 3;

bool IsRepeatedKey(const absl::Status& status) {
  const status::ErrorDetail detail = status::DetailOf(status);
  const auto state = detail.metadata.find("sqlstate");
  return state != detail.metadata.end() && state->second == "23505";  // unique_violation
}

// The ratings by column, in the order of the key: two writers that wait for
// each other's rows meet them in the same order.
struct RatingColumns {
  explicit RatingColumns(const std::vector<StagedRating>& ratings) {
    std::vector<std::pair<int64_t, const StagedRating*>> sorted;
    sorted.reserve(ratings.size());
    for (const StagedRating& rating : ratings) {
      sorted.emplace_back(digest::BucketOf(rating.organisation), &rating);
    }
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first
                                : a.second->organisation < b.second->organisation;
    });
    for (const auto& [bucket, rating] : sorted) {
      buckets.push_back(bucket);
      organisations.push_back(rating->organisation);
      contents.emplace_back(rating->content);
    }
  }

  std::vector<int64_t> buckets;
  std::vector<std::string> organisations;
  std::vector<absl::string_view> contents;
};

}  // namespace

absl::Status PgStore::StageRatings(absl::string_view round, absl::string_view attempt,
                                   int64_t chunk, const std::vector<StagedRating>& ratings,
                                   absl::Time deadline) {
  const RatingColumns columns(ratings);
  PgCall calls[] = {
      {"DELETE FROM ratings WHERE round = $1 AND attempt = $2 AND chunk = $3", {}},
      {"INSERT INTO ratings (round, attempt, chunk, bucket, organisation, content)"
       " SELECT $1, $2, $3, r.* FROM unnest($4, $5, $6) AS r",
       {}},
  };
  for (PgCall& call : calls) call.params.Add(round).Add(attempt).Add(chunk);
  calls[1].params.AddInts(columns.buckets).AddTexts(columns.organisations);
  calls[1].params.AddByteses(columns.contents);
  // Who repeats a rating is asked only once the key has refused it. Nobody may
  // turn out to have: then the same chunk was being staged at the same time.
  for (int tries = 1;; ++tries) {
    const absl::Status written = Write(calls, deadline).status();
    if (!IsRepeatedKey(written)) return written;
    PgCall call{
        "SELECT r.organisation FROM unnest($4, $5) AS i(bucket, id) JOIN ratings AS r"
        " ON r.bucket = i.bucket AND r.organisation = i.id"
        " WHERE r.round = $1 AND r.attempt = $2 AND r.chunk <> $3",
        {}};
    call.params.Add(round).Add(attempt).Add(chunk);
    call.params.AddInts(columns.buckets).AddTexts(columns.organisations);
    ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                     ReadAt(/*revision=*/0, std::span(&call, 1), deadline));
    absl::flat_hash_set<absl::string_view> rated;
    for (int row = 0; row < answers.front().rows(); ++row) {
      rated.insert(answers.front().View(row, 0));
    }
    for (const StagedRating& rating : ratings) {
      if (!rated.insert(rating.organisation).second) return RatingRepeated(rating.organisation);
    }
    if (tries == kTriesMost) return written;
  }
}

absl::StatusOr<std::vector<StagedRating>> PgStore::ReadRatings(absl::string_view round,
                                                               absl::string_view attempt,
                                                               const OrganisationCursor& after,
                                                               int limit,
                                                               absl::Time deadline) const {
  PgCall call{
      "SELECT organisation, content FROM ratings WHERE round = $1 AND attempt = $2"
      " AND (bucket, organisation) > ($3, $4) ORDER BY bucket, organisation LIMIT $5",
      {}};
  call.params.Add(round).Add(attempt).Add(int64_t{after.bucket}).Add(after.organisation);
  call.params.Add(int64_t{limit});
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(/*revision=*/0, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<StagedRating> ratings;
  ratings.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    ratings.push_back({rows.Text(row, 0), rows.Text(row, 1)});
  }
  return ratings;
}

absl::StatusOr<std::optional<StagedRating>> PgStore::ReadRating(absl::string_view round,
                                                                absl::string_view attempt,
                                                                absl::string_view organisation,
                                                                absl::Time deadline) const {
  PgCall call{
      "SELECT organisation, content FROM ratings WHERE round = $1 AND attempt = $2"
      " AND bucket = $3 AND organisation = $4",
      {}};
  call.params.Add(round).Add(attempt).Add(int64_t{digest::BucketOf(organisation)});
  call.params.Add(organisation);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(/*revision=*/0, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  if (rows.rows() == 0) return std::nullopt;
  return StagedRating{rows.Text(0, 0), rows.Text(0, 1)};
}

}  // namespace starratings::store
