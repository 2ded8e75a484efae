#include "assessment-svc/store/sqlite_item_writer.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "assessment-svc/store/sqlite_items.h"
#include "common/digest/bucket.h"

namespace starratings::store {
namespace {

constexpr char kInsertLog[] =
    "INSERT INTO evidence_log (revision, ord, organisation, period, code, instance,"
    " " STARRATINGS_VALUE_COLUMNS
    ")"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
    " ?19)";

// What stood under a key ends with revision ?6, ...
constexpr char kMoveToPast[] =
    "INSERT INTO evidence_past (bucket, organisation, period, code, instance, rev_from, rev_to,"
    " " STARRATINGS_VALUE_COLUMNS
    ")"
    " SELECT bucket, organisation, period, code, instance, rev_from, ?6, " STARRATINGS_VALUE_COLUMNS
    " FROM evidence_current WHERE bucket = ?1 AND organisation = ?2 AND period = ?3 AND code = ?4"
    " AND instance = ?5";

// ... and this stands there now.
#define STARRATINGS_PUT_CURRENT                                          \
  "INTO evidence_current (rev_from, bucket, organisation, period, code," \
  " instance, " STARRATINGS_VALUE_COLUMNS                                \
  ")"                                                                    \
  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
constexpr char kInsertCurrent[] = "INSERT " STARRATINGS_PUT_CURRENT;
constexpr char kReplaceCurrent[] = "REPLACE " STARRATINGS_PUT_CURRENT;

// A draft, and what its rows say beside the key.
struct Row {
  const evidence::Item* item;
  int64_t ordinal;
  int bucket;
  int64_t source;
};

// `place` is the order in the log, or the bucket.
absl::Status Put(SqliteConnection& connection, const char* sql, const Row& row, int64_t revision,
                 int64_t place) {
  const evidence::Item& item = *row.item;
  const ItemColumns columns = ColumnsOf(item);
  const SqliteBlob digest{
      absl::string_view(reinterpret_cast<const char*>(item.digest.data()), item.digest.size())};
  return connection.Run(sql, revision, place, item.key.organisation, item.key.period, item.key.code,
                        item.key.instance, row.ordinal, columns.decimal, columns.numerator,
                        columns.denominator, columns.level, columns.flag, columns.text,
                        columns.missing, columns.observed_on, row.source, digest, columns.authority,
                        columns.expires_on);
}

absl::Status MakeCurrent(SqliteConnection& connection, const Row& row, int64_t revision) {
  if (row.ordinal == 1) return Put(connection, kInsertCurrent, row, revision, row.bucket);
  const evidence::ItemKey& key = row.item->key;
  RETURN_IF_ERROR(connection.Run(kMoveToPast, row.bucket, key.organisation, key.period, key.code,
                                 key.instance, revision));
  return Put(connection, kReplaceCurrent, row, revision, row.bucket);
}

}  // namespace

absl::StatusOr<int64_t> SourceRows::RowOf(SqliteConnection& connection,
                                          const evidence::Source& source) {
  for (const auto* rows : {&known_, &made_}) {
    if (const auto found = rows->find(source); found != rows->end()) return found->second;
  }
  const int reconstructed = source.reconstructed ? 1 : 0;
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO sources (title, uri, sha256, reconstructed) VALUES (?1, ?2, ?3, ?4)"
      " ON CONFLICT DO NOTHING",
      source.title, source.uri, source.sha256, reconstructed));
  ASSIGN_OR_RETURN(
      const int64_t row,
      connection.QueryInt("SELECT id FROM sources"
                          " WHERE title = ?1 AND uri = ?2 AND sha256 = ?3 AND reconstructed = ?4",
                          source.title, source.uri, source.sha256, reconstructed));
  made_.emplace(source, row);
  return row;
}

void SourceRows::Commit() {
  if (known_.size() + made_.size() > kMost) known_.clear();
  known_.merge(made_);
  made_.clear();
}

absl::Status WriteItems(SqliteConnection& connection, SourceRows& sources,
                        const std::vector<EvidenceDraft>& drafts,
                        const std::vector<int64_t>& ordinals, int64_t revision) {
  std::vector<Row> rows;
  rows.reserve(drafts.size());
  // A batch names each source once: its items share the object.
  absl::flat_hash_map<const evidence::Source*, int64_t> source_rows;
  for (size_t i = 0; i < drafts.size(); ++i) {
    const evidence::Item& item = drafts[i].item;
    const auto [source, is_new] = source_rows.try_emplace(item.source.get(), 0);
    if (is_new) {
      ASSIGN_OR_RETURN(source->second, sources.RowOf(connection, *item.source));
    }
    rows.push_back({&item, ordinals[i], digest::BucketOf(item.key.organisation), source->second});
    RETURN_IF_ERROR(Put(connection, kInsertLog, rows.back(), revision, static_cast<int64_t>(i)));
  }
  // In the order of the key: neighbours share a page.
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.bucket, a.item->key) < std::tie(b.bucket, b.item->key);
  });
  for (const Row& row : rows) RETURN_IF_ERROR(MakeCurrent(connection, row, revision));
  return absl::OkStatus();
}

}  // namespace starratings::store
