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
#include "assessment-svc/store/sqlite_item_writer.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

class SqliteGroup {
 public:
  // Everything that a write can be refused for is looked at before anything of
  // it is written, so that writes need no savepoints, but for what the database
  // itself does not take: kInternal.
  enum class Isolation {
    kNone,  // Such an error spoils the group: begin again with kEach.
    kEach,  // It is the write's own.
  };

  // Reads the head. `connection` and `sources` must outlive the group.
  static absl::StatusOr<SqliteGroup> Start(SqliteConnection& connection, SourceRows& sources,
                                           Isolation isolation);

  // Writes, replays or refuses `write`. Any error but a refusal
  // (IsRefusal()) spoils the group.
  absl::StatusOr<Written> Add(const Write& write);

  // Whether `error` says something about a write, not about the store.
  bool IsRefusal(const absl::Status& error) const;

  // The newest revision, those of this group included.
  int64_t head() const { return head_; }

  // Moves the head; call last. False: nothing was accepted.
  absl::StatusOr<bool> Finish();

 private:
  SqliteGroup(SqliteConnection& connection, SourceRows& sources, Isolation isolation)
      : connection_(connection), sources_(sources), isolation_(isolation) {}

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
  absl::Status CheckApproval(const SchemeApproval& approval);
  absl::Status CheckRounds(const RoundAct& act);

  absl::Status InsertCommit(const Write& write, const Commit& commit);
  absl::Status InsertRegistration(const Registration& registration, int64_t revision);
  absl::Status InsertCode(const evidence::Code& code, int64_t revision);
  absl::Status InsertScheme(const SchemeDraft& scheme, int64_t revision);
  absl::Status InsertRounds(const RoundAct& act, int64_t revision);

  SqliteConnection& connection_;
  SourceRows& sources_;
  const Isolation isolation_;
  int64_t head_before_ = 0;
  int64_t head_ = 0;
  int64_t time_us_ = 0;     // Of the head.
  int64_t registered_ = 0;  // The last revision that registered something.
};

}  // namespace starratings::store
