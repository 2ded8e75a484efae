// Scheme texts, and rounds with their versions.
#include "assessment-svc/store/sqlite_store.h"

namespace starratings::store {
namespace {

// Columns of commits, for CommitOf().
#define STARRATINGS_COMMIT_COLUMNS "c.revision, c.actor, c.on_behalf_of, c.reason, c.time_us"

Commit CommitOf(const SqliteQuery& row, int first) {
  return {row.Int(first), row.Text(first + 1), row.Text(first + 2), row.Text(first + 3),
          row.Int(first + 4)};
}

}  // namespace

absl::StatusOr<std::optional<SchemeRow>> SqliteStore::ReadScheme(absl::string_view name,
                                                                 absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      snapshot->Query("SELECT s.id, s.version, s.digest, s.text, " STARRATINGS_COMMIT_COLUMNS
                      " FROM schemes AS s JOIN commits AS c USING (revision)"
                      " WHERE s.digest = ?1 OR s.id || '@' || s.version = ?1"
                      " ORDER BY s.revision LIMIT 1",
                      name));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::nullopt;
  SchemeRow scheme{query.Text(0), query.Text(1), query.Text(2), query.Text(3), CommitOf(query, 4)};
  ASSIGN_OR_RETURN(SqliteQuery approvals,
                   snapshot->Query("SELECT " STARRATINGS_COMMIT_COLUMNS
                                   " FROM scheme_approvals AS a JOIN commits AS c USING (revision)"
                                   " WHERE a.digest = ?1",
                                   scheme.digest));
  ASSIGN_OR_RETURN(const bool approved, approvals.Step());
  if (approved) scheme.approval = CommitOf(approvals, 0);
  return scheme;
}

absl::StatusOr<std::vector<RoundVersion>> SqliteStore::ReadRound(absl::string_view id,
                                                                 int64_t revision,
                                                                 absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT r.content, " STARRATINGS_COMMIT_COLUMNS
                                   " FROM rounds AS r JOIN commits AS c USING (revision)"
                                   " WHERE r.id = ?1 AND r.revision <= ?2 ORDER BY r.revision",
                                   id, revision));
  std::vector<RoundVersion> versions;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    versions.push_back({row.Text(0), CommitOf(row, 1)});
    return absl::OkStatus();
  }));
  return versions;
}

absl::StatusOr<std::vector<EvidenceStore::RoundRef>> SqliteStore::ListRounds(
    int64_t before, int limit, absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT id, min(revision) AS created FROM rounds GROUP BY id"
                                   " HAVING created < ?1 ORDER BY created DESC, id LIMIT ?2",
                                   before, limit));
  std::vector<RoundRef> rounds;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    rounds.push_back({row.Text(0), row.Int(1)});
    return absl::OkStatus();
  }));
  return rounds;
}

}  // namespace starratings::store
