#include "assessment-svc/store/pg_group.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/failpoints.h"
#include "assessment-svc/store/pg_items.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// Whoever has it writes. It must be a statement of its own: what follows sees
// what was committed while this one waited.
constexpr char kLockHead[] = "SELECT revision FROM log_head WHERE id = 1 FOR UPDATE";

constexpr char kReadBefore[] =
    "SELECT (SELECT time_us FROM commits WHERE revision = (SELECT revision FROM log_head)),"
    " (SELECT max(revision) FROM commits WHERE kind = 'registration')";

constexpr char kFindRequests[] =
    "SELECT r.i, c.revision, c.request_hash, n.nonce, c.kind"
    " FROM unnest($1, $2) WITH ORDINALITY AS r(actor, id, i)"
    " CROSS JOIN LATERAL (SELECT * FROM commits AS c WHERE c.actor = r.actor"
    "   AND c.request_id = r.id OFFSET 0) AS c"
    " LEFT JOIN nonces AS n ON n.revision = c.revision";

constexpr char kReadStanding[] =
    "SELECT k.i, " STARRATINGS_PG_STATE_COLUMNS("c.")
    " FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY"
    "   AS k(bucket, organisation, period, code, instance, i)"
    " CROSS JOIN LATERAL (SELECT * FROM evidence_current AS c WHERE c.bucket = k.bucket"
    "   AND c.organisation = k.organisation AND c.period = k.period AND c.code = k.code"
    "   AND c.instance = k.instance OFFSET 0) AS c";

// Columns of kReadStanding.
enum { kPosition, kItem, kRevision = kItem + 4, kOrdinal };

// The same as RecordedItem::Etag().
std::string EtagOf(int64_t ordinal, int64_t revision) {
  evidence::RecordedItem item;
  item.ordinal = ordinal;
  item.revision = revision;
  return item.Etag();
}

// An error that says something about a write, not about the store.
bool IsRefusal(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    case absl::StatusCode::kAborted:
      return status::DetailOf(error).reason != "STORE_CONFLICT";
    default:
      return false;
  }
}

}  // namespace

absl::Status PgGroup::Run() {
  Reached(Failpoint::kBeforeBegin);
  RETURN_IF_ERROR(BeginAndLoad());
  Reached(Failpoint::kAfterBegin);
  RETURN_IF_ERROR(FetchSources());
  for (size_t i = 0; i < group_.size(); ++i) {
    answers_.push_back(Decide(i));
    const absl::Status& error = answers_.back().status();
    if (!error.ok() && !IsRefusal(error)) return error;
  }
  return Finish();
}

