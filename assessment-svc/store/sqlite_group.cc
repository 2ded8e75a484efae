#include "assessment-svc/store/sqlite_group.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/sqlite_items.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

template <typename Bytes>
SqliteBlob BlobOf(const Bytes& bytes) {
  return {absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

std::optional<int64_t> DaysOf(const std::optional<evidence::Date>& date) {
  return date ? std::optional<int64_t>(date->days()) : std::nullopt;
}

std::optional<int64_t> MicrosOf(const std::optional<evidence::Decimal>& decimal) {
  return decimal ? std::optional(decimal->micros()) : std::nullopt;
}

// The same as RecordedItem::Etag().
std::string EtagOf(int64_t ordinal, int64_t revision) {
  evidence::RecordedItem item;
  item.ordinal = ordinal;
  item.revision = revision;
  return item.Etag();
}

}  // namespace

absl::StatusOr<SqliteGroup> SqliteGroup::Start(SqliteConnection& connection, SourceRows& sources,
                                               Isolation isolation) {
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      connection.Query("SELECT h.revision, c.time_us, c.revision,"
                       " (SELECT max(revision) FROM commits"
                       "   WHERE kind = 'registration')"
                       " FROM log_head AS h LEFT JOIN commits AS c ON c.revision = h.revision"));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row || (query.Int(0) != 0 && query.IsNull(2))) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                         "the record has lost its head");
  }
  SqliteGroup group(connection, sources, isolation);
  group.head_before_ = group.head_ = query.Int(0);
  group.time_us_ = query.Int(1);
  group.registered_ = query.Int(3);
  return group;
}

bool SqliteGroup::IsRefusal(const absl::Status& error) const {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    case absl::StatusCode::kInternal:
      return isolation_ == Isolation::kEach;
    default:
      return false;
  }
}

absl::StatusOr<Written> SqliteGroup::Add(const Write& write) {
  RETURN_IF_ERROR(CheckWellFormed(write));
  if (isolation_ == Isolation::kEach) RETURN_IF_ERROR(connection_.Execute("SAVEPOINT write"));
  absl::StatusOr<Written> written = Decide(write);
  if (isolation_ == Isolation::kEach) {
    if (written.ok()) {
      RETURN_IF_ERROR(connection_.Execute("RELEASE write"));
    } else if (IsRefusal(written.status())) {
      RETURN_IF_ERROR(connection_.Execute("ROLLBACK TO write; RELEASE write"));
      sources_.Rollback();  // Those of earlier writes are found again.
    }                       // Otherwise the whole transaction is rolled back, if it is not already.
  }
  if (written.ok()) head_ = std::max(head_, written->revision);
  return written;
}

absl::StatusOr<bool> SqliteGroup::Finish() {
  if (head_ == head_before_) return false;
  RETURN_IF_ERROR(connection_.Run("UPDATE log_head SET revision = ?1", head_));
  return true;
}

absl::StatusOr<Written> SqliteGroup::Decide(const Write& write) {
  ASSIGN_OR_RETURN(std::optional<Written> first, Replay(write));
  if (first) return *std::move(first);

  std::vector<int64_t> ordinals;
  RETURN_IF_ERROR(CheckDrafts(write, ordinals));
  const auto* registration = std::get_if<Registration>(&write.body);
  const auto* scheme = std::get_if<SchemeDraft>(&write.body);
  const auto* approval = std::get_if<SchemeApproval>(&write.body);
  const auto* act = std::get_if<RoundAct>(&write.body);
  if (registration != nullptr) RETURN_IF_ERROR(CheckCodes(*registration));
  if (scheme != nullptr) RETURN_IF_ERROR(CheckScheme(*scheme));
  if (approval != nullptr) RETURN_IF_ERROR(CheckApproval(*approval));
  if (act != nullptr) RETURN_IF_ERROR(CheckRounds(*act));

  if (write.validate_only) return Written();

  // The clock may go back; the log does not.
  time_us_ = std::max(time_us_, absl::ToUnixMicros(absl::Now()));
  const Commit commit = {head_ + 1, write.actor, write.on_behalf_of, write.reason, time_us_};
  RETURN_IF_ERROR(InsertCommit(write, commit));
  RETURN_IF_ERROR(WriteItems(connection_, sources_, DraftsOf(write), ordinals, commit.revision));
  if (registration != nullptr) {
    RETURN_IF_ERROR(InsertRegistration(*registration, commit.revision));
    registered_ = commit.revision;
  }
  if (scheme != nullptr) RETURN_IF_ERROR(InsertScheme(*scheme, commit.revision));
  if (approval != nullptr) {
    RETURN_IF_ERROR(
        connection_.Run("INSERT INTO scheme_approvals (revision, digest) VALUES (?1, ?2)",
                        commit.revision, approval->digest));
  }
  if (act != nullptr) RETURN_IF_ERROR(InsertRounds(*act, commit.revision));

  Written written;
  written.revision = commit.revision;
  if (std::holds_alternative<EvidenceBatch>(write.body)) {
    for (const int64_t ordinal : ordinals) {
      written.etags.push_back(EtagOf(ordinal, commit.revision));
    }
  }
  return written;
}

