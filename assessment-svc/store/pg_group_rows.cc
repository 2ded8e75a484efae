#include "assessment-svc/store/pg_group_rows.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

#include "assessment-svc/store/item_columns.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

// The columns that evidence_log, _current and _past share, as parameters.
#define STARRATINGS_PG_ITEM_COLUMNS                                                              \
  "organisation, period, code, instance, ordinal, decimal, numerator, denominator, level, flag," \
  " text, missing, observed_on, source, digest, authority, expires_on"

constexpr char kInsertCommits[] =
    "INSERT INTO commits (revision, time_us, items, actor, on_behalf_of, request_id, reason, kind,"
    " request_hash, leaf_hash) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

constexpr char kInsertNonces[] =
    "INSERT INTO nonces (revision, nonce) SELECT * FROM unnest($1, $2)";

#define STARRATINGS_PG_UNNEST                                                               \
  " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15," \
  " $16, $17, $18, $19"

constexpr char kInsertLog[] =
    "INSERT INTO evidence_log (revision, ord, " STARRATINGS_PG_ITEM_COLUMNS
    ")" STARRATINGS_PG_UNNEST ")";

// Ends what stood under the keys before this group: $1 to $5 the keys, $6 the
// revisions that end it.
constexpr char kMoveToPast[] =
    "INSERT INTO evidence_past (bucket, rev_from, rev_to, " STARRATINGS_PG_ITEM_COLUMNS
    ") SELECT c.bucket, c.rev_from, k.rev_to, c.organisation, c.period, c.code, c.instance,"
    " c.ordinal, c.decimal, c.numerator, c.denominator, c.level, c.flag, c.text, c.missing,"
    " c.observed_on, c.source, c.digest, c.authority, c.expires_on"
    " FROM unnest($1, $2, $3, $4, $5, $6)"
    "   AS k(bucket, organisation, period, code, instance, rev_to)"
    " CROSS JOIN LATERAL (SELECT * FROM evidence_current AS c WHERE c.bucket = k.bucket"
    "   AND c.organisation = k.organisation AND c.period = k.period AND c.code = k.code"
    "   AND c.instance = k.instance OFFSET 0) AS c";

constexpr char kInsertPast[] =
    "INSERT INTO evidence_past (rev_from, bucket, " STARRATINGS_PG_ITEM_COLUMNS
    ", rev_to)" STARRATINGS_PG_UNNEST ", $20)";

constexpr char kPutCurrent[] =
    "INSERT INTO evidence_current (rev_from, bucket, " STARRATINGS_PG_ITEM_COLUMNS
    ")" STARRATINGS_PG_UNNEST
    ")"
    " ON CONFLICT (bucket, organisation, period, code, instance) DO UPDATE SET"
    " rev_from = excluded.rev_from, ordinal = excluded.ordinal, decimal = excluded.decimal,"
    " numerator = excluded.numerator, denominator = excluded.denominator, level = excluded.level,"
    " flag = excluded.flag, text = excluded.text, missing = excluded.missing,"
    " observed_on = excluded.observed_on, source = excluded.source, digest = excluded.digest,"
    " authority = excluded.authority, expires_on = excluded.expires_on";

// Below this, what COPY needs around it costs more than it saves.
constexpr size_t kCopyLeast = 500;

constexpr char kCopyLog[] =
    "COPY evidence_log (revision, ord, " STARRATINGS_PG_ITEM_COLUMNS ") FROM STDIN (FORMAT binary)";
constexpr char kCopyCurrent[] =
    "COPY evidence_current (rev_from, bucket, " STARRATINGS_PG_ITEM_COLUMNS
    ") FROM STDIN (FORMAT binary)";

constexpr char kInsertSources[] =
    "INSERT INTO sources (title, uri, sha256, reconstructed) SELECT * FROM unnest($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING";
