// Writes a group, inside a transaction that holds the writer's lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

class SqliteGroup {
 public:
  // Reads the head. `connection` must outlive the group.
  static absl::StatusOr<SqliteGroup> Start(SqliteConnection& connection);

  // Writes, replays or refuses `write`. Any error but a refusal
  // (IsRefusal()) spoils the group.
  absl::StatusOr<Written> Add(const Write& write);

  // Whether `error` says something about a write, not about the store.
  static bool IsRefusal(const absl::Status& error);

  // The newest revision, those of this group included.
  int64_t head() const { return head_; }

  // Moves the head; call last. False: nothing was accepted.
  absl::StatusOr<bool> Finish();

 private:
  SqliteGroup(SqliteConnection& connection, int64_t head, int64_t time_us, int64_t registered)
      : connection_(connection),
        head_before_(head),
        head_(head),
        time_us_(time_us),
        registered_(registered) {}

  absl::StatusOr<Written> Decide(const Write& write);
  // The first answer to this request id; nothing if it is new.
  absl::StatusOr<std::optional<Written>> Replay(const Write& write);
  absl::StatusOr<std::vector<std::string>> EtagsOf(int64_t revision);

  // Checks, without writing. `ordinals` becomes those of the items.
  absl::Status CheckDrafts(const Write& write, std::vector<int64_t>& ordinals);
  // When the code was last registered; 0: never.
  absl::StatusOr<int64_t> CodeRevision(const std::string& code);
  absl::Status CheckCodes(const Registration& registration);
  absl::Status CheckScheme(const SchemeDraft& scheme);
  absl::Status CheckRounds(const RoundAct& act);

  absl::Status InsertCommit(const Write& write, const Commit& commit);
  absl::Status InsertItems(const Write& write, const std::vector<int64_t>& ordinals,
                           int64_t revision);
  absl::Status InsertRegistration(const Registration& registration, int64_t revision);
  absl::Status InsertCode(const evidence::Code& code, int64_t revision);
  absl::Status InsertScheme(const SchemeDraft& scheme, int64_t revision);
  absl::Status InsertRounds(const RoundAct& act, int64_t revision);
  absl::StatusOr<int64_t> SourceRow(const evidence::Source& source);

  // Runs a statement that gives no rows.
  template <typename... Values>
  absl::Status Run(absl::string_view sql, const Values&... values) {
    ASSIGN_OR_RETURN(SqliteQuery query, connection_.Query(sql, values...));
    return query.Run();
  }

  SqliteConnection& connection_;
  int64_t head_before_;
  int64_t head_;
  int64_t time_us_;     // Of the head.
  int64_t registered_;  // The last revision that registered something.
};

}  // namespace starratings::store
