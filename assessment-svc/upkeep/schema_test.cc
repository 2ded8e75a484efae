// Records of earlier schemas: what was said stays said, and the binaries that
// wrote them may go on. tests/store/fixtures/ has one of each schema.
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/sqlite_schema.h"
#include "assessment-svc/upkeep/backup.h"
#include "assessment-svc/upkeep/restore.h"
#include "assessment-svc/upkeep/upkeep_fixture.h"

namespace starratings::upkeep {
namespace {

using testing::ElementsAre;

class SchemaTest : public UpkeepTest {
 protected:
  void Load(const std::string& fixture) {
    std::ifstream file(absl::StrCat(SOURCE_ROOT "/tests/store/fixtures/", fixture));
    ASSERT_TRUE(file) << fixture;
    std::stringstream script;
    script << file.rdbuf();
    auto connection = store::SqliteConnection::Open(path_, store::SqliteConnection::Use::kCreate);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const absl::Status loaded = (*connection)->Execute(script.str().c_str());
    ASSERT_TRUE(loaded.ok()) << loaded;
  }

  // Everything the log's tables and the projection hold, row by row.
  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    auto reader = OpenRecordReader(uri_);
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const Table& table : Tables()) {
      if (table.since > 1) continue;
      const std::string columns = table.Selection(/*schema=*/1);
      const auto sql =
          absl::StrCat("SELECT ", columns, " FROM ", table.name, " ORDER BY ", columns);
      const absl::Status read = (*reader)->ForEach(sql, [&](const Row& row) {
        rows.emplace_back(table.name);
        for (int i = 0; i < std::ssize(table.columns); ++i) {
          absl::StrAppend(&rows.back(), "|", row.View(i));
        }
        return absl::OkStatus();
      });
      EXPECT_TRUE(read.ok()) << table.name << read;
    }
    return rows;
  }

  static store::SqliteSchema SchemaOf(const std::string& path) {
    auto connection = store::SqliteConnection::Open(path, store::SqliteConnection::Use::kRead);
    return *store::ReadSqliteSchema(**connection);
  }
};

TEST_F(SchemaTest, ARecordOfSchemaOneReadsTheSameAfterItsUpgrade) {
  Load("sqlite-1.sql");
  const std::vector<std::string> before = Rows();
  ASSERT_GT(before.size(), 60u);

  const auto report = Migrate(uri_);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->before, 1);
  EXPECT_EQ(report->store, "e5cfe122-ad73-42be-9f79-a4f5a0bc5121");
  EXPECT_EQ(Rows(), before);
  const FsckReport fsck = MustCheck(uri_);
  EXPECT_TRUE(fsck.ok()) << fsck.faults[0].code;
  EXPECT_EQ(fsck.head.revision, 12);
  EXPECT_EQ(fsck.items, 19);
  EXPECT_EQ(fsck.nonces_erased, 1);

  const auto store = store::OpenStore(uri_);
  ASSERT_TRUE(store.ok()) << store.status();
  const evidence::ItemKey key = {"home-1", "2023-05", "au.staffing", ""};
  const auto history = (*store)->ReadHistory(key, 13, 10, store::kForever);
  ASSERT_TRUE(history.ok()) << history.status();
  std::vector<std::string> said;
  for (const evidence::RecordedItem& item : *history) {
    said.push_back(absl::StrCat(item.Etag(), " ", evidence::ToString(item.item.value), " ",
                                item.actor, " ", item.reason));
  }
  EXPECT_THAT(said, ElementsAre("3.12 1 supplier Another late return", "2.7 4 supplier Late return",
                                "1.6 2 analyst "));
  EXPECT_EQ(evidence::ToString((*store)->ReadItem(key, 11, store::kForever)->value().item.value),
            "4");
  const auto homes = (*store)->ListOrganisations({}, {}, 10, 12, store::kForever);
  ASSERT_EQ(homes->size(), 3u);
  EXPECT_EQ(Commit(**store, Say("after", {Item("home-1", "more.flag", true)}))->revision, 13);
}

TEST_F(SchemaTest, ARecordCanBeCheckedBackedUpAndRestoredBeforeItsUpgrade) {
  Load("sqlite-1.sql");
  const std::vector<std::string> before = Rows();
  EXPECT_TRUE(MustCheck(uri_).ok());
  BackupOptions options;
  options.digest_of = &wire::ItemDigest;
  const std::string copy = (folder_ / "copy.db").string();
  ASSERT_TRUE(Backup(uri_, copy, options).ok());
  EXPECT_EQ(SchemaOf(copy).version, 1);
  EXPECT_EQ(SchemaOf(path_).version, 1);

  path_ = (folder_ / "restored.db").string();
  uri_ = "sqlite:" + path_;
  const auto report = Restore(copy, uri_, &wire::ItemDigest);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->schema, store::SqliteMigrations().back().number);
  EXPECT_EQ(Rows(), before);
  EXPECT_TRUE(store::OpenStore(uri_).ok());
}

