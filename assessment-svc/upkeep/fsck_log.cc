// The log: commits and items.
#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/upkeep/fsck_passes.h"
#include "common/digest/sha256.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

std::string At(int64_t revision) { return absl::StrCat("revision ", revision); }

absl::string_view BytesOf(const digest::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The columns of a commit, in the order of its query.
enum CommitColumn {
  kRevision,
  kTime,
  kActor,
  kOnBehalfOf,
  kRequestId,
  kRequestHash,
  kReason,
  kLeafHash,
  kNonce,
};

constexpr char kCommitsSql[] =
    "SELECT c.revision, c.time_us, c.actor, c.on_behalf_of, c.request_id, c.request_hash, c.reason,"
    " c.leaf_hash, n.nonce FROM commits AS c LEFT JOIN nonces AS n ON n.revision = c.revision"
    " ORDER BY c.revision";

void CheckHashes(const Row& row, Findings& findings) {
  const int64_t revision = row.Int(kRevision);
  if (row.IsNull(kNonce)) {
    ++findings.report().nonces_erased;
  } else if (row.View(kNonce).size() != store::Nonce().size()) {
    findings.Add("NONCE", At(revision), "the nonce does not have 16 bytes");
  }
  const store::Commit commit = {revision, row.Text(kActor), row.Text(kOnBehalfOf),
                                row.Text(kReason), row.Int(kTime)};
  digest::Digest request_hash;
  const absl::string_view stored = row.View(kRequestHash);
  if (stored.size() != request_hash.size()) {
    return findings.Add("LEAF_HASH", At(revision), "the request hash does not have 32 bytes");
  }
  std::copy(stored.begin(), stored.end(), request_hash.begin());
  if (BytesOf(store::LeafHash(commit, row.View(kRequestId), request_hash)) != row.View(kLeafHash)) {
    findings.Add("LEAF_HASH", At(revision), "the commit is not what its leaf hash says");
  }
}

// The columns of an item, in the order of its query.
enum ItemColumn {
  kItemRevision,
  kItemsCount,
  kOrd,
  kOrganisation,
  kPeriod,
  kCode,
  kInstance,
  kDecimal,
  kNumerator,
  kDenominator,
  kLevel,
  kFlag,
  kText,
  kMissing,
  kObservedOn,
  kDigest,
  kSource,
  kSourceThere,
  kTitle,
  kUri,
  kSha256,
  kReconstructed,
  kAuthority,
  kExpiresOn,
};

constexpr char kItemsSql[] =
    "SELECT c.revision, c.items, l.ord, l.organisation, l.period, l.code, l.instance, l.decimal,"
    " l.numerator, l.denominator, l.level, l.flag, l.text, l.missing, l.observed_on, l.digest,"
    " l.source, s.id, s.title, s.uri, s.sha256, s.reconstructed, l.authority, l.expires_on"
    " FROM commits AS c LEFT JOIN evidence_log AS l ON l.revision = c.revision"
    " LEFT JOIN sources AS s ON s.id = l.source ORDER BY c.revision, l.ord";

constexpr char kItemsWithoutCommitSql[] =
    "SELECT l.revision, count(*) FROM evidence_log AS l LEFT JOIN commits AS c"
    " ON c.revision = l.revision WHERE c.revision IS NULL GROUP BY l.revision";

std::optional<evidence::Value> ValueOf(const Row& row) {
  if (!row.IsNull(kDecimal)) return evidence::Decimal::FromMicros(row.Int(kDecimal));
  if (!row.IsNull(kNumerator)) {
    return evidence::Ratio{row.Int(kNumerator), row.Int(kDenominator)};
  }
  if (!row.IsNull(kLevel)) return evidence::Level{row.Text(kLevel)};
  if (!row.IsNull(kFlag)) return row.Int(kFlag) != 0;
  if (!row.IsNull(kText)) return evidence::Text{row.Text(kText)};
  if (!row.IsNull(kMissing)) return static_cast<evidence::MissingReason>(row.Int(kMissing));
  return std::nullopt;
}

// Follows the items of one commit after the other.
class ItemChecker {
 public:
  ItemChecker(ItemDigester digest_of, Findings& findings)
      : digest_of_(digest_of), findings_(findings) {}

  void Take(const Row& row) {
    if (row.Int(kItemRevision) != revision_) {
      EndCommit();
      revision_ = row.Int(kItemRevision);
      items_ = row.Int(kItemsCount);
      seen_ = 0;
      dense_ = true;
    }
    if (row.IsNull(kOrd)) return;  // A commit without items.
    if (row.Int(kOrd) != seen_) dense_ = false;
    ++seen_;
    ++findings_.report().items;
    CheckItem(row);
  }

  void EndCommit() {
    if (seen_ != items_) {
      findings_.Add("ITEMS_COUNT", At(revision_),
                    absl::StrCat("the commit has ", items_, " items, the log ", seen_));
    } else if (!dense_) {
      findings_.Add("ITEMS_COUNT", At(revision_), "the items are not numbered 0, 1, 2, ...");
    }
  }

 private:
  void CheckItem(const Row& row) {
    const std::string where = absl::StrCat(At(revision_), " item ", row.Int(kOrd));
    if (row.IsNull(kSourceThere)) {
      return findings_.Add("SOURCE_MISSING", where, "the item's source is not in the record");
    }
    if (source_ == nullptr || row.Int(kSource) != source_id_) {
      source_id_ = row.Int(kSource);
      source_ = std::make_shared<const evidence::Source>(evidence::Source{
          row.Text(kTitle), row.Text(kUri), row.Text(kSha256), row.Int(kReconstructed) != 0});
    }
    evidence::Item item;
    item.key = {row.Text(kOrganisation), row.Text(kPeriod), row.Text(kCode), row.Text(kInstance)};
    item.source = source_;
    if (!row.IsNull(kObservedOn)) {
      item.observed_on = evidence::Date::FromDays(static_cast<int32_t>(row.Int(kObservedOn)));
    }
    if (!row.IsNull(kExpiresOn)) {
      item.overriding = {row.Text(kAuthority),
                         evidence::Date::FromDays(static_cast<int32_t>(row.Int(kExpiresOn)))};
    }
    std::optional<evidence::Value> value = ValueOf(row);
    if (!value) return findings_.Add("ITEM_DIGEST", where, "the item has no value");
    item.value = *std::move(value);
    if (BytesOf(digest_of_(item)) != row.View(kDigest)) {
      findings_.Add("ITEM_DIGEST", where, "the item is not what its digest says");
    }
  }

  const ItemDigester digest_of_;
  Findings& findings_;
  int64_t revision_ = 0;
  int64_t items_ = 0;  // As the commit says.
  int64_t seen_ = 0;
  bool dense_ = true;
  int64_t source_id_ = 0;
  std::shared_ptr<const evidence::Source> source_;  // Of the last item.
};

}  // namespace

