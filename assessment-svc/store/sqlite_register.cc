// The register, as of a revision: of each entry, the newest version up to it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/sqlite_store.h"

namespace starratings::store {
namespace {

using evidence::Organisation;

// From where to go to the organisations: the shortest list there is.
enum class Driver { kAll, kRound, kIds };

Driver DriverOf(const OrganisationFilter& filter) {
  if (!filter.organisations.empty()) return Driver::kIds;
  return filter.chosen_by_round.empty() ? Driver::kAll : Driver::kRound;
}

// ?1, ?2: the cursor; ?3: the end of the buckets; ?4: the revision; ?5, ?6:
// kinds and regions; ?7: the round; ?8: ids; ?9: the limit; ?10: the day. Empty
// for any.
std::string OrganisationsSql(absl::string_view columns, Driver driver) {
  const char* from = "";
  switch (driver) {
    case Driver::kAll:
      from = " FROM organisations AS o WHERE";
      break;
    case Driver::kRound:
      from =
          " FROM round_organisations AS r CROSS JOIN organisations AS o"
          " ON o.bucket = r.bucket AND o.id = r.organisation"
          " WHERE r.round = ?7 AND (r.bucket, r.organisation) > (?1, ?2) AND";
      break;
    case Driver::kIds:
      from =
          " FROM (SELECT DISTINCT value AS id FROM json_each(?8)) AS i"
          " CROSS JOIN organisations AS o ON o.bucket = bucket_of(i.id) AND o.id = i.id WHERE";
      break;
  }
  return absl::StrCat("SELECT ", columns, from,
                      " (o.bucket, o.id) > (?1, ?2) AND o.bucket < ?3"
                      " AND o.revision = (SELECT max(n.revision) FROM organisations AS n"
                      "   WHERE n.bucket = o.bucket AND n.id = o.id AND n.revision <= ?4)"
                      " AND (?5 = '[]' OR o.kind IN (SELECT value FROM json_each(?5)))"
                      " AND (?6 = '[]' OR o.region IN (SELECT value FROM json_each(?6)))"
                      " AND (?7 = '' OR EXISTS (SELECT 1 FROM round_organisations AS c"
                      "   WHERE c.round = ?7 AND c.bucket = o.bucket AND c.organisation = o.id))"
                      " AND (?10 IS NULL OR (ifnull(o.from_day, ?10) <= ?10"
                      "   AND (o.to_day IS NULL OR o.to_day > ?10)))",
                      // By what drives it: otherwise all that is left would be sorted for
                      // each page.
                      driver == Driver::kRound ? " ORDER BY r.bucket, r.organisation LIMIT ?9"
                                               : " ORDER BY o.bucket, o.id LIMIT ?9");
}

std::optional<int64_t> DaysOf(const std::optional<evidence::Date>& date) {
  if (!date) return std::nullopt;
  return date->days();
}

// The texts of the three drivers.
struct OrganisationsTexts {
  explicit OrganisationsTexts(absl::string_view columns, absl::string_view before = "",
                              absl::string_view behind = "") {
    for (const Driver driver : {Driver::kAll, Driver::kRound, Driver::kIds}) {
      texts.push_back(absl::StrCat(before, OrganisationsSql(columns, driver), behind));
    }
  }
  const std::string& For(Driver driver) const { return texts[static_cast<size_t>(driver)]; }

  std::vector<std::string> texts;
};

absl::StatusOr<SqliteQuery> QueryOrganisations(SqliteConnection& connection,
                                               const OrganisationsTexts& texts,
                                               const OrganisationFilter& filter,
                                               const OrganisationCursor& after, int64_t limit,
                                               int64_t revision) {
  // No id is empty: what is after (bucket, "") is the bucket.
  OrganisationCursor start = after;
  if (start.bucket < filter.first_bucket) start = {filter.first_bucket, ""};
  return connection.Query(texts.For(DriverOf(filter)), start.bucket, start.organisation,
                          filter.end_bucket, revision, JsonArray(filter.kinds),
                          JsonArray(filter.regions), filter.chosen_by_round,
                          JsonArray(filter.organisations), limit, DaysOf(filter.on_day));
}

std::optional<evidence::Date> DateOf(const std::optional<int64_t>& days) {
  if (!days) return std::nullopt;
  return evidence::Date::FromDays(static_cast<int32_t>(*days));
}

std::optional<evidence::Decimal> DecimalOf(const std::optional<int64_t>& micros) {
  if (!micros) return std::nullopt;
  return evidence::Decimal::FromMicros(*micros);
}

absl::StatusOr<std::vector<std::string>> LevelsOf(SqliteConnection& connection,
                                                  const RegisteredCode& entry) {
  ASSIGN_OR_RETURN(SqliteQuery query,
                   connection.Query("SELECT level FROM code_levels WHERE code = ?1"
                                    " AND revision = ?2 ORDER BY ord",
                                    entry.code.id, entry.revision));
  std::vector<std::string> levels;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    levels.push_back(row.Text(0));
    return absl::OkStatus();
  }));
  return levels;
}

}  // namespace