// What version 0.1.0 said to the database to accept a write of one item that
// follows another; ?1 is the revision.
const char* const kStatementsOfSchemaOne[] = {
    "SELECT h.revision, c.time_us FROM log_head AS h LEFT JOIN commits AS c"
    " ON c.revision = h.revision",
    "SELECT c.revision, c.request_hash, n.nonce, c.kind FROM commits AS c LEFT JOIN nonces AS n"
    " ON n.revision = c.revision WHERE c.actor = 'old' AND c.request_id = 'r'",
    "SELECT ordinal, rev_from FROM evidence_current WHERE bucket = bucket_of('home-2') AND"
    " organisation = 'home-2' AND period = '2023-05' AND code = 'more.flag' AND instance = ''",
    "INSERT INTO commits (revision, time_us, actor, on_behalf_of, request_id, request_hash,"
    " reason, kind, items, leaf_hash) VALUES (?1, 1900000000000000, 'old', '', 'r', ?2, 'why',"
    " 'evidence', 1, ?3)",
    "INSERT INTO nonces (revision, nonce) VALUES (?1, zeroblob(16))",
    "INSERT INTO sources (title, uri, sha256, reconstructed) VALUES ('A return', '', '', 0)"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO evidence_log (revision, ord, organisation, period, code, instance, ordinal,"
    " decimal, numerator, denominator, level, flag, text, missing, observed_on, source, digest)"
    " VALUES (?1, 0, 'home-2', '2023-05', 'more.flag', '', 2, NULL, NULL, NULL, NULL, 0, NULL,"
    " NULL, NULL, (SELECT id FROM sources WHERE title = 'A return' AND uri = '' AND sha256 = ''"
    " AND reconstructed = 0), ?4)",
    "INSERT INTO evidence_past (bucket, organisation, period, code, instance, rev_from, rev_to,"
    " ordinal, decimal, numerator, denominator, level, flag, text, missing, observed_on, source,"
    " digest) SELECT c.bucket, c.organisation, c.period, c.code, c.instance, c.rev_from,"
    " l.revision, c.ordinal, c.decimal, c.numerator, c.denominator, c.level, c.flag, c.text,"
    " c.missing, c.observed_on, c.source, c.digest FROM evidence_log AS l CROSS JOIN"
    " evidence_current AS c ON c.bucket = bucket_of(l.organisation) AND c.organisation ="
    " l.organisation AND c.period = l.period AND c.code = l.code AND c.instance = l.instance"
    " WHERE l.revision = ?1 AND l.ordinal > 1",
    "INSERT OR REPLACE INTO evidence_current (bucket, organisation, period, code, instance,"
    " rev_from, ordinal, decimal, numerator, denominator, level, flag, text, missing,"
    " observed_on, source, digest) SELECT bucket_of(organisation), organisation, period, code,"
    " instance, revision, ordinal, decimal, numerator, denominator, level, flag, text, missing,"
    " observed_on, source, digest FROM evidence_log WHERE revision = ?1 ORDER BY 1,"
    " organisation, period, code, instance",
    "INSERT INTO organisations (bucket, id, revision, name, kind, region, from_day, to_day)"
    " VALUES (bucket_of('home-9'), 'home-9', ?1, 'Ninth', 'home', '', NULL, NULL)",
    "INSERT INTO periods (id, revision, from_day, to_day, title) VALUES ('p', ?1, 1, 2, '')",
    "INSERT INTO codes (id, revision, title, kind, value_type, unit, minimum, maximum)"
    " VALUES ('new.code', ?1, '', 1, 1, '', NULL, NULL)",
    "INSERT INTO code_levels (code, revision, ord, level) VALUES ('new.code', ?1, 0, 'low')",
    "INSERT INTO schemes (revision, id, version, digest, text) VALUES (?1, 'new', '1',"
    " 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'text')",
    "INSERT INTO rounds (id, revision, content) VALUES ('may', ?1, x'00')",
    "INSERT INTO round_organisations (round, bucket, organisation, revision)"
    " VALUES ('may', bucket_of('home-2'), 'home-2', ?1)",
    "INSERT INTO ratings (round, attempt, bucket, organisation, chunk, content)"
    " VALUES ('may', 'one', bucket_of('home-2'), 'home-2', 0, x'00')",
    "UPDATE log_head SET revision = ?1",
};

TEST_F(SchemaTest, ABinaryOfSchemaOneMayGoOnWriting) {
  Load("sqlite-1.sql");
  ASSERT_TRUE(Migrate(uri_).ok());
  EXPECT_EQ(SchemaOf(path_).oldest_binary, 1);
  const store::Commit commit = {13, "old", "", "why", 1'900'000'000'000'000};
  const digest::Digest request = digest::Sha256("a request");
  const digest::Digest leaf = store::LeafHash(commit, "r", request);
  store::EvidenceDraft draft = Item("home-2", "more.flag", false);
  draft.item.key.period = "2023-05";
  const digest::Digest item = wire::ItemDigest(draft.item);
  const auto blob = [](const digest::Digest& digest) {
    return store::SqliteBlob{{reinterpret_cast<const char*>(digest.data()), digest.size()}};
  };
  {
    auto connection = store::SqliteConnection::Open(path_, store::SqliteConnection::Use::kWrite);
    ASSERT_TRUE((*connection)->Execute("BEGIN IMMEDIATE").ok());
    for (const char* sql : kStatementsOfSchemaOne) {
      // Parameters that a statement does not have are not bound.
      auto query = (*connection)->Query(sql, 13, blob(request), blob(leaf), blob(item));
      ASSERT_TRUE(query.ok()) << sql << query.status();
      ASSERT_TRUE(query->Run().ok()) << sql;
    }
    ASSERT_TRUE((*connection)->Execute("COMMIT").ok());
  }

  const FsckReport report = MustCheck(uri_);

  EXPECT_TRUE(report.ok()) << report.faults[0].code << " " << report.faults[0].what;
  EXPECT_EQ(report.head.revision, 13);
  const auto store = store::OpenStore(uri_);
  const auto read = (*store)->ReadItem(draft.item.key, 13, store::kForever);
  EXPECT_EQ(read->value().item.value, evidence::Value(false));
}

TEST_F(SchemaTest, EveryTableOfTheLogRefusesUpdateAndDelete) {
  Load("sqlite-1.sql");
  ASSERT_TRUE(Migrate(uri_).ok());
  auto connection = store::SqliteConnection::Open(path_, store::SqliteConnection::Use::kWrite);
  ASSERT_TRUE((*connection)
                  ->Execute("INSERT INTO scheme_approvals SELECT 1, digest FROM schemes LIMIT 1")
                  .ok());
  int of_the_log = 0;
  for (const Table& table : Tables()) {
    const std::string name = table.name;
    // What can be made again, and what is no part of the log.
    if (absl::StartsWith(name, "evidence_current") || name == "evidence_past" ||
        name == "ratings" || name == "imports") {
      continue;
    }
    ++of_the_log;
    ASSERT_GT(*(*connection)->QueryInt("SELECT count(*) FROM " + name), 0) << name;
    for (const Column& column : table.columns) {
      EXPECT_FALSE(
          (*connection)
              ->Execute(
                  absl::StrCat("UPDATE ", name, " SET ", column.name, " = ", column.name).c_str())
              .ok())
          << name << "." << column.name;
    }
    // A nonce may be erased, and nothing else.
    const absl::Status deleted = (*connection)->Execute(absl::StrCat("DELETE FROM ", name).c_str());
    EXPECT_EQ(deleted.ok(), name == "nonces") << name;
  }
  EXPECT_EQ(of_the_log, 12);
}

// Rows are carried column by column: a column that is not in the list would be
// lost in a restore.
TEST_F(SchemaTest, TheListOfTablesIsTheSchema) {
  ASSERT_TRUE(Migrate(uri_).ok());
  auto reader = OpenRecordReader(uri_);
  ASSERT_TRUE(reader.ok());
  std::vector<std::string> there;
  ASSERT_TRUE((*reader)
                  ->ForEach("SELECT t.name || '(' || (SELECT group_concat(name, ', ') FROM"
                            " pragma_table_info(t.name)) || ')' FROM sqlite_schema AS t"
                            " WHERE t.type = 'table' AND t.name NOT IN ('schema_info', 'log_head')"
                            " ORDER BY t.rowid",
                            [&](const Row& row) {
                              there.push_back(row.Text(0));
                              return absl::OkStatus();
                            })
                  .ok());
  std::vector<std::string> listed;
  for (const Table& table : Tables()) {
    listed.push_back(absl::StrCat(table.name, "(", table.ColumnNames(), ")"));
  }
  EXPECT_THAT(listed, testing::UnorderedElementsAreArray(there));
}

}  // namespace
}  // namespace starratings::upkeep