absl::Status PgGroup::BeginAndLoad() {
  enum { kBegin, kHead, kBefore, kRequests, kStanding };
  std::vector<PgCall> calls = {
      {"BEGIN", {}}, {kLockHead, {}}, {kReadBefore, {}}, {kFindRequests, {}}, {kReadStanding, {}}};
  std::vector<std::string> actors, ids;
  std::vector<int64_t> buckets;
  std::vector<std::string> organisations, periods, codes, instances;
  std::vector<const evidence::ItemKey*> keys;
  for (const Write& write : group_) {
    actors.push_back(write.actor);
    ids.push_back(write.request_id);
    for (const EvidenceDraft& draft : DraftsOf(write)) {
      const evidence::ItemKey& key = draft.item.key;
      if (!standing_.try_emplace(key).second) continue;
      keys.push_back(&key);
      buckets.push_back(digest::BucketOf(key.organisation));
      organisations.push_back(key.organisation);
      periods.push_back(key.period);
      codes.push_back(key.code);
      instances.push_back(key.instance);
    }
  }
  calls[kRequests].params.AddTexts(actors).AddTexts(ids);
  calls[kStanding].params.AddInts(buckets).AddTexts(organisations).AddTexts(periods);
  calls[kStanding].params.AddTexts(codes).AddTexts(instances);
  if (keys.empty()) calls.pop_back();
  ASSIGN_OR_RETURN(const std::vector<PgResult> results, connection_.RunAll(calls, deadline_));

  if (results[kHead].rows() != 1) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", "the record has no head");
  }
  head_before_ = head_ = results[kHead].Int(0, 0);
  if (head_ < least_) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the database lacks what was acknowledged: it is not the primary");
  }
  if (head_ != 0 && results[kBefore].IsNull(0, 0)) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                         "the record has lost its head");
  }
  time_us_ = results[kBefore].Int(0, 0);
  registered_ = results[kBefore].Int(0, 1);
  const PgResult& requests = results[kRequests];
  for (int row = 0; row < requests.rows(); ++row) {
    const Write& write = group_[static_cast<size_t>(requests.Int(row, 0)) - 1];
    earlier_[{write.actor, write.request_id}] = {requests.Int(row, 1), requests.Text(row, 2),
                                                 requests.Text(row, 3), requests.Text(row, 4)};
  }
  if (keys.empty()) return absl::OkStatus();
  const PgResult& rows = results[kStanding];
  for (int row = 0; row < rows.rows(); ++row) {
    Standing& standing = standing_[*keys[static_cast<size_t>(rows.Int(row, kPosition)) - 1]];
    standing.revision = rows.Int(row, kRevision);
    standing.ordinal = rows.Int(row, kOrdinal);
    ASSIGN_OR_RETURN(standing.value, ReadValue(rows, row, kItem));
  }
  return absl::OkStatus();
}

absl::Status PgGroup::FetchSources() {
  std::vector<const evidence::Source*> wanted;
  for (const Write& write : group_) {
    for (const EvidenceDraft& draft : DraftsOf(write)) {
      const evidence::Source* source = draft.item.source.get();
      // A batch names each source once: its items share the object.
      if (source != nullptr && (wanted.empty() || wanted.back() != source)) {
        wanted.push_back(source);
      }
    }
  }
  return sources_.Fetch(connection_, wanted, deadline_);
}

absl::StatusOr<Written> PgGroup::Decide(size_t index) {
  const Write& write = group_[index];
  RETURN_IF_ERROR(CheckWellFormed(write));
  ASSIGN_OR_RETURN(std::optional<Written> first, Replay(index));
  if (first) return *std::move(first);
  RETURN_IF_ERROR(CheckDrafts(write));
  RETURN_IF_ERROR(CheckCodes(write));
  if (const auto* scheme = std::get_if<SchemeDraft>(&write.body)) {
    RETURN_IF_ERROR(CheckScheme(*scheme));
  }
  if (const auto* approval = std::get_if<SchemeApproval>(&write.body)) {
    RETURN_IF_ERROR(CheckApproval(*approval));
  }
  if (const auto* act = std::get_if<RoundAct>(&write.body)) RETURN_IF_ERROR(CheckRounds(*act));
  if (write.validate_only) return Written();
  return Accept(index);
}

absl::StatusOr<std::optional<Written>> PgGroup::Replay(size_t index) {
  const Write& write = group_[index];
  const RequestKey key(write.actor, write.request_id);
  if (const auto found = accepted_.find(key); found != accepted_.end()) {
    if (group_[found->second].payload != write.payload) return RequestIdReused();
    Written written = *answers_[found->second];
    written.replayed = true;
    return written;
  }
  const auto found = earlier_.find(key);
  if (found == earlier_.end()) return std::nullopt;
  const Earlier& earlier = found->second;
  // Without its nonce nobody can tell any more what the request said.
  Nonce nonce;
  if (earlier.nonce.size() != nonce.size()) return RequestIdReused();
  std::copy(earlier.nonce.begin(), earlier.nonce.end(), nonce.begin());
  const digest::Digest hash = RequestHash(nonce, write.payload);
  if (!std::equal(hash.begin(), hash.end(), earlier.request_hash.begin(),
                  earlier.request_hash.end(),
                  [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    return RequestIdReused();
  }
  Written written;
  written.revision = earlier.revision;
  written.replayed = true;
  if (earlier.kind == NameOf(WriteKind::kEvidence)) {
    ASSIGN_OR_RETURN(written.etags, EtagsOf(earlier.revision));
  }
  return written;
}

absl::StatusOr<std::vector<std::string>> PgGroup::EtagsOf(int64_t revision) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection_.Run("SELECT ordinal FROM evidence_log WHERE revision = $1 ORDER BY ord",
                      PgParams().Add(revision), deadline_));
  std::vector<std::string> etags;
  for (int row = 0; row < rows.rows(); ++row) etags.push_back(EtagOf(rows.Int(row, 0), revision));
  return etags;
}

