#include "assessment-svc/store/pg_items.h"

#include <algorithm>
#include <optional>
#include <utility>

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
  kActor,
  kTimeUs,
  kReason,
};

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

std::shared_ptr<const evidence::Source> PgSourceCache::Find(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(id);
  return found == sources_.end() ? nullptr : found->second;
}

void PgSourceCache::Insert(int64_t id, std::shared_ptr<const evidence::Source> source) {
  const std::lock_guard lock(mutex_);
  if (sources_.size() >= kMost) sources_.clear();
  sources_.emplace(id, std::move(source));
}

absl::StatusOr<evidence::Value> ReadValue(const PgResult& rows, int row, int first) {
  std::optional<evidence::Value> value = ValueOf(rows, row, first);
  if (!value) return Dangling();
  return *std::move(value);
}

absl::Status PgItemReader::FetchSources(const PgResult& rows, int first) {
  std::vector<int64_t> unknown;
  for (int row = 0; row < rows.rows(); ++row) {
    const int64_t id = rows.Int(row, first + kSource);
    const auto [seen, is_new] = seen_.try_emplace(id);
    if (!is_new) continue;
    seen->second = sources_.Find(id);
    if (seen->second == nullptr) unknown.push_back(id);
  }
  if (unknown.empty()) return absl::OkStatus();
  PgCall call{kSources, {}};
  call.params.AddInts(unknown);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ask_(std::span(&call, 1)));
  const PgResult& found = answers.front();
  for (int row = 0; row < found.rows(); ++row) {
    auto source = std::make_shared<const evidence::Source>(evidence::Source{
        found.Text(row, 1), found.Text(row, 2), found.Text(row, 3), found.Int(row, 4) != 0});
    seen_[found.Int(row, 0)] = source;
    sources_.Insert(found.Int(row, 0), std::move(source));
  }
  return absl::OkStatus();
}

absl::StatusOr<evidence::RecordedItem> PgItemReader::Read(const PgResult& rows, int row,
                                                          int first) const {
  evidence::RecordedItem recorded;
  evidence::Item& item = recorded.item;
  item.key = {rows.Text(row, first + kOrganisation), rows.Text(row, first + kPeriod),
              rows.Text(row, first + kCode), rows.Text(row, first + kInstance)};
  recorded.revision = rows.Int(row, first + kRevision);
  recorded.ordinal = rows.Int(row, first + kOrdinal);
  std::optional<evidence::Value> value = ValueOf(rows, row, first);
  const absl::string_view digest = rows.View(row, first + kDigest);
  const auto source = seen_.find(rows.Int(row, first + kSource));
  if (!value || digest.size() != item.digest.size() || source == seen_.end() ||
      source->second == nullptr) {
    return Dangling();
  }
  item.value = *std::move(value);
  std::copy(digest.begin(), digest.end(), item.digest.begin());
  if (const auto day = rows.OptionalInt(row, first + kObservedOn)) {
    item.observed_on = evidence::Date::FromDays(static_cast<int32_t>(*day));
  }
  item.source = source->second;
  return recorded;
}

absl::StatusOr<evidence::RecordedItem> PgItemReader::ReadSaid(const PgResult& rows, int row,
                                                              int first) const {
  if (rows.IsNull(row, first + kActor)) return Dangling();
  ASSIGN_OR_RETURN(evidence::RecordedItem recorded, Read(rows, row, first));
  recorded.actor = rows.Text(row, first + kActor);
  recorded.recorded_at_us = rows.Int(row, first + kTimeUs);
  recorded.reason = rows.Text(row, first + kReason);
  return recorded;
}

absl::StatusOr<std::vector<evidence::RecordedItem>> PgItemReader::ReadAllSaid(
    const PgResult& rows) {
  RETURN_IF_ERROR(FetchSources(rows));
  std::vector<evidence::RecordedItem> items;
  items.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(evidence::RecordedItem item, ReadSaid(rows, row));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace starratings::store
