// The log itself, in its order; and notes of imports, which are no part of it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/pg_items.h"
#include "assessment-svc/store/pg_store.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

absl::Status NotDense(int64_t expected, int64_t found) {
  return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                       absl::StrCat("the log lacks revision ", expected),
                       {{"revision", absl::StrCat(expected)}, {"found", absl::StrCat(found)}});
}

constexpr char kCommits[] =
    "SELECT revision, actor, on_behalf_of, reason, time_us, kind, request_id FROM commits"
    " WHERE revision BETWEEN $1 AND $2 ORDER BY revision LIMIT $3";

constexpr char kItems[] = "SELECT " STARRATINGS_PG_LOG_COLUMNS("")
    " FROM evidence_log WHERE (revision, ord) >= ($1, $2) AND revision <= $3"
    " ORDER BY revision, ord LIMIT $4";

constexpr char kRounds[] =
    "SELECT revision, id FROM rounds WHERE revision BETWEEN $1 AND $2 ORDER BY revision, id"
    " LIMIT $3";

// Items of the log, row by row, with what their commits say.
class LoggedItems {
 public:
  // Both must outlive this object.
  LoggedItems(const PgItemReader& reader, const PgResult& rows) : reader_(reader), rows_(rows) {}

  // Moves up to `most` items of its revision to `logged`, and says whether
  // there are more.
  absl::Status MoveTo(LoggedRevision& logged, int64_t most) {
    while (IsOf(logged.commit.revision) && std::ssize(logged.items) < most) {
      ASSIGN_OR_RETURN(evidence::RecordedItem item, reader_.Read(rows_, row_++));
      item.actor = logged.commit.actor;
      item.recorded_at_us = logged.commit.time_us;
      item.reason = logged.commit.reason;
      logged.items.push_back(std::move(item));
    }
    logged.more = IsOf(logged.commit.revision);
    return absl::OkStatus();
  }

 private:
  static constexpr int kRevision = 4;  // Behind the key.

  bool IsOf(int64_t revision) const {
    return row_ < rows_.rows() && rows_.Int(row_, kRevision) == revision;
  }

  const PgItemReader& reader_;
  const PgResult& rows_;
  int row_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<LoggedRevision>> PgStore::ReadLog(const LogCursor& after, int64_t upto,
                                                             int items_most,
                                                             absl::Time deadline) const {
  const bool is_begun = after.items != LogCursor::kWhole;
  int64_t expected = after.revision + (is_begun ? 0 : 1);
  PgCall calls[] = {{kCommits, {}}, {kItems, {}}, {kRounds, {}}};
  calls[0].params.Add(expected).Add(upto).Add(int64_t{items_most});
  // One more than fits tells whether the last revision is in part.
  calls[1].params.Add(expected).Add(is_begun ? after.items : 0).Add(upto);
  calls[1].params.Add(int64_t{items_most} + 1);
  calls[2].params.Add(expected).Add(upto).Add(kRoundsOfActMost * items_most);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ReadAt(/*revision=*/0, calls, deadline));
  const PgResult& commits = answers[0];
  PgItemReader reader(shared_, [&](std::span<const PgCall> more) {
    return ReadAt(/*revision=*/0, more, deadline);
  });
  RETURN_IF_ERROR(reader.Fetch(answers[1], /*said=*/false));
  LoggedItems items(reader, answers[1]);
  const PgResult& rounds = answers[2];
  int round = 0;
  std::vector<LoggedRevision> log;
  int64_t room = items_most;
  for (int row = 0; row < commits.rows() && room > 0; ++row, ++expected) {
    LoggedRevision logged;
    logged.commit = {commits.Int(row, 0), commits.Text(row, 1), commits.Text(row, 2),
                     commits.Text(row, 3), commits.Int(row, 4)};
    const auto kind = KindOfName(commits.View(row, 5));
    if (logged.commit.revision != expected || !kind) {
      return NotDense(expected, logged.commit.revision);
    }
    logged.kind = *kind;
    logged.request_id = commits.Text(row, 6);
    logged.first = is_begun && log.empty() ? after.items : 0;
    RETURN_IF_ERROR(items.MoveTo(logged, room));
    for (; round < rounds.rows() && rounds.Int(round, 0) == expected; ++round) {
      if (!logged.more) logged.rounds.push_back(rounds.Text(round, 1));
    }
    room -= std::max<int64_t>(1, std::ssize(logged.items));
    log.push_back(std::move(logged));
  }
  return log;
}

absl::StatusOr<int64_t> PgStore::FindRevision(int64_t time_us, absl::Time deadline) const {
  PgCall call{
      "SELECT revision FROM commits WHERE time_us <= $1 ORDER BY time_us DESC, revision DESC"
      " LIMIT 1",
      {}};
  call.params.Add(time_us);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(/*revision=*/0, std::span(&call, 1), deadline));
  return answers.front().rows() == 0 ? 0 : answers.front().Int(0, 0);
}

absl::Status PgStore::NoteImport(const ImportNote& note, absl::Time deadline) {
  PgCall call{
      "INSERT INTO imports (id, actor, title, items, items_total, seen_us)"
      " VALUES ($1, $2, $3, $4, $5, $6)"
      " ON CONFLICT (id) DO UPDATE SET actor = excluded.actor, title = excluded.title,"
      " items = excluded.items, items_total = excluded.items_total, seen_us = excluded.seen_us",
      {}};
  call.params.Add(note.id).Add(note.actor).Add(note.title);
  call.params.Add(note.items).Add(note.items_total).Add(note.seen_us);
  return Write(std::span(&call, 1), deadline).status();
}

absl::Status PgStore::ForgetImport(absl::string_view id, absl::Time deadline) {
  PgCall call{"DELETE FROM imports WHERE id = $1", {}};
  call.params.Add(id);
  return Write(std::span(&call, 1), deadline).status();
}

absl::StatusOr<std::vector<ImportNote>> PgStore::ListImports(int64_t since_us,
                                                             absl::Time deadline) const {
  PgCall call{
      "SELECT id, actor, title, items, items_total, seen_us FROM imports WHERE seen_us >= $1"
      " ORDER BY id",
      {}};
  call.params.Add(since_us);
  ASSIGN_OR_RETURN(const int64_t head, Head(deadline));
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(head, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<ImportNote> imports;
  for (int row = 0; row < rows.rows(); ++row) {
    imports.push_back({rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2), rows.Int(row, 3),
                       rows.Int(row, 4), rows.Int(row, 5)});
  }
  return imports;
}

}  // namespace starratings::store