absl::Status PgGroup::CheckDrafts(const Write& write) {
  const std::vector<EvidenceDraft>& drafts = DraftsOf(write);
  for (size_t i = 0; i < drafts.size(); ++i) {
    const Standing& standing = standing_[drafts[i].item.key];
    std::optional<std::string> etag;
    if (standing.ordinal > 0) etag = EtagOf(standing.ordinal, standing.revision);
    RETURN_IF_ERROR(CheckExpectation(write, i, etag));
    if (standing.value) RETURN_IF_ERROR(CheckCorrection(write, i, *standing.value));
  }
  return absl::OkStatus();
}

absl::Status PgGroup::CheckCodes(const Write& write) {
  for (const std::string& code : CodesToCheck(write, registered_)) {
    ASSIGN_OR_RETURN(const int64_t current, CodeRevision(code));
    RETURN_IF_ERROR(CheckCodeSeen(write, code, current));
  }
  const auto* registration = std::get_if<Registration>(&write.body);
  if (registration == nullptr) return absl::OkStatus();
  for (const Registration::CodeDraft& draft : registration->codes) {
    ASSIGN_OR_RETURN(const int64_t current, CodeRevision(draft.code.id));
    RETURN_IF_ERROR(CheckCodeDraft(draft, current));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PgGroup::CodeRevision(const std::string& code) {
  if (const auto found = codes_.find(code); found != codes_.end()) return found->second;
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Run("SELECT max(revision) FROM codes WHERE id = $1",
                                   PgParams().Add(code), deadline_));
  return codes_[code] = rows.Int(0, 0);
}

absl::StatusOr<int64_t> PgGroup::RoundRevision(const std::string& round) {
  if (const auto found = rounds_.find(round); found != rounds_.end()) return found->second;
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Run("SELECT max(revision) FROM rounds WHERE id = $1",
                                   PgParams().Add(round), deadline_));
  return rounds_[round] = rows.Int(0, 0);
}

absl::Status PgGroup::CheckScheme(const SchemeDraft& scheme) {
  if (const auto found = schemes_.find({scheme.id, scheme.version}); found != schemes_.end()) {
    return SchemeExists(scheme, found->second);
  }
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection_.Run("SELECT digest FROM schemes WHERE id = $1 AND version = $2",
                                   PgParams().Add(scheme.id).Add(scheme.version), deadline_));
  return rows.rows() > 0 ? SchemeExists(scheme, rows.View(0, 0)) : absl::OkStatus();
}

absl::Status PgGroup::CheckApproval(const SchemeApproval& approval) {
  if (approved_.contains(approval.digest)) return SchemeApproved(approval.digest);
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection_.Run("SELECT EXISTS (SELECT 1 FROM scheme_approvals WHERE digest = $1)",
                      PgParams().Add(approval.digest), deadline_));
  return rows.Int(0, 0) != 0 ? SchemeApproved(approval.digest) : absl::OkStatus();
}

absl::Status PgGroup::CheckRounds(const RoundAct& act) {
  ASSIGN_OR_RETURN(const int64_t current, RoundRevision(act.round.id));
  RETURN_IF_ERROR(CheckRoundDraft(act.round, current));
  for (const RoundDraft& other : act.others) {
    ASSIGN_OR_RETURN(const int64_t there, RoundRevision(other.id));
    RETURN_IF_ERROR(CheckRoundDraft(other, there));
  }
  if (act.organisations.empty()) return absl::OkStatus();
  if (!chosen_.contains(act.round.id)) {
    ASSIGN_OR_RETURN(
        const PgResult rows,
        connection_.Run("SELECT EXISTS (SELECT 1 FROM round_organisations WHERE round = $1)",
                        PgParams().Add(act.round.id), deadline_));
    chosen_[act.round.id] = rows.Int(0, 0) != 0;
  }
  return chosen_[act.round.id] ? OrganisationsChosen(act.round.id) : absl::OkStatus();
}