absl::Status CheckCommits(RecordReader& reader, Findings& findings) {
  int64_t last = 0;
  std::optional<int64_t> last_time;
  RETURN_IF_ERROR(reader.ForEach(kCommitsSql, [&](const Row& row) {
    const int64_t revision = row.Int(kRevision);
    if (revision == last + 2) {
      findings.Add("REVISION_MISSING", At(last + 1), "the log lacks it");
    } else if (revision != last + 1) {
      findings.Add("REVISION_MISSING", absl::StrCat("revisions ", last + 1, " to ", revision - 1),
                   "the log lacks them");
    }
    if (row.Int(kTime) < last_time.value_or(row.Int(kTime))) {
      findings.Add("COMMIT_TIME", At(revision), "the commit is earlier than the one before it");
    }
    CheckHashes(row, findings);
    last = revision;
    last_time = row.Int(kTime);
    ++findings.report().commits;
    return absl::OkStatus();
  }));
  if (const int64_t head = findings.report().head.revision; head != last) {
    findings.Add("HEAD", "", absl::StrCat("the head is ", head, ", the last commit ", last));
  }
  return absl::OkStatus();
}

absl::Status CheckItems(RecordReader& reader, ItemDigester digest_of, Findings& findings) {
  ItemChecker checker(digest_of, findings);
  RETURN_IF_ERROR(
      reader.ForEach(OfSchema(kItemsSql, findings.report().head.schema), [&](const Row& row) {
        checker.Take(row);
        return absl::OkStatus();
      }));
  checker.EndCommit();
  ASSIGN_OR_RETURN(const int64_t rows, reader.ReadInt("SELECT count(*) FROM evidence_log"));
  if (rows == findings.report().items) return absl::OkStatus();
  return reader.ForEach(kItemsWithoutCommitSql, [&](const Row& row) {
    findings.Add("REFERENCE", At(row.Int(0)),
                 absl::StrCat("is no commit, and has ", row.Int(1), " items"));
    return absl::OkStatus();
  });
}

}  // namespace starratings::upkeep
