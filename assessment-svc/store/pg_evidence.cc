// Items and dossiers, as of a revision, from evidence_current and
// evidence_past; and histories, from evidence_log.
//
// The planner knows none of the parameters when it plans for all of them. Where
// it could guess that a whole table is the shorter way, LATERAL (... OFFSET 0)
// leaves it look-ups by key only.
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "assessment-svc/store/pg_items.h"
#include "assessment-svc/store/pg_organisations.h"
#include "assessment-svc/store/pg_store.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

using evidence::ItemKey;
using evidence::RecordedItem;

constexpr char kReadHistory[] =
    "SELECT " STARRATINGS_PG_LOG_COLUMNS("")
    " FROM evidence_log WHERE organisation = $1 AND period = $2 AND code = $3 AND instance = $4"
    " AND revision < $5 ORDER BY ordinal DESC LIMIT $6";

// All that the organisation has of the code, then the newest: not the log from
// its end until something fits.
constexpr char kLastSupplied[] =
    "SELECT " STARRATINGS_PG_LOG_COLUMNS("a.")
    " FROM (SELECT * FROM evidence_log"
    "   WHERE organisation = $1 AND code = $2 AND revision <= $3 OFFSET 0) AS a"
    " ORDER BY revision DESC, period DESC, instance DESC LIMIT 1";

// The statement that $1 sees under the key of `k`, a row of evidence_current,
// which has a row for every key: most often that row itself.
#define STARRATINGS_PG_HELD \
  " CROSS JOIN LATERAL (SELECT k.bucket, " STARRATINGS_PG_STATE_COLUMNS("k.")                  \
  "   WHERE k.rev_from <= $1"                                                                  \
  "   UNION ALL SELECT p.bucket, " STARRATINGS_PG_STATE_COLUMNS("p.")                          \
  "   FROM evidence_past AS p WHERE k.rev_from > $1 AND p.bucket = k.bucket"                   \
  "   AND p.organisation = k.organisation AND p.period = k.period AND p.code = k.code"         \
  "   AND p.instance = k.instance AND p.rev_from <= $1 AND p.rev_to > $1 OFFSET 0) AS e"

// $1: the revision; $2 to $6: the cursor; $7, $8: period and codes, empty for
// any; $9: the limit; $10, $11: buckets and organisations.
#define STARRATINGS_PG_AFTER \
  " (k.bucket, k.organisation, k.period, k.code, k.instance) > ($2, $3, $4, $5, $6)"
#define STARRATINGS_PG_FILTER       \
  " AND ($7 = '' OR k.period = $7)" \
  " AND (cardinality($8) = 0 OR k.code = ANY($8))"

constexpr char kListItems[] = "SELECT " STARRATINGS_PG_LOG_COLUMNS(
    "e.") " FROM evidence_current AS k" STARRATINGS_PG_HELD
          " WHERE" STARRATINGS_PG_AFTER STARRATINGS_PG_FILTER
          " ORDER BY k.bucket, k.organisation, k.period, k.code, k.instance LIMIT $9";

// In the order of the organisations, so that it ends when the page is full.
constexpr char kListItemsOf[] =
    "SELECT " STARRATINGS_PG_LOG_COLUMNS("e.")
    " FROM (SELECT i.bucket, i.id COLLATE \"C\" AS id"
    "   FROM unnest($10, $11) AS i(bucket, id) ORDER BY 1, 2) AS o"
    " CROSS JOIN LATERAL (SELECT * FROM evidence_current AS k"
    "   WHERE k.bucket = o.bucket AND k.organisation = o.id AND" STARRATINGS_PG_AFTER
        STARRATINGS_PG_FILTER " OFFSET 0) AS k" STARRATINGS_PG_HELD
    " ORDER BY o.bucket, o.id, k.period, k.code, k.instance LIMIT $9";

