#include "assessment-svc/store/sqlite_items.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

// Offsets from the first of STARRATINGS_..._COLUMNS.
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
  kEnd,
};
static_assert(kEnd == ItemReader::kColumns);

absl::Status Dangling() {
  return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                       "an item of the record lacks its commit, source, value or digest");
}

// Nothing: no column is set.
std::optional<evidence::Value> ValueOf(const SqliteQuery& row, int first) {
  if (const auto micros = row.OptionalInt(first + kDecimal)) {
    return evidence::Decimal::FromMicros(*micros);
  }
  if (const auto numerator = row.OptionalInt(first + kNumerator)) {
    return evidence::Ratio{*numerator, row.Int(first + kDenominator)};
  }
  if (!row.IsNull(first + kLevel)) return evidence::Level{row.Text(first + kLevel)};
  if (const auto flag = row.OptionalInt(first + kFlag)) return *flag != 0;
  if (!row.IsNull(first + kText)) return evidence::Text{row.Text(first + kText)};
  if (const auto missing = row.OptionalInt(first + kMissing)) {
    return static_cast<evidence::MissingReason>(*missing);
  }
  return std::nullopt;
}

}  // namespace

std::string JsonArray(const std::vector<std::string>& texts) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string json = "[";
  for (const std::string& text : texts) {
    json += json.size() > 1 ? ",\"" : "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') json.push_back('\\');
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20) {
        json += "\\u00";
        json.push_back(kHex[byte >> 4]);
        json.push_back(kHex[byte & 15]);
      } else {
        json.push_back(c);
      }
    }
    json.push_back('"');
  }
  json.push_back(']');
  return json;
}

std::shared_ptr<const evidence::Source> SourceCache::Find(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(id);
  return found == sources_.end() ? nullptr : found->second;
}

void SourceCache::Insert(int64_t id, std::shared_ptr<const evidence::Source> source) {
  const std::lock_guard lock(mutex_);
  if (sources_.size() >= kMost) sources_.clear();
  sources_.emplace(id, std::move(source));
}

absl::StatusOr<evidence::Value> ReadValue(const SqliteQuery& row, int first) {
  std::optional<evidence::Value> value = ValueOf(row, first);
  if (!value) return Dangling();
  return *std::move(value);
}

ItemReader::KeyView ItemReader::KeyOf(const SqliteQuery& row, int first) {
  return {row.View(first + kOrganisation), row.View(first + kPeriod), row.View(first + kCode),
          row.View(first + kInstance)};
}

int64_t ItemReader::RevisionOf(const SqliteQuery& row, int first) {
  return row.Int(first + kRevision);
}

absl::Status ItemReader::Read(const SqliteQuery& row, int first, evidence::RecordedItem& recorded) {
  evidence::Item& item = recorded.item;
  item.key = {row.Text(first + kOrganisation), row.Text(first + kPeriod), row.Text(first + kCode),
              row.Text(first + kInstance)};
  recorded.revision = row.Int(first + kRevision);
  recorded.ordinal = row.Int(first + kOrdinal);
  std::optional<evidence::Value> value = ValueOf(row, first);
  const absl::string_view digest = row.View(first + kDigest);
  if (!value || digest.size() != item.digest.size()) return Dangling();
  item.value = *std::move(value);
  std::copy(digest.begin(), digest.end(), item.digest.begin());
  if (const auto day = row.OptionalInt(first + kObservedOn)) {
    item.observed_on = evidence::Date::FromDays(static_cast<int32_t>(*day));
  }
  item.overriding = OverrideOf(row.View(first + kAuthority), row.OptionalInt(first + kExpiresOn));
  ASSIGN_OR_RETURN(item.source, SourceOf(row.Int(first + kSource)));
  ASSIGN_OR_RETURN(const Said* said, SaidAt(recorded.revision));
  recorded.actor = said->actor;
  recorded.recorded_at_us = said->time_us;
  recorded.reason = said->reason;
  return absl::OkStatus();
}

absl::StatusOr<const ItemReader::Said*> ItemReader::SaidAt(int64_t revision) {
  if (const auto found = said_.find(revision); found != said_.end()) return found->second.get();
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection_.Query(
                       "SELECT actor, time_us, reason FROM commits WHERE revision = ?1", revision));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return Dangling();
  auto said = std::make_unique<Said>(Said{query.Text(0), query.Int(1), query.Text(2)});
  return said_.emplace(revision, std::move(said)).first->second.get();
}

absl::StatusOr<std::shared_ptr<const evidence::Source>> ItemReader::SourceOf(int64_t id) {
  if (const auto found = seen_.find(id); found != seen_.end()) return found->second;
  std::shared_ptr<const evidence::Source> source = sources_.Find(id);
  if (source == nullptr) {
    ASSIGN_OR_RETURN(SqliteQuery query,
                     connection_.Query("SELECT title, uri, sha256, reconstructed FROM sources"
                                       " WHERE id = ?1",
                                       id));
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return Dangling();
    source = std::make_shared<const evidence::Source>(
        evidence::Source{query.Text(0), query.Text(1), query.Text(2), query.Int(3) != 0});
    sources_.Insert(id, source);
  }
  seen_.emplace(id, source);
  return source;
}

}  // namespace starratings::store