constexpr char kFindSources[] =
    "SELECT w.i, s.id FROM unnest($1, $2, $3, $4)"
    "   WITH ORDINALITY AS w(title, uri, sha256, reconstructed, i)"
    " CROSS JOIN LATERAL (SELECT id FROM sources AS s WHERE s.title = w.title AND s.uri = w.uri"
    "   AND s.sha256 = w.sha256 AND s.reconstructed = w.reconstructed OFFSET 0) AS s";

absl::string_view ViewOf(const evidence::Item& item) {
  return {reinterpret_cast<const char*>(item.digest.data()), item.digest.size()};
}

template <typename T>
std::vector<int64_t> Numbers(const std::vector<PgStatement>& statements, T PgStatement::*field) {
  std::vector<int64_t> numbers;
  for (const PgStatement& statement : statements) numbers.push_back(statement.*field);
  return numbers;
}

// Statements as columns of arrays: revision and `second`, then the item's.
template <typename T>
PgCall ItemsCall(const char* sql, const std::vector<PgStatement>& statements,
                 T PgStatement::*second) {
  using Ints = std::vector<std::optional<int64_t>>;
  using Texts = std::vector<std::optional<absl::string_view>>;
  std::vector<std::string> organisations, periods, codes, instances;
  std::vector<int64_t> ordinals, sources;
  Ints decimals, numerators, denominators, flags, missings, days, expiries;
  Texts levels, texts, authorities;
  std::vector<absl::string_view> digests;
  for (const PgStatement& statement : statements) {
    const evidence::Item& item = *statement.item;
    organisations.push_back(item.key.organisation);
    periods.push_back(item.key.period);
    codes.push_back(item.key.code);
    instances.push_back(item.key.instance);
    ordinals.push_back(statement.ordinal);
    const ItemColumns columns = ColumnsOf(item);
    decimals.push_back(columns.decimal);
    numerators.push_back(columns.numerator);
    denominators.push_back(columns.denominator);
    levels.push_back(columns.level);
    flags.push_back(columns.flag);
    texts.push_back(columns.text);
    missings.push_back(columns.missing);
    days.push_back(columns.observed_on);
    sources.push_back(statement.source);
    digests.push_back(ViewOf(item));
    authorities.push_back(columns.authority);
    expiries.push_back(columns.expires_on);
  }
  PgCall call{sql, {}};
  call.params.AddInts(Numbers(statements, &PgStatement::revision));
  call.params.AddInts(Numbers(statements, second));
  call.params.AddTexts(organisations).AddTexts(periods).AddTexts(codes).AddTexts(instances);
  call.params.AddInts(ordinals).AddOptionalInts(decimals).AddOptionalInts(numerators);
  call.params.AddOptionalInts(denominators).AddOptionalTexts(levels).AddOptionalInts(flags);
  call.params.AddOptionalTexts(texts).AddOptionalInts(missings).AddOptionalInts(days);
  call.params.AddInts(sources).AddByteses(digests).AddOptionalTexts(authorities);
  call.params.AddOptionalInts(expiries);
  return call;
}

// The same by COPY.
template <typename T>
absl::Status Copy(const char* sql, const std::vector<PgStatement>& statements,
                  T PgStatement::*second, PgConnection& connection, absl::Time deadline) {
  // What is sent while the next is made.
  constexpr size_t kChunk = 64 << 10;
  PgCopyRows rows;
  auto next = statements.begin();
  bool ended = false;
  const auto chunk = [&]() -> absl::StatusOr<std::optional<std::string>> {
    if (ended) return std::nullopt;
    for (; next != statements.end() && rows.size() < kChunk; ++next) {
      const evidence::Item& item = *next->item;
      const ItemColumns columns = ColumnsOf(item);
      rows.BeginRow(19);
      rows.Add(next->revision);
      rows.Add(int64_t{(*next).*second});
      rows.Add(absl::string_view(item.key.organisation));
      rows.Add(absl::string_view(item.key.period));
      rows.Add(absl::string_view(item.key.code));
      rows.Add(absl::string_view(item.key.instance));
      rows.Add(next->ordinal);
      rows.Add(columns.decimal);
      rows.Add(columns.numerator);
      rows.Add(columns.denominator);
      rows.Add(columns.level);
      rows.Add(columns.flag);
      rows.Add(columns.text);
      rows.Add(columns.missing);
      rows.Add(columns.observed_on);
      rows.Add(next->source);
      rows.Add(ViewOf(item));
      rows.Add(columns.authority);
      rows.Add(columns.expires_on);
    }
    ended = next == statements.end();
    if (ended) rows.End();
    return rows.Take();
  };
  return connection.CopyIn(sql, chunk, deadline);
}

