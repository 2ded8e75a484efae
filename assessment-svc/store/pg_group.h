// Writes a group in one transaction.
//
// The head is locked in a statement of its own; what the group is decided by is
// read in later ones, which see everything that was committed before the lock
// was had. (One statement that does both sees the record as it was before it
// waited.) Then everything is inserted, the head moved and committed in one
// round trip.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/pg_group_rows.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

class PgGroup {
 public:
  // All must outlive the group. `least`: a revision that was acknowledged.
  PgGroup(PgConnection& connection, PgSourceRows& sources, std::span<const Write> group,
          int64_t least, absl::Time deadline)
      : connection_(connection),
        sources_(sources),
        group_(group),
        least_(least),
        deadline_(deadline) {}

  // Decides and writes. Also what is only refused, found there already or not to
  // be written is answered after a transaction of this connection's is durable:
  // a primary that was deposed answers nothing. UNAVAILABLE (STORE_UNAVAILABLE),
  // and nothing is written, where the head is lower than `least`.
  absl::Status Run();

  // In the order of the group, after Run().
  std::vector<absl::StatusOr<Written>>& answers() { return answers_; }
  int64_t head() const { return head_; }

  // COMMIT was sent, and not told to be in vain: after an error nobody knows what
  // became of it.
  bool committing() const { return committing_; }

 private:
  struct Earlier {  // A write that was there before the group.
    int64_t revision = 0;
    std::string request_hash, nonce, kind;
  };
  struct Standing {  // What stands under a key.
    int64_t ordinal = 0;
    int64_t revision = 0;
    std::optional<evidence::Value> value;
  };

  // Locks the head, and reads what the writes are decided by: in one round trip.
  absl::Status BeginAndLoad();
  absl::Status FetchSources();

  absl::StatusOr<Written> Decide(size_t index);
  absl::StatusOr<std::optional<Written>> Replay(size_t index);
  absl::StatusOr<std::vector<std::string>> EtagsOf(int64_t revision);
  absl::Status CheckDrafts(const Write& write);
  absl::Status CheckCodes(const Write& write);
  absl::Status CheckScheme(const SchemeDraft& scheme);
  absl::Status CheckApproval(const SchemeApproval& approval);
  absl::Status CheckRounds(const RoundAct& act);

  absl::StatusOr<int64_t> CodeRevision(const std::string& code);
  absl::StatusOr<int64_t> RoundRevision(const std::string& round);

  Written Accept(size_t index);
  void Add(const Registration& registration, int64_t revision);
  void Add(const SchemeDraft& scheme, int64_t revision);
  void Add(const SchemeApproval& approval, int64_t revision);
  void Add(const RoundAct& act, int64_t revision);

  absl::Status Finish();
  absl::Status Confirm();

  PgConnection& connection_;
  PgSourceRows& sources_;
  const std::span<const Write> group_;
  const int64_t least_;
  const absl::Time deadline_;

  int64_t head_before_ = 0;
  int64_t head_ = 0;
  int64_t time_us_ = 0;     // Of the head.
  int64_t registered_ = 0;  // The last revision that registered something.
  bool committing_ = false;
  std::vector<absl::StatusOr<Written>> answers_;

  using RequestKey = std::pair<absl::string_view, absl::string_view>;  // Actor and id.
  absl::flat_hash_map<RequestKey, Earlier> earlier_;
  absl::flat_hash_map<RequestKey, size_t> accepted_;  // In this group.
  std::map<evidence::ItemKey, Standing> standing_;
  std::map<std::string, int64_t> codes_, rounds_;  // Revisions, as far as asked for.
  std::map<std::pair<std::string, std::string>, std::string> schemes_;  // Of this group.
  std::set<std::string> approved_;                                      // The same.
  std::map<std::string, bool> chosen_;

  PgGroupRows rows_;
  std::vector<PgCall> others_;  // What follows the rows.
};

}  // namespace starratings::store
