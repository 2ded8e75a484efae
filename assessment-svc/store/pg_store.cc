#include "assessment-svc/store/pg_store.h"

#include <algorithm>
#include <random>

#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/pg_schema.h"
#include "assessment-svc/store/steady_clock.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

constexpr absl::Duration kOpenMost = absl::Seconds(30);

// How long a host may take for one step before another is tried.
// Longer than a lock is waited for.
constexpr absl::Duration kStepMost = absl::Seconds(6);

constexpr absl::Duration kBackoffFirst = absl::Milliseconds(10);
constexpr absl::Duration kBackoffMost = absl::Seconds(1);

// Between tries: full jitter, longer each time.
class Backoff {
 public:
  // False: there is no time left for another try.
  bool Wait(absl::Time deadline) {
    static thread_local std::minstd_rand random{std::random_device()()};
    const double share = std::uniform_real_distribution<double>(0, 1)(random);
    const absl::Time until = absl::Now() + share * most_;
    most_ = std::min(2 * most_, kBackoffMost);
    if (until >= deadline) return false;
    absl::SleepFor(until - absl::Now());
    return true;
  }

 private:
  absl::Duration most_ = kBackoffFirst;
};

bool IsConflict(const absl::Status& error) {
  return absl::IsAborted(error) && status::DetailOf(error).reason == "STORE_CONFLICT";
}

// Worth another try, perhaps elsewhere.
bool IsPassing(const absl::Status& error) {
  return IsConflict(error) || absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error);
}

}  // namespace

PgStore::PgStore(const PgTarget& target, const StoreOptions& options)
    : observer_(options.observer),
      writer_(target, 1, options.observer),
      readers_(target, kReaders, options.observer),
      head_(target, [this] {
        // Another host may lead now.
        writer_.DropAll();
        readers_.DropAll();
        shared_.Clear();
        if (observer_ != nullptr) observer_->OnReconnect();
      }) {}

absl::StatusOr<std::unique_ptr<PgStore>> PgStore::Open(const std::string& conninfo,
                                                       const StoreOptions& options) {
  ASSIGN_OR_RETURN(const PgTarget target, ParsePgTarget(conninfo, options.password_file));
  std::unique_ptr<PgStore> store(new PgStore(target, options));
  const absl::Time deadline = absl::Now() + kOpenMost;
  ASSIGN_OR_RETURN(const PgPool::Lease reader, store->readers_.Acquire(deadline));
  ASSIGN_OR_RETURN(const Schema schema, ReadPgSchema(*reader, deadline));
  RETURN_IF_ERROR(CheckSchema(schema, PostgresMigrations().back().number));
  ASSIGN_OR_RETURN(store->identity_, ReadPgIdentity(*reader, deadline));
  return store;
}

absl::StatusOr<int64_t> PgStore::Head(absl::Time deadline) const {
  Backoff backoff;
  absl::Status last;  // Says more than that the time is over.
  while (true) {
    const auto answer = head_.Get(GetKnownHead().revision, deadline);
    if (answer.ok()) {
      Saw(answer->revision, answer->as_of);
      return answer->revision;
    }
    if (last.ok() || !absl::IsDeadlineExceeded(answer.status())) last = answer.status();
    if (!IsPassing(answer.status()) || !backoff.Wait(deadline)) return last;
  }
}

absl::StatusOr<int64_t> PgStore::HeadUpTo(int64_t revision, absl::Time deadline) const {
  if (revision <= GetKnownHead().revision) return revision;
  ASSIGN_OR_RETURN(const int64_t head, Head(deadline));
  return std::min(head, revision);
}

absl::Time PgStore::StepEnd(bool was_late, absl::Time deadline) const {
  // A host that still answers others is alive: it is the call that takes long.
  const absl::Time soon = std::min(deadline, absl::Now() + PgHead::kAnswerMost);
  if (was_late && head_.Get(0, soon).ok()) return deadline;
  return std::min(deadline, absl::Now() + kStepMost);
}

absl::StatusOr<std::vector<PgResult>> PgStore::ReadAt(int64_t revision,
                                                      std::span<const PgCall> calls,
                                                      absl::Time deadline) const {
  std::vector<PgCall> all = {{"SELECT revision FROM log_head WHERE id = 1", {}}};
  all.insert(all.end(), calls.begin(), calls.end());
  Backoff backoff;
  bool was_late = false;
  while (true) {
    // A host that lacks what was acknowledged is not the primary any more.
    const int64_t least = std::max(revision, GetKnownHead().revision);
    absl::Status error;
    {
      const absl::StatusOr<PgPool::Lease> reader = readers_.Acquire(deadline);
      error = reader.status();
      if (reader.ok()) {
        auto results = (*reader)->RunAll(all, StepEnd(was_late, deadline));
        if (results.ok() && results->front().Int(0, 0) >= least) {
          results->erase(results->begin());
          return results;
        }
        error = results.ok() ? status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                                             "the database that answers is not the primary")
                             : results.status();
        was_late = absl::IsDeadlineExceeded(error);
      }
    }
    if (absl::IsUnavailable(error)) {
      readers_.DropAll();
      shared_.Clear();
    }
    if (!IsPassing(error) || !backoff.Wait(deadline)) return error;
  }
}

