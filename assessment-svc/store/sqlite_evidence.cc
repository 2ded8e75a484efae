// Items and dossiers, as of a revision, from evidence_current and
// evidence_past; and histories, from evidence_log.
#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/sqlite_store.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"

namespace starratings::store {
namespace {

using evidence::ItemKey;
using evidence::RecordedItem;

// The statement that was held under a key (?2 to ?6) at revision ?1, where it is
// not the newest.
constexpr char kHeldThen[] =
    "SELECT " STARRATINGS_STATE_COLUMNS
    ", rev_to FROM evidence_past WHERE bucket = ?2 AND organisation = ?3 AND period = ?4"
    " AND code = ?5 AND instance = ?6 AND rev_from <= ?1 ORDER BY rev_from DESC LIMIT 1";

constexpr char kReadHistory[] =
    "SELECT " STARRATINGS_LOG_COLUMNS
    " FROM evidence_log WHERE organisation = ?1 AND period = ?2 AND code = ?3 AND instance = ?4"
    " AND revision < ?5 ORDER BY ordinal DESC LIMIT ?6";

constexpr char kLastSupplied[] =
    "SELECT " STARRATINGS_LOG_COLUMNS
    " FROM evidence_log WHERE organisation = ?1 AND code = ?2 AND revision <= ?3"
    " ORDER BY revision DESC, period DESC, instance DESC LIMIT 1";

// Both of these say, of every key that ever held something, what it holds now.
// ?1 to ?5: the cursor; ?6, ?7: period and codes, empty for any; ?8:
// organisations.
std::string ListItemsSql(bool some_organisations) {
  return absl::StrCat("SELECT " STARRATINGS_STATE_COLUMNS
                      " FROM evidence_current"
                      " WHERE (bucket, organisation, period, code, instance) > (?1, ?2, ?3, ?4, ?5)"
                      " AND (?6 = '' OR period = ?6)"
                      " AND (?7 = '[]' OR code IN (SELECT value FROM json_each(?7)))",
                      some_organisations ? " AND (bucket, organisation) IN"
                                           " (SELECT bucket_of(value), value FROM json_each(?8))"
                                         : "",
                      " ORDER BY bucket, organisation, period, code, instance");
}

// ?1: the page's organisations; ?2, ?3: periods; ?4: codes. From the
// organisations to their items by key, in one statement.
constexpr char kReadDossiers[] = "SELECT o.key, " STARRATINGS_STATE_COLUMNS
                                 " FROM json_each(?1) AS o CROSS JOIN evidence_current AS e"
                                 " WHERE e.bucket = bucket_of(o.value) AND e.organisation = o.value"
                                 " AND e.period IN (?2, ?3)"
                                 " AND (?4 = '[]' OR e.code IN (SELECT value FROM json_each(?4)))";

// Adds what was held at `revision` under the key of `row`, which says what is held
// now; nothing, if nothing was.
absl::Status AddHeldAt(int64_t revision, const SqliteQuery& row, int first,
                       SqliteConnection& connection, ItemReader& reader,
                       std::vector<RecordedItem>& items) {
  if (ItemReader::RevisionOf(row, first) <= revision) {
    return reader.Read(row, first, items.emplace_back());
  }
  const ItemReader::KeyView key = ItemReader::KeyOf(row, first);
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection.Query(kHeldThen, revision, digest::BucketOf(key.organisation),
                                    key.organisation, key.period, key.code, key.instance));
  ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found || query.Int(ItemReader::kColumns) <= revision) return absl::OkStatus();
  return reader.Read(query, 0, items.emplace_back());
}

// Of a dossier: room for these is made at once.
constexpr size_t kItemsUsual = 16;

// What is in `query`'s rows.
absl::StatusOr<std::vector<RecordedItem>> ReadAll(ItemReader reader,
                                                  absl::StatusOr<SqliteQuery> query) {
  RETURN_IF_ERROR(query.status());
  std::vector<RecordedItem> items;
  RETURN_IF_ERROR(query->ForEach([&](const SqliteQuery& row) -> absl::Status {
    return reader.Read(row, 0, items.emplace_back());
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
  ItemReader reader(*snapshot.lease, sources_);
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      snapshot->Query(filter.organisations.empty() ? *all : *some, after.bucket,
                      after.key.organisation, after.key.period, after.key.code, after.key.instance,
                      filter.period, JsonArray(filter.codes), JsonArray(filter.organisations)));
  std::vector<RecordedItem> items;
  while (std::ssize(items) < limit) {
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) break;
    RETURN_IF_ERROR(AddHeldAt(revision, query, 0, *snapshot.lease, reader, items));
  }
  return items;
}

absl::StatusOr<std::vector<evidence::Dossier>> SqliteStore::ReadDossiers(
    const OrganisationFilter& filter, absl::string_view period,
    const std::vector<std::string>& codes, const OrganisationCursor& after, int limit,
    int64_t revision, absl::Time deadline) const {
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
                   snapshot->Query(kReadDossiers, JsonArray(ids), period,
                                   absl::string_view(evidence::kStanding), JsonArray(codes)));
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) -> absl::Status {
    std::vector<RecordedItem>& items = dossiers[static_cast<size_t>(row.Int(0))].items;
    if (items.empty()) items.reserve(kItemsUsual);
    return AddHeldAt(revision, row, 1, *snapshot.lease, reader, items);
  }));
  for (evidence::Dossier& dossier : dossiers) dossier.SortItems();
  return dossiers;
}

}  // namespace starratings::store
