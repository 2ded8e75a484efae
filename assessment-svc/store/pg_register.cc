// The register, as of a revision: of each entry, the newest version up to it.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "assessment-svc/store/pg_organisations.h"
#include "assessment-svc/store/pg_store.h"
#include "common/digest/bucket.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

using evidence::Organisation;

// From where to go to the organisations: the shortest list there is.
enum class Driver { kAll, kRound, kIds };

Driver DriverOf(const OrganisationFilter& filter) {
  if (!filter.organisations.empty()) return Driver::kIds;
  return filter.chosen_by_round.empty() ? Driver::kAll : Driver::kRound;
}

// The newest version of one organisation; a look-up by key.
#define STARRATINGS_PG_NEWEST(bucket, id)                                          \
  " CROSS JOIN LATERAL (SELECT * FROM organisations AS n WHERE n.bucket = " bucket \
  "   AND n.id = " id " AND n.revision <= $4 ORDER BY n.revision DESC LIMIT 1) AS o"

// $1, $2: the cursor; $3: the end of the buckets; $4: the revision; $5, $6:
// kinds and regions; $7: the round; $8, $9: buckets and ids; $10: the limit;
// $11: the day. Empty for any.
std::string OrganisationsSql(absl::string_view columns, Driver driver) {
  const char* from = "";
  const char* order = " ORDER BY o.bucket, o.id";
  switch (driver) {
    case Driver::kAll:
      from =
          " FROM organisations AS o WHERE (o.bucket, o.id) > ($1, $2) AND o.bucket < $3"
          " AND o.revision = (SELECT max(n.revision) FROM organisations AS n"
          "   WHERE n.bucket = o.bucket AND n.id = o.id AND n.revision <= $4)";
      break;
    case Driver::kRound:
      from = " FROM round_organisations AS r" STARRATINGS_PG_NEWEST(
          "r.bucket", "r.organisation") " WHERE r.round = $7"
                                        " AND (r.bucket, r.organisation) > ($1, $2)"
                                        " AND r.bucket < $3";
      order = " ORDER BY r.bucket, r.organisation";
      break;
    case Driver::kIds:
      from = " FROM unnest($8, $9) AS i(bucket, id)" STARRATINGS_PG_NEWEST(
          "i.bucket", "i.id") " WHERE (o.bucket, o.id) > ($1, $2) AND o.bucket < $3"
                              " AND ($7 = '' OR EXISTS (SELECT 1 FROM round_organisations AS c"
                              "   WHERE c.round = $7 AND c.bucket = o.bucket"
                              "   AND c.organisation = o.id))";
      break;
  }
  return absl::StrCat("SELECT ", columns, from,
                      " AND (cardinality($5) = 0 OR o.kind = ANY($5))"
                      " AND (cardinality($6) = 0 OR o.region = ANY($6))"
                      " AND ($11 IS NULL OR (coalesce(o.from_day, $11) <= $11"
                      "   AND (o.to_day IS NULL OR o.to_day > $11)))",
                      order, " LIMIT $10");
}

std::optional<evidence::Date> DateOf(const std::optional<int64_t>& days) {
  if (!days) return std::nullopt;
  return evidence::Date::FromDays(static_cast<int32_t>(*days));
}

std::optional<evidence::Decimal> DecimalOf(const std::optional<int64_t>& micros) {
  if (!micros) return std::nullopt;
  return evidence::Decimal::FromMicros(*micros);
}

RegisteredCode CodeOf(const PgResult& rows, int row) {
  RegisteredCode entry;
  entry.code = {rows.Text(row, 0),
                rows.Text(row, 1),
                static_cast<evidence::Kind>(rows.Int(row, 2)),
                static_cast<evidence::ValueType>(rows.Int(row, 3)),
                rows.Text(row, 4),
                DecimalOf(rows.OptionalInt(row, 5)),
                DecimalOf(rows.OptionalInt(row, 6)),
                {}};
  entry.revision = rows.Int(row, 7);
  return entry;
}

}  // namespace

BucketedIds BucketsOf(const std::vector<std::string>& ids, const OrganisationCursor& from) {
  std::vector<std::pair<int, absl::string_view>> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.emplace_back(digest::BucketOf(id), id);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const std::pair<int, absl::string_view> first(from.bucket, from.organisation);
  BucketedIds bucketed;
  for (auto key = std::lower_bound(keys.begin(), keys.end(), first); key != keys.end(); ++key) {
    bucketed.buckets.push_back(key->first);
    bucketed.ids.emplace_back(key->second);
  }
  return bucketed;
}

OrganisationTexts::OrganisationTexts(absl::string_view columns, absl::string_view before,
                                     absl::string_view behind) {
  for (const Driver driver : {Driver::kAll, Driver::kRound, Driver::kIds}) {
    texts_.push_back(absl::StrCat(before, OrganisationsSql(columns, driver), behind));
  }
}

const char* OrganisationTexts::For(const OrganisationFilter& filter) const {
  return texts_[static_cast<size_t>(DriverOf(filter))].c_str();
}