absl::StatusOr<std::vector<PgResult>> PgStore::Write(std::span<const PgCall> calls,
                                                     absl::Time deadline) {
  Backoff backoff;
  bool was_late = false;
  while (true) {
    absl::Status error;
    {
      const absl::StatusOr<PgPool::Lease> writer = writer_.Acquire(deadline);
      error = writer.status();
      if (writer.ok()) {
        auto results = (*writer)->RunAll(calls, StepEnd(was_late, deadline));
        if (results.ok() && !(*writer)->warned()) return results;
        error = results.ok() ? status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                                             "the record's database cannot reach its standby")
                             : results.status();
        was_late = absl::IsDeadlineExceeded(error);
      }
    }
    if (!IsPassing(error) || !backoff.Wait(deadline)) return error;
  }
}

// Ends sessions of services like this one that hold the head and have waited for
// their process for seconds: it was stopped, or is out of reach. No time-out of
// theirs does that while COPY, or a row of statements, is under way.
void PgStore::EndFrozen(PgConnection& connection) {
  constexpr char kEnd[] =
      "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a"
      " WHERE a.datname = current_database() AND a.usename = current_user"
      " AND a.application_name = current_setting('application_name')"
      " AND a.pid <> pg_backend_pid() AND a.wait_event_type = 'Client'"
      " AND a.state_change < clock_timestamp() - interval '3 s'"
      " AND EXISTS (SELECT 1 FROM pg_locks AS l WHERE l.pid = a.pid AND l.granted"
      "   AND l.locktype = 'relation' AND l.relation = 'log_head'::regclass"
      "   AND l.mode = 'RowShareLock')";
  connection.Run(kEnd, absl::Now() + PgHead::kAnswerMost).IgnoreError();
}

absl::StatusOr<std::vector<absl::StatusOr<Written>>> PgStore::CommitGroup(
    std::span<const store::Write> group, absl::Time deadline) {
  Backoff backoff;
  bool is_unknown = false;
  bool was_late = false;
  // Whose first answer was there before the first try: the others are ours.
  std::vector<bool> replayed;
  while (true) {
    absl::Status error;
    {
      absl::StatusOr<PgPool::Lease> writer = writer_.Acquire(deadline);
      error = writer.status();
      if (writer.ok()) {
        PgConnection& connection = **writer;
        const absl::Duration begun = SteadyNow();
        PgGroup attempt(connection, source_rows_, group, GetKnownHead().revision,
                        StepEnd(was_late, deadline));
        error = attempt.Run();
        std::vector<absl::StatusOr<Written>>& answers = attempt.answers();
        if (replayed.empty() && answers.size() == group.size()) {
          for (const auto& answer : answers) replayed.push_back(answer.ok() && answer->replayed);
        }
        if (error.ok()) {
          source_rows_.Commit();
          Saw(attempt.head(), begun);
          for (size_t i = 0; i < answers.size(); ++i) {
            if (answers[i].ok()) answers[i]->replayed = replayed[i];
          }
          return std::move(answers);
        }
        is_unknown = is_unknown || (attempt.committing() && IsPassing(error) && !IsConflict(error));
        was_late = absl::IsDeadlineExceeded(error);
        AfterFailure(connection, error);
      }
    }
    if (was_late) {
      // Perhaps somebody holds the head, for longer than callers wait.
      const absl::StatusOr<PgPool::Lease> other =
          writer_.Acquire(absl::Now() + PgHead::kAnswerMost);
      if (other.ok()) EndFrozen(**other);
    }
    if (error.code() == absl::StatusCode::kInternal) {
      if (group.size() == 1) return std::vector<absl::StatusOr<Written>>{error};
      // Something in it is not taken by the database: it shall fail alone.
      std::vector<absl::StatusOr<Written>> answers;
      for (size_t i = 0; i < group.size(); ++i) {
        ASSIGN_OR_RETURN(auto one, CommitGroup(group.subspan(i, 1), deadline));
        answers.push_back(std::move(one.front()));
      }
      return answers;
    }
    if (IsPassing(error) && observer_ != nullptr) {
      observer_->OnRetry(status::DetailOf(error).metadata["sqlstate"]);
    }
    if (!IsPassing(error) || !backoff.Wait(deadline)) {
      return is_unknown ? OutcomeUnknown() : error;
    }
  }
}

// What a failed try leaves behind, on the connection of whoever writes.
void PgStore::AfterFailure(PgConnection& connection, const absl::Status& error) {
  source_rows_.Rollback();
  if (absl::IsUnavailable(error)) {
    // It may be another host that leads; and another that had the sources.
    source_rows_.Forget();
    writer_.DropAll();
  }
  if (connection.broken()) {
    source_rows_.Forget();
    return;
  }
  connection.Run("ROLLBACK", absl::Now() + PgHead::kAnswerMost).IgnoreError();
  if (IsConflict(error) && !connection.broken()) EndFrozen(connection);
}

absl::Status PgStore::CheckReady(absl::Time deadline) const {
  ASSIGN_OR_RETURN(const int64_t head, Head(deadline));
  static_cast<void>(head);
  ASSIGN_OR_RETURN(const PgPool::Lease reader, readers_.Acquire(deadline));
  ASSIGN_OR_RETURN(const Schema schema, ReadPgSchema(*reader, deadline));
  RETURN_IF_ERROR(CheckSchema(schema, PostgresMigrations().back().number));
  ASSIGN_OR_RETURN(const Identity identity, ReadPgIdentity(*reader, deadline));
  if (identity.store == identity_.store && identity.incarnation == identity_.incarnation) {
    return absl::OkStatus();
  }
  return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                       "the record was replaced by another: restart this service");
}

}  // namespace starratings::store