// Behind the parameters of the page: $12: periods; $13: codes. From the
// organisations and periods to what their keys hold now, in one statement.
OrganisationTexts DossierTexts(bool some_codes) {
  static_assert(OrganisationTexts::kParams == 11);
  return OrganisationTexts(
      "o.bucket, o.id", "WITH page AS MATERIALIZED (",
      absl::StrCat(") SELECT " STARRATINGS_PG_STATE_COLUMNS(
                       "k.") " FROM page CROSS JOIN unnest($12) AS q(period)"
                             " CROSS JOIN LATERAL (SELECT * FROM evidence_current AS k"
                             "   WHERE k.bucket = page.bucket AND k.organisation = page.id"
                             "   AND k.period = q.period",
                   some_codes ? " AND k.code = ANY($13)" : "", " OFFSET 0) AS k"));
}

// What was held under keys ($2 to $6) at $1, where it is not what they hold now.
constexpr char kHeldThen[] =
    "SELECT " STARRATINGS_PG_STATE_COLUMNS("p.")
    " FROM unnest($2, $3, $4, $5, $6) AS k(bucket, organisation, period, code, instance)"
    " CROSS JOIN LATERAL (SELECT * FROM evidence_past AS p WHERE p.bucket = k.bucket"
    "   AND p.organisation = k.organisation AND p.period = k.period AND p.code = k.code"
    "   AND p.instance = k.instance AND p.rev_from <= $1"
    "   ORDER BY p.rev_from DESC LIMIT 1) AS p"
    " WHERE p.rev_to > $1";

// For the keys in `rows`, of what they hold now, that said something else at
// `revision`; nothing, if there are none.
std::optional<PgCall> HeldThenCall(const PgResult& rows, int64_t revision) {
  std::vector<int64_t> buckets;
  std::vector<std::string> organisations, periods, codes, instances;
  for (int row = 0; row < rows.rows(); ++row) {
    if (PgItemReader::RevisionOf(rows, row) <= revision) continue;
    ItemKey key = PgItemReader::KeyOf(rows, row);
    buckets.push_back(digest::BucketOf(key.organisation));
    organisations.push_back(std::move(key.organisation));
    periods.push_back(std::move(key.period));
    codes.push_back(std::move(key.code));
    instances.push_back(std::move(key.instance));
  }
  if (buckets.empty()) return std::nullopt;
  PgCall call{kHeldThen, {}};
  call.params.Add(revision).AddInts(buckets).AddTexts(organisations).AddTexts(periods);
  call.params.AddTexts(codes).AddTexts(instances);
  return call;
}

PgCall HistoryCall(const ItemKey& key, int64_t before, int limit) {
  PgCall call{kReadHistory, {}};
  call.params.Add(key.organisation).Add(key.period).Add(key.code).Add(key.instance);
  call.params.Add(before).Add(int64_t{limit});
  return call;
}

std::optional<RecordedItem> FirstOf(std::vector<RecordedItem> items) {
  return items.empty() ? std::nullopt : std::optional(std::move(items.front()));
}

}  // namespace

absl::StatusOr<std::vector<RecordedItem>> PgStore::ReadItems(const PgCall& call, int64_t revision,
                                                             absl::Time deadline) const {
  const PgItemReader::Ask ask = [&](std::span<const PgCall> calls) {
    return ReadAt(revision, calls, deadline);
  };
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ask(std::span(&call, 1)));
  return PgItemReader(shared_, ask).ReadAllSaid(answers.front());
}

absl::StatusOr<std::optional<RecordedItem>> PgStore::ReadItem(const ItemKey& key, int64_t revision,
                                                              absl::Time deadline) const {
  ASSIGN_OR_RETURN(std::vector<RecordedItem> items,
                   ReadItems(HistoryCall(key, revision + 1, 1), revision, deadline));
  return FirstOf(std::move(items));
}

absl::StatusOr<std::vector<RecordedItem>> PgStore::ReadHistory(const ItemKey& key, int64_t before,
                                                               int limit,
                                                               absl::Time deadline) const {
  // `before` may be of a future that nobody has promised.
  ASSIGN_OR_RETURN(const int64_t revision, HeadUpTo(std::max<int64_t>(before, 1) - 1, deadline));
  return ReadItems(HistoryCall(key, before, limit), revision, deadline);
}

