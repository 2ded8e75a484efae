// Scheme texts, and rounds with their versions.
#include "assessment-svc/store/pg_store.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// The commit of `t`'s row, by key, and its columns, for CommitOf().
#define STARRATINGS_PG_JOIN_COMMIT(t)                                      \
  " CROSS JOIN LATERAL (SELECT * FROM commits WHERE commits.revision = " t \
  "revision OFFSET 0)"                                                     \
  " AS c"
#define STARRATINGS_PG_COMMIT_COLUMNS "c.revision, c.actor, c.on_behalf_of, c.reason, c.time_us"

Commit CommitOf(const PgResult& rows, int row, int first) {
  return {rows.Int(row, first), rows.Text(row, first + 1), rows.Text(row, first + 2),
          rows.Text(row, first + 3), rows.Int(row, first + 4)};
}

}  // namespace

absl::StatusOr<std::optional<SchemeRow>> PgStore::ReadScheme(absl::string_view name,
                                                             absl::Time deadline) const {
#define STARRATINGS_PG_NAMED " (s.digest = $1 OR s.id || '@' || s.version = $1)"
  PgCall calls[] = {
      {"SELECT s.id, s.version, s.digest, s.text, " STARRATINGS_PG_COMMIT_COLUMNS
       " FROM schemes AS s" STARRATINGS_PG_JOIN_COMMIT("s.") " WHERE" STARRATINGS_PG_NAMED
                                                             " ORDER BY s.revision LIMIT 1",
       {}},
      {"SELECT " STARRATINGS_PG_COMMIT_COLUMNS
       " FROM scheme_approvals AS a" STARRATINGS_PG_JOIN_COMMIT(
           "a.") " WHERE a.digest = (SELECT s.digest FROM schemes AS s WHERE" STARRATINGS_PG_NAMED
                 " ORDER BY s.revision LIMIT 1)",
       {}}};
  for (PgCall& call : calls) call.params.Add(name);
  ASSIGN_OR_RETURN(const int64_t head, Head(deadline));
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ReadAt(head, calls, deadline));
  const PgResult& rows = answers[0];
  if (rows.rows() == 0) return std::nullopt;
  SchemeRow scheme{rows.Text(0, 0), rows.Text(0, 1), rows.Text(0, 2), rows.Text(0, 3),
                   CommitOf(rows, 0, 4)};
  if (answers[1].rows() > 0) scheme.approval = CommitOf(answers[1], 0, 0);
  return scheme;
}

absl::StatusOr<std::vector<RoundVersion>> PgStore::ReadRound(absl::string_view id, int64_t revision,
                                                             absl::Time deadline) const {
  PgCall call{"SELECT r.content, " STARRATINGS_PG_COMMIT_COLUMNS
              " FROM rounds AS r" STARRATINGS_PG_JOIN_COMMIT(
                  "r.") " WHERE r.id = $1 AND r.revision <= $2 ORDER BY r.revision",
              {}};
  call.params.Add(id).Add(revision);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<RoundVersion> versions;
  for (int row = 0; row < rows.rows(); ++row) {
    versions.push_back({rows.Text(row, 0), CommitOf(rows, row, 1)});
  }
  return versions;
}

absl::StatusOr<std::vector<EvidenceStore::RoundRef>> PgStore::ListRounds(
    int64_t before, int limit, absl::Time deadline) const {
  PgCall call{
      "SELECT id, min(revision) AS created FROM rounds GROUP BY id HAVING min(revision) < $1"
      " ORDER BY created DESC, id LIMIT $2",
      {}};
  call.params.Add(before).Add(int64_t{limit});
  ASSIGN_OR_RETURN(const int64_t revision, HeadUpTo(std::max<int64_t>(before, 1) - 1, deadline));
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<RoundRef> rounds;
  for (int row = 0; row < rows.rows(); ++row) {
    rounds.push_back({rows.Text(row, 0), rows.Int(row, 1)});
  }
  return rounds;
}

}  // namespace starratings::store
