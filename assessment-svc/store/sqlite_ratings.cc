// Staged ratings: durable, but no part of the log.
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/sqlite_store.h"
#include "common/digest/bucket.h"

namespace starratings::store {

absl::Status SqliteStore::StageRatings(absl::string_view round, absl::string_view attempt,
                                       int64_t chunk, const std::vector<StagedRating>& ratings,
                                       absl::Time deadline) {
  ASSIGN_OR_RETURN(const SqlitePool::Lease writer, writer_.Acquire(deadline));
  ASSIGN_OR_RETURN(SqliteTransaction transaction,
                   SqliteTransaction::Begin(*writer, SqliteConnection::Use::kWrite));
  {
    ASSIGN_OR_RETURN(SqliteQuery remove,
                     writer->Query("DELETE FROM ratings"
                                   " WHERE round = ?1 AND attempt = ?2 AND chunk = ?3",
                                   round, attempt, chunk));
    RETURN_IF_ERROR(remove.Run());
  }
  for (const StagedRating& rating : ratings) {
    ASSIGN_OR_RETURN(
        SqliteQuery insert,
        writer->Query("INSERT INTO ratings (round, attempt, bucket, organisation, chunk, content)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                      " ON CONFLICT DO NOTHING RETURNING 1",
                      round, attempt, digest::BucketOf(rating.organisation), rating.organisation,
                      chunk, SqliteBlob{rating.content}));
    ASSIGN_OR_RETURN(const bool inserted, insert.Step());
    if (!inserted) return RatingRepeated(rating.organisation);
  }
  return transaction.Commit();
}

absl::StatusOr<std::vector<StagedRating>> SqliteStore::ReadRatings(absl::string_view round,
                                                                   absl::string_view attempt,
                                                                   const OrganisationCursor& after,
                                                                   int limit,
                                                                   absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      snapshot->Query("SELECT organisation, content FROM ratings WHERE round = ?1 AND attempt = ?2"
                      " AND (bucket, organisation) > (?3, ?4) ORDER BY bucket, organisation"
                      " LIMIT ?5",
                      round, attempt, after.bucket, after.organisation, limit));
  std::vector<StagedRating> ratings;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    ratings.push_back({row.Text(0), row.Text(1)});
    return absl::OkStatus();
  }));
  return ratings;
}

absl::StatusOr<std::optional<StagedRating>> SqliteStore::ReadRating(absl::string_view round,
                                                                    absl::string_view attempt,
                                                                    absl::string_view organisation,
                                                                    absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT organisation, content FROM ratings WHERE round = ?1"
                                   " AND attempt = ?2 AND bucket = ?3 AND organisation = ?4",
                                   round, attempt, digest::BucketOf(organisation), organisation));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::nullopt;
  return StagedRating{query.Text(0), query.Text(1)};
}

}  // namespace starratings::store