absl::StatusOr<std::optional<RecordedItem>> PgStore::ReadLastSupplied(
    absl::string_view organisation, absl::string_view code, int64_t revision,
    absl::Time deadline) const {
  PgCall call{kLastSupplied, {}};
  call.params.Add(organisation).Add(code).Add(revision);
  ASSIGN_OR_RETURN(std::vector<RecordedItem> items, ReadItems(call, revision, deadline));
  return FirstOf(std::move(items));
}

absl::StatusOr<std::vector<RecordedItem>> PgStore::ListItems(const ItemFilter& filter,
                                                             const ItemCursor& after, int limit,
                                                             int64_t revision,
                                                             absl::Time deadline) const {
  PgCall call{filter.organisations.empty() ? kListItems : kListItemsOf, {}};
  call.params.Add(revision).Add(int64_t{after.bucket}).Add(after.key.organisation);
  call.params.Add(after.key.period).Add(after.key.code).Add(after.key.instance);
  call.params.Add(filter.period).AddTexts(filter.codes).Add(int64_t{limit});
  const BucketedIds organisations =
      BucketsOf(filter.organisations, {after.bucket, after.key.organisation});
  call.params.AddInts(organisations.buckets).AddTexts(organisations.ids);
  return ReadItems(call, revision, deadline);
}

absl::StatusOr<std::vector<evidence::Dossier>> PgStore::ReadDossiers(
    const OrganisationFilter& filter, absl::string_view period,
    const std::vector<std::string>& codes, const OrganisationCursor& after, int limit,
    int64_t revision, absl::Time deadline) const {
  static const auto* const pages = new OrganisationTexts(kOrganisationColumns);
  static const auto* const all = new OrganisationTexts(DossierTexts(false));
  static const auto* const some = new OrganisationTexts(DossierTexts(true));
  PgCall calls[] = {
      {pages->For(filter), OrganisationParams(filter, after, limit, revision)},
      {(codes.empty() ? all : some)->For(filter),
       OrganisationParams(filter, after, limit, revision)},
  };
  std::vector<std::string> periods = {evidence::kStanding};
  if (period != evidence::kStanding) periods.emplace_back(period);
  calls[1].params.AddTexts(periods).AddTexts(codes);
  ASSIGN_OR_RETURN(const std::vector<PgResult> answers, ReadAt(revision, calls, deadline));
  const PgResult& page = answers[0];
  const PgResult& rows = answers[1];
  std::vector<evidence::Dossier> dossiers;
  dossiers.reserve(static_cast<size_t>(page.rows()));
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (int row = 0; row < page.rows(); ++row) {
    places.emplace(page.View(row, 0), dossiers.size());
    dossiers.push_back({OrganisationOf(page, row), std::string(period), {}});
  }
  PgItemReader reader(
      shared_, [&](std::span<const PgCall> more) { return ReadAt(revision, more, deadline); });
  const auto add = [&](const PgResult& items) -> absl::Status {
    RETURN_IF_ERROR(reader.Fetch(items, /*said=*/true));
    for (int row = 0; row < items.rows(); ++row) {
      if (PgItemReader::RevisionOf(items, row) > revision) continue;
      // A round that was frozen between the two: the page came before.
      const auto place = places.find(items.View(row, 0));
      if (place == places.end()) continue;
      ASSIGN_OR_RETURN(RecordedItem item, reader.ReadSaid(items, row));
      dossiers[place->second].items.push_back(std::move(item));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add(rows));
  // What it ends is in evidence_past since the moment that a key says something
  // else: it does not matter that this is another snapshot.
  if (const auto call = HeldThenCall(rows, revision)) {
    ASSIGN_OR_RETURN(const auto held, ReadAt(revision, std::span(&*call, 1), deadline));
    RETURN_IF_ERROR(add(held.front()));
  }
  for (evidence::Dossier& dossier : dossiers) dossier.SortItems();
  return dossiers;
}

}  // namespace starratings::store