Written PgGroup::Accept(size_t index) {
  const Write& write = group_[index];
  // The clock may go back; the log does not.
  time_us_ = std::max(time_us_, absl::ToUnixMicros(absl::Now()));
  const int64_t revision = ++head_;
  rows_.AddCommit({revision, write.actor, write.on_behalf_of, write.reason, time_us_}, write);
  Written written;
  written.revision = revision;
  const std::vector<EvidenceDraft>& drafts = DraftsOf(write);
  for (size_t i = 0; i < drafts.size(); ++i) {
    const evidence::Item& item = drafts[i].item;
    Standing& standing = standing_[item.key];
    standing.revision = revision;
    ++standing.ordinal;
    standing.value = item.value;
    PgStatement statement;
    statement.item = &item;
    statement.revision = revision;
    statement.ord = static_cast<int64_t>(i);
    statement.ordinal = standing.ordinal;
    statement.source = sources_.RowOf(*item.source);
    statement.bucket = digest::BucketOf(item.key.organisation);
    rows_.AddStatement(statement);
    if (std::holds_alternative<EvidenceBatch>(write.body)) {
      written.etags.push_back(EtagOf(standing.ordinal, revision));
    }
  }
  if (const auto* registration = std::get_if<Registration>(&write.body)) {
    Add(*registration, revision);
  }
  if (const auto* scheme = std::get_if<SchemeDraft>(&write.body)) Add(*scheme, revision);
  if (const auto* approval = std::get_if<SchemeApproval>(&write.body)) Add(*approval, revision);
  if (const auto* act = std::get_if<RoundAct>(&write.body)) Add(*act, revision);
  accepted_[{write.actor, write.request_id}] = index;
  return written;
}

absl::Status PgGroup::Finish() {
  if (head_ == head_before_) return Confirm();
  ASSIGN_OR_RETURN(std::vector<PgCall> calls, rows_.Take(connection_, deadline_));
  std::move(others_.begin(), others_.end(), std::back_inserter(calls));
  calls.push_back({"UPDATE log_head SET revision = $1 WHERE id = 1", {}});
  calls.back().params.Add(head_);
  calls.push_back({"COMMIT", {}});
  // One round trip: these three are one moment here.
  Reached(Failpoint::kBeforeHead);
  Reached(Failpoint::kAfterHead);
  Reached(Failpoint::kBeforeCommit);
  committing_ = true;
  const absl::Status committed = connection_.RunAll(calls, deadline_).status();
  // Refused before COMMIT: the database has rolled it back.
  if (const auto refused = connection_.refused()) committing_ = *refused + 1 == calls.size();
  RETURN_IF_ERROR(committed);
  if (connection_.warned()) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the record's database cannot reach its standby");
  }
  committing_ = false;
  Reached(Failpoint::kAfterCommit);
  return absl::OkStatus();
}

// Nothing is to be written. What was found may not be durable on the standby,
// or not be what the record holds any more: after this it is.
absl::Status PgGroup::Confirm() {
  sources_.Rollback();
  const PgCall calls[] = {{"ROLLBACK", {}},
                          {"UPDATE heartbeat SET beat = beat + 1 WHERE id = 1", {}}};
  const absl::Status beaten = connection_.RunAll(calls, deadline_).status();
  // One that waits for others for so long may be as good as dead: elsewhere.
  if (beaten.ok() ? connection_.warned() : absl::IsAborted(beaten)) {
    return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         "the record's database cannot reach its standby");
  }
  return beaten;
}

}  // namespace starratings::store
