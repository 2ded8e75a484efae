#include "assessment-svc/upkeep/rows.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "assessment-svc/store/schema.h"
#include "assessment-svc/store/uri.h"
#include "assessment-svc/upkeep/pg_rows.h"
#include "assessment-svc/upkeep/sqlite_rows.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

constexpr auto kInt = Column::Type::kInt;
constexpr auto kText = Column::Type::kText;
constexpr auto kBytes = Column::Type::kBytes;

constexpr Column kCommits[] = {
    {"revision", kInt},    {"time_us", kInt},        {"actor", kText},  {"on_behalf_of", kText},
    {"request_id", kText}, {"request_hash", kBytes}, {"reason", kText}, {"kind", kText},
    {"items", kInt},       {"leaf_hash", kBytes}};
constexpr Column kNonces[] = {{"revision", kInt}, {"nonce", kBytes}};
constexpr Column kSources[] = {
    {"id", kInt}, {"title", kText}, {"uri", kText}, {"sha256", kText}, {"reconstructed", kInt}};
constexpr Column kEvidenceLog[] = {
    {"revision", kInt},  {"ord", kInt},           {"organisation", kText}, {"period", kText},
    {"code", kText},     {"instance", kText},     {"ordinal", kInt},       {"decimal", kInt},
    {"numerator", kInt}, {"denominator", kInt},   {"level", kText},        {"flag", kInt},
    {"text", kText},     {"missing", kInt},       {"observed_on", kInt},   {"source", kInt},
    {"digest", kBytes},  {"authority", kText, 3}, {"expires_on", kInt, 3}};
constexpr Column kOrganisations[] = {{"bucket", kInt},   {"id", kText},   {"revision", kInt},
                                     {"name", kText},    {"kind", kText}, {"region", kText},
                                     {"from_day", kInt}, {"to_day", kInt}};
constexpr Column kPeriods[] = {
    {"id", kText}, {"revision", kInt}, {"from_day", kInt}, {"to_day", kInt}, {"title", kText}};
constexpr Column kCodes[] = {{"id", kText},     {"revision", kInt},   {"title", kText},
                             {"kind", kInt},    {"value_type", kInt}, {"unit", kText},
                             {"minimum", kInt}, {"maximum", kInt}};
constexpr Column kCodeLevels[] = {
    {"code", kText}, {"revision", kInt}, {"ord", kInt}, {"level", kText}};
constexpr Column kSchemes[] = {
    {"revision", kInt}, {"id", kText}, {"version", kText}, {"digest", kText}, {"text", kText}};
constexpr Column kRounds[] = {{"id", kText}, {"revision", kInt}, {"content", kBytes}};
constexpr Column kRoundOrganisations[] = {
    {"round", kText}, {"bucket", kInt}, {"organisation", kText}, {"revision", kInt}};
constexpr Column kEvidenceCurrent[] = {
    {"bucket", kInt},    {"organisation", kText}, {"period", kText},      {"code", kText},
    {"instance", kText}, {"rev_from", kInt},      {"ordinal", kInt},      {"decimal", kInt},
    {"numerator", kInt}, {"denominator", kInt},   {"level", kText},       {"flag", kInt},
    {"text", kText},     {"missing", kInt},       {"observed_on", kInt},  {"source", kInt},
    {"digest", kBytes},  {"authority", kText, 3}, {"expires_on", kInt, 3}};
constexpr Column kEvidencePast[] = {
    {"bucket", kInt},    {"organisation", kText}, {"period", kText},       {"code", kText},
    {"instance", kText}, {"rev_from", kInt},      {"rev_to", kInt},        {"ordinal", kInt},
    {"decimal", kInt},   {"numerator", kInt},     {"denominator", kInt},   {"level", kText},
    {"flag", kInt},      {"text", kText},         {"missing", kInt},       {"observed_on", kInt},
    {"source", kInt},    {"digest", kBytes},      {"authority", kText, 3}, {"expires_on", kInt, 3}};
constexpr Column kSchemeApprovals[] = {{"revision", kInt}, {"digest", kText}};
constexpr Column kRatings[] = {{"round", kText},        {"attempt", kText}, {"bucket", kInt},
                               {"organisation", kText}, {"chunk", kInt},    {"content", kBytes}};
constexpr Column kImports[] = {{"id", kText},   {"actor", kText},      {"title", kText},
                               {"items", kInt}, {"items_total", kInt}, {"seen_us", kInt}};

