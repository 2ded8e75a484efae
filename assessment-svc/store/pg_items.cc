#include "assessment-svc/store/pg_items.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "assessment-svc/store/item_columns.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// Offsets from the first of STARRATINGS_PG_..._COLUMNS.
enum Column {
  kOrganisation,
  kPeriod,
  kCode,
  kInstance,
  kRevision,
  kOrdinal,
  kDecimal,
  kNumerator,
  kDenominator,
  kLevel,
  kFlag,
  kText,
  kMissing,
  kObservedOn,
  kSource,
  kDigest,
  kAuthority,
  kExpiresOn,
};

constexpr char kCommits[] =
    "SELECT revision, actor, time_us, reason FROM commits WHERE revision = ANY($1)";
constexpr char kSources[] =
    "SELECT id, title, uri, sha256, reconstructed FROM sources WHERE id = ANY($1)";

absl::Status Dangling() {
  return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                       "an item of the record lacks its commit, source, value or digest");
}

// Nothing: no column is set.
std::optional<evidence::Value> ValueOf(const PgResult& rows, int row, int first) {
  if (const auto micros = rows.OptionalInt(row, first + kDecimal)) {
    return evidence::Decimal::FromMicros(*micros);
  }
  if (const auto numerator = rows.OptionalInt(row, first + kNumerator)) {
    return evidence::Ratio{*numerator, rows.Int(row, first + kDenominator)};
  }
  if (!rows.IsNull(row, first + kLevel)) return evidence::Level{rows.Text(row, first + kLevel)};
  if (const auto flag = rows.OptionalInt(row, first + kFlag)) return *flag != 0;
  if (!rows.IsNull(row, first + kText)) return evidence::Text{rows.Text(row, first + kText)};
  if (const auto missing = rows.OptionalInt(row, first + kMissing)) {
    return static_cast<evidence::MissingReason>(*missing);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<evidence::Value> ReadValue(const PgResult& rows, int row, int first) {
  std::optional<evidence::Value> value = ValueOf(rows, row, first);
  if (!value) return Dangling();
  return *std::move(value);
}

absl::Status PgItemReader::Fetch(const PgResult& rows, bool said, int first) {
  std::vector<int64_t> sources, commits;
  for (int row = 0; row < rows.rows(); ++row) {
    const int64_t id = rows.Int(row, first + kSource);
    if (const auto [seen, is_new] = sources_.try_emplace(id); is_new) {
      seen->second = shared_.sources.Find(id);
      if (seen->second == nullptr) sources.push_back(id);
    }
    if (!said) continue;
    const int64_t revision = RevisionOf(rows, row, first);
    if (const auto [seen, is_new] = commits_.try_emplace(revision); is_new) {
      seen->second = shared_.commits.Find(revision);
      if (seen->second == nullptr) commits.push_back(revision);
    }
  }
  if (sources.empty() && commits.empty()) return absl::OkStatus();
  PgCall calls[] = {{kSources, {}}, {kCommits, {}}};
  calls[0].params.AddInts(sources);
  calls[1].params.AddInts(commits);
  ASSIGN_OR_RETURN(const std::vector<PgResult> found, ask_(calls));
  for (int row = 0; row < found[0].rows(); ++row) {
    auto source = std::make_shared<const evidence::Source>(
        evidence::Source{found[0].Text(row, 1), found[0].Text(row, 2), found[0].Text(row, 3),
                         found[0].Int(row, 4) != 0});
    sources_[found[0].Int(row, 0)] = source;
    shared_.sources.Insert(found[0].Int(row, 0), std::move(source));
  }
  for (int row = 0; row < found[1].rows(); ++row) {
    auto commit = std::make_shared<const PgSaid>(
        PgSaid{found[1].Text(row, 1), found[1].Int(row, 2), found[1].Text(row, 3)});
    commits_[found[1].Int(row, 0)] = commit;
    shared_.commits.Insert(found[1].Int(row, 0), std::move(commit));
  }
  return absl::OkStatus();
}

evidence::ItemKey PgItemReader::KeyOf(const PgResult& rows, int row, int first) {
  return {rows.Text(row, first + kOrganisation), rows.Text(row, first + kPeriod),
          rows.Text(row, first + kCode), rows.Text(row, first + kInstance)};
}

int64_t PgItemReader::RevisionOf(const PgResult& rows, int row, int first) {
  return rows.Int(row, first + kRevision);
}

absl::StatusOr<evidence::RecordedItem> PgItemReader::Read(const PgResult& rows, int row,
                                                          int first) const {
  evidence::RecordedItem recorded;
  evidence::Item& item = recorded.item;
  item.key = KeyOf(rows, row, first);
  recorded.revision = RevisionOf(rows, row, first);
  recorded.ordinal = rows.Int(row, first + kOrdinal);
  std::optional<evidence::Value> value = ValueOf(rows, row, first);
  const absl::string_view digest = rows.View(row, first + kDigest);
  const auto source = sources_.find(rows.Int(row, first + kSource));
  if (!value || digest.size() != item.digest.size() || source == sources_.end() ||
      source->second == nullptr) {
    return Dangling();
  }
  item.value = *std::move(value);
  std::copy(digest.begin(), digest.end(), item.digest.begin());
  if (const auto day = rows.OptionalInt(row, first + kObservedOn)) {
    item.observed_on = evidence::Date::FromDays(static_cast<int32_t>(*day));
  }
  item.overriding =
      OverrideOf(rows.View(row, first + kAuthority), rows.OptionalInt(row, first + kExpiresOn));
  item.source = source->second;
  return recorded;
}

absl::StatusOr<evidence::RecordedItem> PgItemReader::ReadSaid(const PgResult& rows, int row,
                                                              int first) const {
  const auto commit = commits_.find(RevisionOf(rows, row, first));
  if (commit == commits_.end() || commit->second == nullptr) return Dangling();
  ASSIGN_OR_RETURN(evidence::RecordedItem recorded, Read(rows, row, first));
  recorded.actor = commit->second->actor;
  recorded.recorded_at_us = commit->second->time_us;
  recorded.reason = commit->second->reason;
  return recorded;
}

absl::StatusOr<std::vector<evidence::RecordedItem>> PgItemReader::ReadAllSaid(
    const PgResult& rows) {
  RETURN_IF_ERROR(Fetch(rows, /*said=*/true));
  std::vector<evidence::RecordedItem> items;
  items.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(evidence::RecordedItem item, ReadSaid(rows, row));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace starratings::store