absl::StatusOr<std::optional<Written>> SqliteGroup::Replay(const Write& write) {
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection_.Query("SELECT c.revision, c.request_hash, n.nonce, c.kind"
                                     " FROM commits AS c LEFT JOIN nonces AS n"
                                     " ON n.revision = c.revision"
                                     " WHERE c.actor = ?1 AND c.request_id = ?2",
                                     write.actor, write.request_id));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::nullopt;
  // Without its nonce nobody can tell any more what the request said.
  Nonce nonce;
  const absl::string_view stored = query.View(2);
  if (stored.size() != nonce.size()) return RequestIdReused();
  std::copy(stored.begin(), stored.end(), nonce.begin());
  const digest::Digest hash = RequestHash(nonce, write.payload);
  if (BlobOf(hash).bytes != query.View(1)) return RequestIdReused();
  Written written;
  written.revision = query.Int(0);
  written.replayed = true;
  if (query.View(3) == "evidence") {
    ASSIGN_OR_RETURN(written.etags, EtagsOf(written.revision));
  }
  return written;
}

absl::StatusOr<std::vector<std::string>> SqliteGroup::EtagsOf(int64_t revision) {
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      connection_.Query("SELECT ordinal FROM evidence_log WHERE revision = ?1 ORDER BY ord",
                        revision));
  std::vector<std::string> etags;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    etags.push_back(EtagOf(row.Int(0), revision));
    return absl::OkStatus();
  }));
  return etags;
}

