#include "assessment-svc/store/pg_store.h"

#include <algorithm>
#include <random>

#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/pg_schema.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

constexpr absl::Duration kOpenMost = absl::Seconds(30);

// How long a host may take for one step before another is tried.
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
  ASSIGN_OR_RETURN(const PgHead::Answer answer, head_.Get(GetKnownHead().revision, deadline));
  Saw(answer.revision, answer.as_of);
  return answer.revision;
}

absl::StatusOr<std::vector<PgResult>> PgStore::ReadAt(int64_t revision,
                                                      std::span<const PgCall> calls,
                                                      absl::Time deadline) const {
  std::vector<PgCall> all = {{"SELECT revision FROM log_head WHERE id = 1", {}}};
  all.insert(all.end(), calls.begin(), calls.end());
  Backoff backoff;
  while (true) {
    // A host that lacks what was acknowledged is not the primary any more.
    const int64_t least = std::max(revision, GetKnownHead().revision);
    absl::Status error;
    {
      ASSIGN_OR_RETURN(const PgPool::Lease reader, readers_.Acquire(deadline));
      auto results = reader->RunAll(all, deadline);
      if (results.ok() && results->front().Int(0, 0) >= least) {
        results->erase(results->begin());
        return results;
      }
      error = results.ok() ? status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                                           "the database that answers is not the primary")
                           : results.status();
    }
    if (absl::IsUnavailable(error)) {
      readers_.DropAll();
      shared_.Clear();
    }
    if (!IsPassing(error) || absl::IsDeadlineExceeded(error) || !backoff.Wait(deadline)) {
      return error;
    }
  }
}

absl::StatusOr<std::vector<PgResult>> PgStore::Write(std::span<const PgCall> calls,
                                                     absl::Time deadline) {
  Backoff backoff;
  while (true) {
    absl::Status error;
    {
      ASSIGN_OR_RETURN(const PgPool::Lease writer, writer_.Acquire(deadline));
      auto results = writer->RunAll(calls, std::min(deadline, absl::Now() + kStepMost));
      if (results.ok()) return results;
      error = results.status();
    }
    if (!IsPassing(error) || !backoff.Wait(deadline)) return error;
  }
}

absl::StatusOr<std::vector<absl::StatusOr<Written>>> PgStore::CommitGroup(
    std::span<const store::Write> group, absl::Time deadline) {
  Backoff backoff;
  bool is_unknown = false;
  // Whose first answer was there before the first try: the others are ours.
  std::vector<bool> replayed;
  while (true) {
    absl::Status error;
    {
      absl::StatusOr<PgPool::Lease> writer = writer_.Acquire(deadline);
      error = writer.status();
      if (writer.ok()) {
        PgConnection& connection = **writer;
        const absl::Time begun = absl::Now();
        PgGroup attempt(connection, source_rows_, group, std::min(deadline, begun + kStepMost));
        error = attempt.Run(is_unknown);
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
        source_rows_.Rollback();
        if (connection.broken()) source_rows_.Forget();
        is_unknown = is_unknown || (attempt.committing() && IsPassing(error) && !IsConflict(error));
        if (!connection.broken()) {
          connection.Run("ROLLBACK", absl::Now() + kStepMost).IgnoreError();
        }
      }
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
