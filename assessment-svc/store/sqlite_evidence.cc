// Items and dossiers, as of a revision, from evidence_current and
// evidence_past; and histories, from evidence_log.
#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/sqlite_store.h"
#include "common/evidence/text.h"

namespace starratings::store {
namespace {

using evidence::ItemKey;
using evidence::RecordedItem;

// The statement that a revision sees under a key is in one of two tables.
// `?1` is the revision in all of these.
constexpr char kHeldNow[] = " FROM evidence_current WHERE rev_from <= ?1";
constexpr char kHeldThen[] = " FROM evidence_past WHERE rev_from <= ?1 AND rev_to > ?1";

constexpr char kReadHistory[] =
    "SELECT " STARRATINGS_LOG_COLUMNS
    " FROM evidence_log WHERE organisation = ?1 AND period = ?2 AND code = ?3 AND instance = ?4"
    " AND revision < ?5 ORDER BY ordinal DESC LIMIT ?6";

constexpr char kLastSupplied[] =
    "SELECT " STARRATINGS_LOG_COLUMNS
    " FROM evidence_log WHERE organisation = ?1 AND code = ?2 AND revision <= ?3"
    " ORDER BY revision DESC, period DESC, instance DESC LIMIT 1";

// ?2 to ?6: the cursor; ?7, ?8: period and codes, empty for any; ?9:
// organisations; ?10: the limit.
constexpr char kItemFilter[] =
    " AND (bucket, organisation, period, code, instance) > (?2, ?3, ?4, ?5, ?6)"
    " AND (?7 = '' OR period = ?7)"
    " AND (?8 = '[]' OR code IN (SELECT value FROM json_each(?8)))";
constexpr char kItemOrder[] = " ORDER BY bucket, organisation, period, code, instance LIMIT ?10";

std::string ListItemsSql(bool some_organisations) {
  const char* organisations = some_organisations
                                  ? " AND (bucket, organisation) IN"
                                    " (SELECT bucket_of(value), value FROM json_each(?9))"
                                  : "";
  const char* columns = "SELECT " STARRATINGS_STATE_COLUMNS ", bucket";
  return absl::StrCat(columns, kHeldNow, kItemFilter, organisations, " UNION ALL ", columns,
                      kHeldThen, kItemFilter, organisations, kItemOrder);
}

// ?2: the page's organisations; ?3, ?4: periods; ?5: codes. From the
// organisations to their items by key, in one statement.
std::string ReadDossiersSql() {
  const auto half = [](absl::string_view table, absl::string_view held) {
    return absl::StrCat(
        "SELECT o.key, " STARRATINGS_STATE_COLUMNS " FROM json_each(?2) AS o CROSS JOIN ", table,
        " AS e WHERE e.bucket = bucket_of(o.value) AND e.organisation = o.value"
        " AND e.period IN (?3, ?4)"
        " AND (?5 = '[]' OR e.code IN (SELECT value FROM json_each(?5)))",
        held);
  };
  return absl::StrCat(half("evidence_current", " AND e.rev_from <= ?1"), " UNION ALL ",
                      half("evidence_past", " AND e.rev_from <= ?1 AND e.rev_to > ?1"));
}

// Of a dossier: room for these is made at once.
constexpr size_t kItemsUsual = 16;

// What is in `query`'s rows.
absl::StatusOr<std::vector<RecordedItem>> ReadAll(ItemReader reader,
                                                  absl::StatusOr<SqliteQuery> query) {
  RETURN_IF_ERROR(query.status());
  std::vector<RecordedItem> items;
  RETURN_IF_ERROR(query->ForEach([&](const SqliteQuery& row) -> absl::Status {
    ASSIGN_OR_RETURN(RecordedItem item, reader.Read(row));
    items.push_back(std::move(item));
    return absl::OkStatus();
  }));
  return items;
}

std::optional<RecordedItem> FirstOf(std::vector<RecordedItem> items) {
  return items.empty() ? std::nullopt : std::optional(std::move(items.front()));
}

}  // namespace

absl::StatusOr<std::optional<RecordedItem>> SqliteStore::ReadItem(const ItemKey& key,
                                                                  int64_t revision,
                                                                  absl::Time deadline) const {
  ASSIGN_OR_RETURN(std::vector<RecordedItem> items, ReadHistory(key, revision + 1, 1, deadline));
  return FirstOf(std::move(items));
}

absl::StatusOr<std::vector<RecordedItem>> SqliteStore::ReadHistory(const ItemKey& key,
                                                                   int64_t before, int limit,
                                                                   absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  return ReadAll(ItemReader(*snapshot.lease, sources_),
                 snapshot->Query(kReadHistory, key.organisation, key.period, key.code, key.instance,
                                 before, limit));
}

absl::StatusOr<std::optional<RecordedItem>> SqliteStore::ReadLastSupplied(
    absl::string_view organisation, absl::string_view code, int64_t revision,
    absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(std::vector<RecordedItem> items,
                   ReadAll(ItemReader(*snapshot.lease, sources_),
                           snapshot->Query(kLastSupplied, organisation, code, revision)));
  return FirstOf(std::move(items));
}

absl::StatusOr<std::vector<RecordedItem>> SqliteStore::ListItems(const ItemFilter& filter,
                                                                 const ItemCursor& after, int limit,
                                                                 int64_t revision,
                                                                 absl::Time deadline) const {
  static const auto* const all = new std::string(ListItemsSql(false));
  static const auto* const some = new std::string(ListItemsSql(true));
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  return ReadAll(ItemReader(*snapshot.lease, sources_),
                 snapshot->Query(filter.organisations.empty() ? *all : *some, revision,
                                 after.bucket, after.key.organisation, after.key.period,
                                 after.key.code, after.key.instance, filter.period,
                                 JsonArray(filter.codes), JsonArray(filter.organisations), limit));
}

absl::StatusOr<std::vector<evidence::Dossier>> SqliteStore::ReadDossiers(
    const OrganisationFilter& filter, absl::string_view period,
    const std::vector<std::string>& codes, const OrganisationCursor& after, int limit,
    int64_t revision, absl::Time deadline) const {
  static const auto* const sql = new std::string(ReadDossiersSql());
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(std::vector<evidence::Organisation> organisations,
                   PageOfOrganisations(*snapshot.lease, filter, after, limit, revision));
  std::vector<std::string> ids;
  std::vector<evidence::Dossier> dossiers;
  ids.reserve(organisations.size());
  dossiers.reserve(organisations.size());
  for (evidence::Organisation& organisation : organisations) {
    ids.push_back(organisation.id);
    dossiers.push_back({std::move(organisation), std::string(period), {}});
  }
  ItemReader reader(*snapshot.lease, sources_);
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query(*sql, revision, JsonArray(ids), period,
                                   absl::string_view(evidence::kStanding), JsonArray(codes)));
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) -> absl::Status {
    ASSIGN_OR_RETURN(RecordedItem item, reader.Read(row, 1));
    std::vector<RecordedItem>& items = dossiers[static_cast<size_t>(row.Int(0))].items;
    if (items.empty()) items.reserve(kItemsUsual);
    items.push_back(std::move(item));
    return absl::OkStatus();
  }));
  for (evidence::Dossier& dossier : dossiers) dossier.SortItems();
  return dossiers;
}

}  // namespace starratings::store