absl::Status SqliteGroup::CheckDrafts(const Write& write, std::vector<int64_t>& ordinals) {
  const std::vector<EvidenceDraft>& drafts = DraftsOf(write);
  for (const std::string& code : CodesToCheck(write, registered_)) {
    ASSIGN_OR_RETURN(const int64_t current, CodeRevision(code));
    RETURN_IF_ERROR(CheckCodeSeen(write, code, current));
  }
  ordinals.reserve(drafts.size());
  for (size_t i = 0; i < drafts.size(); ++i) {
    const evidence::ItemKey& key = drafts[i].item.key;
    ASSIGN_OR_RETURN(
        SqliteQuery query,
        connection_.Query("SELECT ordinal, rev_from, " STARRATINGS_STATE_COLUMNS
                          " FROM evidence_current WHERE bucket = ?1"
                          " AND organisation = ?2 AND period = ?3 AND code = ?4 AND instance = ?5",
                          digest::BucketOf(key.organisation), key.organisation, key.period,
                          key.code, key.instance));
    ASSIGN_OR_RETURN(const bool row, query.Step());
    std::optional<std::string> etag;
    if (row) etag = EtagOf(query.Int(0), query.Int(1));
    RETURN_IF_ERROR(CheckExpectation(write, i, etag));
    if (row && write.reason.empty()) {
      ASSIGN_OR_RETURN(const evidence::Value current, ReadValue(query, /*first=*/2));
      RETURN_IF_ERROR(CheckCorrection(write, i, current));
    }
    ordinals.push_back((row ? query.Int(0) : 0) + 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteGroup::CodeRevision(const std::string& code) {
  return connection_.QueryInt("SELECT max(revision) FROM codes WHERE id = ?1", code);
}

absl::Status SqliteGroup::CheckCodes(const Registration& registration) {
  for (const Registration::CodeDraft& draft : registration.codes) {
    ASSIGN_OR_RETURN(const int64_t current, CodeRevision(draft.code.id));
    RETURN_IF_ERROR(CheckCodeDraft(draft, current));
  }
  return absl::OkStatus();
}

absl::Status SqliteGroup::CheckScheme(const SchemeDraft& scheme) {
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection_.Query("SELECT digest FROM schemes WHERE id = ?1 AND version = ?2",
                                     scheme.id, scheme.version));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  return row ? SchemeExists(scheme, query.View(0)) : absl::OkStatus();
}

absl::Status SqliteGroup::CheckApproval(const SchemeApproval& approval) {
  ASSIGN_OR_RETURN(
      const int64_t there,
      connection_.QueryInt("SELECT EXISTS (SELECT 1 FROM scheme_approvals WHERE digest = ?1)",
                           approval.digest));
  return there != 0 ? SchemeApproved(approval.digest) : absl::OkStatus();
}

absl::Status SqliteGroup::CheckRounds(const RoundAct& act) {
  const auto check = [this](const RoundDraft& draft) -> absl::Status {
    ASSIGN_OR_RETURN(
        const int64_t current,
        connection_.QueryInt("SELECT max(revision) FROM rounds WHERE id = ?1", draft.id));
    return CheckRoundDraft(draft, current);
  };
  RETURN_IF_ERROR(check(act.round));
  for (const RoundDraft& other : act.others) RETURN_IF_ERROR(check(other));
  if (act.organisations.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const int64_t chosen,
      connection_.QueryInt("SELECT EXISTS (SELECT 1 FROM round_organisations WHERE round = ?1)",
                           act.round.id));
  return chosen != 0 ? OrganisationsChosen(act.round.id) : absl::OkStatus();
}

absl::Status SqliteGroup::InsertCommit(const Write& write, const Commit& commit) {
  const Nonce nonce = MakeNonce();
  const digest::Digest request_hash = RequestHash(nonce, write.payload);
  const digest::Digest leaf_hash = LeafHash(commit, write.request_id, request_hash);
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO commits (revision, time_us, actor, on_behalf_of, request_id, request_hash,"
      " reason, kind, items, leaf_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      commit.revision, commit.time_us, commit.actor, commit.on_behalf_of, write.request_id,
      BlobOf(request_hash), commit.reason, absl::string_view(NameOf(KindOf(write))),
      static_cast<int64_t>(DraftsOf(write).size()), BlobOf(leaf_hash)));
  return connection_.Run("INSERT INTO nonces (revision, nonce) VALUES (?1, ?2)", commit.revision,
                         BlobOf(nonce));
}

absl::Status SqliteGroup::InsertRegistration(const Registration& registration, int64_t revision) {
  for (const evidence::Organisation& entry : registration.organisations) {
    RETURN_IF_ERROR(connection_.Run(
        "INSERT INTO organisations (bucket, id, revision, name, kind, region, from_day, to_day)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        digest::BucketOf(entry.id), entry.id, revision, entry.name, entry.kind, entry.region,
        DaysOf(entry.from), DaysOf(entry.to)));
  }
  for (const evidence::Period& entry : registration.periods) {
    RETURN_IF_ERROR(
        connection_.Run("INSERT INTO periods (id, revision, from_day, to_day, title)"
                        " VALUES (?1, ?2, ?3, ?4, ?5)",
                        entry.id, revision, entry.from.days(), entry.to.days(), entry.title));
  }
  for (const Registration::CodeDraft& draft : registration.codes) {
    RETURN_IF_ERROR(InsertCode(draft.code, revision));
  }
  return absl::OkStatus();
}

absl::Status SqliteGroup::InsertCode(const evidence::Code& code, int64_t revision) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO codes (id, revision, title, kind, value_type, unit, minimum, maximum)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      code.id, revision, code.title, static_cast<int>(code.kind), static_cast<int>(code.value_type),
      code.unit, MicrosOf(code.minimum), MicrosOf(code.maximum)));
  for (size_t i = 0; i < code.levels.size(); ++i) {
    RETURN_IF_ERROR(connection_.Run(
        "INSERT INTO code_levels (code, revision, ord, level) VALUES (?1, ?2, ?3, ?4)", code.id,
        revision, static_cast<int64_t>(i), code.levels[i]));
  }
  return absl::OkStatus();
}

absl::Status SqliteGroup::InsertScheme(const SchemeDraft& scheme, int64_t revision) {
  return connection_.Run(
      "INSERT INTO schemes (revision, id, version, digest, text) VALUES (?1, ?2, ?3, ?4, ?5)",
      revision, scheme.id, scheme.version, scheme.digest, scheme.text);
}

absl::Status SqliteGroup::InsertRounds(const RoundAct& act, int64_t revision) {
  const auto insert = [&](const RoundDraft& draft) {
    return connection_.Run("INSERT INTO rounds (id, revision, content) VALUES (?1, ?2, ?3)",
                           draft.id, revision, SqliteBlob{draft.content});
  };
  RETURN_IF_ERROR(insert(act.round));
  for (const RoundDraft& other : act.others) RETURN_IF_ERROR(insert(other));
  for (const std::string& organisation : act.organisations) {
    RETURN_IF_ERROR(
        connection_.Run("INSERT INTO round_organisations (round, bucket, organisation, revision)"
                        " VALUES (?1, ?2, ?3, ?4)",
                        act.round.id, digest::BucketOf(organisation), organisation, revision));
  }
  return absl::OkStatus();
}

}  // namespace starratings::store