constexpr Table kTables[] = {
    {"commits", 1, kCommits},
    {"nonces", 1, kNonces},
    {"sources", 1, kSources},
    {"evidence_log", 1, kEvidenceLog},
    {"organisations", 1, kOrganisations},
    {"periods", 1, kPeriods},
    {"codes", 1, kCodes},
    {"code_levels", 1, kCodeLevels},
    {"schemes", 1, kSchemes},
    {"rounds", 1, kRounds},
    {"round_organisations", 1, kRoundOrganisations},
    {"evidence_current", 1, kEvidenceCurrent},
    {"evidence_past", 1, kEvidencePast},
    {"ratings", 1, kRatings},
    {"imports", 2, kImports},
    {"scheme_approvals", 3, kSchemeApprovals},
};

// The columns of a statement that are the same in the log and in what is made
// from it.
constexpr char kStatement[] =
    "ordinal, decimal, numerator, denominator, level, flag, text, missing, observed_on, source,"
    " digest, authority, expires_on";

absl::Status NothingKept() {
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store in memory keeps nothing: name one on disk");
}

}  // namespace

std::string Table::ColumnNames() const {
  return absl::StrJoin(columns, ", ",
                       [](std::string* out, const Column& column) { out->append(column.name); });
}

std::string Table::Selection(int64_t schema) const {
  return absl::StrJoin(columns, ", ", [schema](std::string* out, const Column& column) {
    out->append(column.since > schema ? "NULL" : column.name);
  });
}

std::span<const Table> Tables() { return kTables; }

absl::StatusOr<int64_t> RecordReader::ReadInt(const std::string& sql) {
  int64_t number = 0;
  RETURN_IF_ERROR(ForEach(sql, [&](const Row& row) {
    number = row.Int(0);
    return absl::OkStatus();
  }));
  return number;
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenRecordReader(absl::string_view uri,
                                                               const store::StoreOptions& options) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  if (parsed.kind == store::StoreUri::Kind::kSqlite) return OpenSqliteReader(parsed.path);
  if (parsed.kind == store::StoreUri::Kind::kMemory) return NothingKept();
  ASSIGN_OR_RETURN(const store::PgTarget target,
                   store::ParsePgTarget(parsed.conninfo, options.password_file));
  return OpenPgReader(target);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> OpenRecordWriter(absl::string_view uri,
                                                               const store::StoreOptions& options) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  if (parsed.kind == store::StoreUri::Kind::kSqlite) return OpenSqliteWriter(parsed.path);
  if (parsed.kind == store::StoreUri::Kind::kMemory) return NothingKept();
  ASSIGN_OR_RETURN(const store::PgTarget target,
                   store::ParsePgTarget(parsed.conninfo, options.password_file));
  return OpenPgWriter(target);
}

absl::Status RebuildProjection(absl::string_view uri, const store::StoreOptions& options) {
  ASSIGN_OR_RETURN(const auto reader, OpenRecordReader(uri, options));
  ASSIGN_OR_RETURN(const RecordHead head, reader->Head());
  RETURN_IF_ERROR(store::CheckSchema({head.schema, 0}, store::SqliteMigrations().back().number));
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  if (parsed.kind == store::StoreUri::Kind::kSqlite) return RebuildSqliteProjection(parsed.path);
  if (parsed.kind == store::StoreUri::Kind::kMemory) return NothingKept();
  ASSIGN_OR_RETURN(const store::PgTarget target,
                   store::ParsePgTarget(parsed.conninfo, options.password_file));
  return RebuildPgProjection(target);
}

std::string RebuildingSql(absl::string_view bucket) {
  const std::string key = absl::StrCat(bucket, ", organisation, period, code, instance, revision");
  // In the order of the log's second key: the database need not sort.
  const std::string log = absl::StrCat(
      "(SELECT organisation, period, code, instance, revision, lead(revision) OVER (PARTITION BY"
      " organisation, period, code, instance ORDER BY ordinal) AS next, ",
      kStatement, " FROM evidence_log) AS l");
  return absl::StrCat(
      "DELETE FROM evidence_current; DELETE FROM evidence_past;"
      "INSERT INTO evidence_past (bucket, organisation, period, code, instance, rev_from, rev_to, ",
      kStatement, ") SELECT ", key, ", next, ", kStatement, " FROM ", log,
      " WHERE next IS NOT NULL;"
      "INSERT INTO evidence_current (bucket, organisation, period, code, instance, rev_from, ",
      kStatement, ") SELECT ", key, ", ", kStatement, " FROM ", log, " WHERE next IS NULL;");
}

absl::Status CarryRows(RecordReader& from, int64_t schema, RecordWriter& to) {
  for (const Table& table : Tables()) {
    if (table.since > schema) continue;
    RETURN_IF_ERROR(
        from.ForEach(absl::StrCat("SELECT ", table.Selection(schema), " FROM ", table.name),
                     [&](const Row& row) { return to.Insert(table, row); }));
  }
  return absl::OkStatus();
}

}  // namespace starratings::upkeep