PgParams OrganisationParams(const OrganisationFilter& filter, const OrganisationCursor& after,
                            std::optional<int64_t> limit, int64_t revision) {
  // No id is empty: what is after (bucket, "") is the bucket.
  OrganisationCursor start = after;
  if (start.bucket < filter.first_bucket) start = {filter.first_bucket, ""};
  const BucketedIds organisations = BucketsOf(filter.organisations, start);
  PgParams params;
  params.Add(int64_t{start.bucket}).Add(start.organisation).Add(int64_t{filter.end_bucket});
  params.Add(revision).AddTexts(filter.kinds).AddTexts(filter.regions);
  params.Add(filter.chosen_by_round).AddInts(organisations.buckets).AddTexts(organisations.ids);
  params.Add(limit);
  params.Add(filter.on_day ? std::optional<int64_t>(filter.on_day->days()) : std::nullopt);
  return params;
}

Organisation OrganisationOf(const PgResult& rows, int row) {
  return {rows.Text(row, 0),
          rows.Text(row, 1),
          rows.Text(row, 2),
          rows.Text(row, 3),
          DateOf(rows.OptionalInt(row, 4)),
          DateOf(rows.OptionalInt(row, 5))};
}

absl::StatusOr<std::vector<Organisation>> PgStore::ListOrganisations(
    const OrganisationFilter& filter, const OrganisationCursor& after, int limit, int64_t revision,
    absl::Time deadline) const {
  static const auto* const texts = new OrganisationTexts(kOrganisationColumns);
  const PgCall call{texts->For(filter), OrganisationParams(filter, after, limit, revision)};
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<Organisation> organisations;
  organisations.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) organisations.push_back(OrganisationOf(rows, row));
  return organisations;
}

absl::StatusOr<int64_t> PgStore::CountOrganisations(const OrganisationFilter& filter,
                                                    int64_t revision, absl::Time deadline) const {
  static const auto* const texts =
      new OrganisationTexts("1", "SELECT count(*) FROM (", ") AS chosen");
  const PgCall call{texts->For(filter), OrganisationParams(filter, {}, std::nullopt, revision)};
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  return answers.front().Int(0, 0);
}

absl::StatusOr<std::vector<std::string>> PgStore::FindOrganisations(
    const std::vector<std::string>& ids, int64_t revision, absl::Time deadline) const {
  const BucketedIds wanted = BucketsOf(ids);
  PgCall call{
      "SELECT i.id FROM unnest($1, $2) AS i(bucket, id) CROSS JOIN LATERAL"
      " (SELECT 1 FROM organisations AS o WHERE o.bucket = i.bucket AND o.id = i.id"
      "   AND o.revision <= $3 LIMIT 1) AS o ORDER BY i.id COLLATE \"C\"",
      {}};
  call.params.AddInts(wanted.buckets).AddTexts(wanted.ids).Add(revision);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<std::string> found;
  for (int row = 0; row < rows.rows(); ++row) found.push_back(rows.Text(row, 0));
  return found;
}

absl::StatusOr<std::vector<evidence::Period>> PgStore::ReadPeriods(int64_t revision,
                                                                   absl::Time deadline) const {
  PgCall call{
      "SELECT DISTINCT ON (id) id, from_day, to_day, title FROM periods WHERE revision <= $1"
      " ORDER BY id, revision DESC",
      {}};
  call.params.Add(revision);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers,
                   ReadAt(revision, std::span(&call, 1), deadline));
  const PgResult& rows = answers.front();
  std::vector<evidence::Period> periods;
  for (int row = 0; row < rows.rows(); ++row) {
    periods.push_back({rows.Text(row, 0), *DateOf(rows.Int(row, 1)), *DateOf(rows.Int(row, 2)),
                       rows.Text(row, 3)});
  }
  return periods;
}

absl::StatusOr<std::vector<RegisteredCode>> PgStore::ReadCodes(int64_t revision,
                                                               absl::Time deadline) const {
  PgCall calls[] = {
      {"SELECT DISTINCT ON (id) id, title, kind, value_type, unit, minimum, maximum, revision"
       " FROM codes WHERE revision <= $1 ORDER BY id, revision DESC",
       {}},
      {"SELECT code, revision, level FROM code_levels WHERE revision <= $1"
       " ORDER BY code, revision, ord",
       {}}};
  for (PgCall& call : calls) call.params.Add(revision);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ReadAt(revision, calls, deadline));
  const PgResult& rows = answers[0];
  const PgResult& levels = answers[1];
  std::vector<RegisteredCode> codes;
  absl::flat_hash_map<std::pair<absl::string_view, int64_t>, size_t> places;
  for (int row = 0; row < rows.rows(); ++row) {
    places.emplace(std::pair(rows.View(row, 0), rows.Int(row, 7)), codes.size());
    codes.push_back(CodeOf(rows, row));
  }
  for (int row = 0; row < levels.rows(); ++row) {
    const auto place = places.find({levels.View(row, 0), levels.Int(row, 1)});
    if (place == places.end()) continue;  // Of an earlier version.
    codes[place->second].code.levels.push_back(levels.Text(row, 2));
  }
  return codes;
}

}  // namespace starratings::store