// What becomes of evidence_current and _past.
struct Projection {
  std::vector<PgStatement> ended;    // The first of its key: ends what stood before.
  std::vector<PgStatement> past;     // Ended within the group.
  std::vector<PgStatement> made;     // The last of a key that is new.
  std::vector<PgStatement> changed;  // The last of a key that is not.
};

// In the order of the key, and of one key in the order of its statements.
Projection ProjectionOf(std::vector<PgStatement> statements) {
  std::stable_sort(statements.begin(), statements.end(),
                   [](const PgStatement& a, const PgStatement& b) {
                     return std::tie(a.bucket, a.item->key) < std::tie(b.bucket, b.item->key);
                   });
  Projection projection;
  bool is_new = false;  // The key, before this group.
  for (size_t i = 0; i < statements.size(); ++i) {
    PgStatement& statement = statements[i];
    const evidence::ItemKey& key = statement.item->key;
    const bool is_first = i == 0 || statements[i - 1].item->key != key;
    const bool is_last = i + 1 == statements.size() || statements[i + 1].item->key != key;
    if (is_first) is_new = statement.ordinal == 1;
    if (is_first && !is_new) projection.ended.push_back(statement);
    if (!is_last) {
      statement.rev_to = statements[i + 1].revision;
      projection.past.push_back(statement);
    } else {
      (is_new ? projection.made : projection.changed).push_back(statement);
    }
  }
  return projection;
}

PgCall MoveCall(const std::vector<PgStatement>& ended) {
  std::vector<std::string> organisations, periods, codes, instances;
  for (const PgStatement& statement : ended) {
    const evidence::ItemKey& key = statement.item->key;
    organisations.push_back(key.organisation);
    periods.push_back(key.period);
    codes.push_back(key.code);
    instances.push_back(key.instance);
  }
  PgCall move{kMoveToPast, {}};
  move.params.AddInts(Numbers(ended, &PgStatement::bucket)).AddTexts(organisations);
  move.params.AddTexts(periods).AddTexts(codes).AddTexts(instances);
  move.params.AddInts(Numbers(ended, &PgStatement::revision));
  return move;
}

}  // namespace

absl::Status PgSourceRows::Fetch(PgConnection& connection,
                                 const std::vector<const evidence::Source*>& wanted,
                                 absl::Time deadline) {
  std::vector<const evidence::Source*> unknown;
  std::vector<std::string> titles, uris, hashes;
  std::vector<int64_t> reconstructed;
  for (const evidence::Source* source : wanted) {
    if (known_.contains(*source) || !made_.try_emplace(*source, 0).second) continue;
    unknown.push_back(source);
    titles.push_back(source->title);
    uris.push_back(source->uri);
    hashes.push_back(source->sha256);
    reconstructed.push_back(source->reconstructed ? 1 : 0);
  }
  if (unknown.empty()) return absl::OkStatus();
  PgCall calls[] = {{kInsertSources, {}}, {kFindSources, {}}};
  for (PgCall& call : calls) {
    call.params.AddTexts(titles).AddTexts(uris).AddTexts(hashes).AddInts(reconstructed);
  }
  ASSIGN_OR_RETURN(const std::vector<PgResult> results, connection.RunAll(calls, deadline));
  const PgResult& found = results.back();
  for (int row = 0; row < found.rows(); ++row) {
    made_[*unknown[static_cast<size_t>(found.Int(row, 0)) - 1]] = found.Int(row, 1);
  }
  return absl::OkStatus();
}