absl::StatusOr<std::vector<Organisation>> SqliteStore::PageOfOrganisations(
    SqliteConnection& connection, const OrganisationFilter& filter, const OrganisationCursor& after,
    int limit, int64_t revision) {
  static const auto* const texts =
      new OrganisationsTexts("o.id, o.name, o.kind, o.region, o.from_day, o.to_day");
  ASSIGN_OR_RETURN(SqliteQuery query,
                   QueryOrganisations(connection, *texts, filter, after, limit, revision));
  std::vector<Organisation> organisations;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    organisations.push_back({row.Text(0), row.Text(1), row.Text(2), row.Text(3),
                             DateOf(row.OptionalInt(4)), DateOf(row.OptionalInt(5))});
    return absl::OkStatus();
  }));
  return organisations;
}

absl::StatusOr<std::vector<Organisation>> SqliteStore::ListOrganisations(
    const OrganisationFilter& filter, const OrganisationCursor& after, int limit, int64_t revision,
    absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  return PageOfOrganisations(*snapshot.lease, filter, after, limit, revision);
}

absl::StatusOr<int64_t> SqliteStore::CountOrganisations(const OrganisationFilter& filter,
                                                        int64_t revision,
                                                        absl::Time deadline) const {
  static const auto* const texts = new OrganisationsTexts("1", "SELECT count(*) FROM (", ")");
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(SqliteQuery query, QueryOrganisations(*snapshot.lease, *texts, filter, {},
                                                         /*limit: none=*/-1, revision));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  return row ? query.Int(0) : 0;
}

absl::StatusOr<std::vector<std::string>> SqliteStore::FindOrganisations(
    const std::vector<std::string>& ids, int64_t revision, absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      snapshot->Query("SELECT DISTINCT i.value FROM json_each(?1) AS i WHERE EXISTS (SELECT 1"
                      " FROM organisations AS o WHERE o.bucket = bucket_of(i.value)"
                      " AND o.id = i.value AND o.revision <= ?2) ORDER BY i.value",
                      JsonArray(ids), revision));
  std::vector<std::string> found;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    found.push_back(row.Text(0));
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<std::vector<evidence::Period>> SqliteStore::ReadPeriods(int64_t revision,
                                                                       absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  // Beside max(), SQLite gives the columns of the row that has it.
  ASSIGN_OR_RETURN(SqliteQuery query,
                   snapshot->Query("SELECT id, from_day, to_day, title, max(revision) FROM periods"
                                   " WHERE revision <= ?1 GROUP BY id ORDER BY id",
                                   revision));
  std::vector<evidence::Period> periods;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) {
    periods.push_back({row.Text(0), *DateOf(row.Int(1)), *DateOf(row.Int(2)), row.Text(3)});
    return absl::OkStatus();
  }));
  return periods;
}

absl::StatusOr<std::vector<RegisteredCode>> SqliteStore::ReadCodes(int64_t revision,
                                                                   absl::Time deadline) const {
  ASSIGN_OR_RETURN(const Snapshot snapshot, Read(deadline));
  ASSIGN_OR_RETURN(
      SqliteQuery query,
      snapshot->Query("SELECT id, title, kind, value_type, unit, minimum, maximum, max(revision)"
                      " FROM codes WHERE revision <= ?1 GROUP BY id ORDER BY id",
                      revision));
  std::vector<RegisteredCode> codes;
  RETURN_IF_ERROR(query.ForEach([&](const SqliteQuery& row) -> absl::Status {
    RegisteredCode entry;
    entry.code = {row.Text(0),
                  row.Text(1),
                  static_cast<evidence::Kind>(row.Int(2)),
                  static_cast<evidence::ValueType>(row.Int(3)),
                  row.Text(4),
                  DecimalOf(row.OptionalInt(5)),
                  DecimalOf(row.OptionalInt(6)),
                  {}};
    entry.revision = row.Int(7);
    ASSIGN_OR_RETURN(entry.code.levels, LevelsOf(*snapshot.lease, entry));
    codes.push_back(std::move(entry));
    return absl::OkStatus();
  }));
  return codes;
}

}  // namespace starratings::store