int64_t PgSourceRows::RowOf(const evidence::Source& source) const {
  for (const auto* rows : {&known_, &made_}) {
    if (const auto found = rows->find(source); found != rows->end()) return found->second;
  }
  assert(false && "a source that was not fetched");
  return 0;
}

void PgSourceRows::Commit() {
  if (known_.size() + made_.size() > kMost) known_.clear();
  known_.merge(made_);
  made_.clear();
}

void PgGroupRows::AddCommit(const Commit& commit, const Write& write) {
  const Nonce nonce = MakeNonce();
  const digest::Digest request_hash = RequestHash(nonce, write.payload);
  const digest::Digest leaf_hash = LeafHash(commit, write.request_id, request_hash);
  const auto keep = [this](const auto& bytes) {
    return absl::string_view(bytes_.emplace_back(bytes.begin(), bytes.end()));
  };
  revisions_.push_back(commit.revision);
  times_.push_back(commit.time_us);
  items_.push_back(std::ssize(DraftsOf(write)));
  actors_.push_back(commit.actor);
  on_behalf_of_.push_back(commit.on_behalf_of);
  request_ids_.push_back(write.request_id);
  reasons_.push_back(commit.reason);
  kinds_.emplace_back(NameOf(KindOf(write)));
  request_hashes_.push_back(keep(request_hash));
  leaf_hashes_.push_back(keep(leaf_hash));
  nonces_.push_back(keep(nonce));
}

void PgGroupRows::AddStatement(const PgStatement& statement) { statements_.push_back(statement); }

absl::StatusOr<std::vector<PgCall>> PgGroupRows::Take(PgConnection& connection,
                                                      absl::Time deadline) {
  std::vector<PgCall> calls;
  if (!revisions_.empty()) {
    PgCall commits{kInsertCommits, {}};
    commits.params.AddInts(revisions_).AddInts(times_).AddInts(items_).AddTexts(actors_);
    commits.params.AddTexts(on_behalf_of_).AddTexts(request_ids_).AddTexts(reasons_);
    commits.params.AddTexts(kinds_).AddByteses(request_hashes_).AddByteses(leaf_hashes_);
    calls.push_back(std::move(commits));
    PgCall nonces{kInsertNonces, {}};
    nonces.params.AddInts(revisions_).AddByteses(nonces_);
    calls.push_back(std::move(nonces));
  }
  if (!statements_.empty()) RETURN_IF_ERROR(TakeItems(connection, deadline, calls));
  *this = PgGroupRows();
  return calls;
}

absl::Status PgGroupRows::TakeItems(PgConnection& connection, absl::Time deadline,
                                    std::vector<PgCall>& calls) {
  if (statements_.size() >= kCopyLeast) {
    RETURN_IF_ERROR(Copy(kCopyLog, statements_, &PgStatement::ord, connection, deadline));
  } else {
    calls.push_back(ItemsCall(kInsertLog, statements_, &PgStatement::ord));
  }
  Projection projection = ProjectionOf(std::move(statements_));
  if (!projection.ended.empty()) calls.push_back(MoveCall(projection.ended));
  if (!projection.past.empty()) {
    PgCall insert = ItemsCall(kInsertPast, projection.past, &PgStatement::bucket);
    insert.params.AddInts(Numbers(projection.past, &PgStatement::rev_to));
    calls.push_back(std::move(insert));
  }
  std::vector<PgStatement>& put = projection.changed;
  if (projection.made.size() >= kCopyLeast) {
    RETURN_IF_ERROR(
        Copy(kCopyCurrent, projection.made, &PgStatement::bucket, connection, deadline));
  } else {
    put.insert(put.end(), projection.made.begin(), projection.made.end());
  }
  if (!put.empty()) calls.push_back(ItemsCall(kPutCurrent, put, &PgStatement::bucket));
  return absl::OkStatus();
}

}  // namespace starratings::store
