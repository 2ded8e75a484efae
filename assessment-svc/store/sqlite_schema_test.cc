// Which files are opened and migrated, and which are left alone.
#include "assessment-svc/store/sqlite_schema.h"

#include <fstream>

#include "assessment-svc/store/sqlite_fixture.h"

namespace starratings::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteSchemaTest : public SqliteStoreTest {};

TEST_F(SqliteSchemaTest, OpeningNeverMakesAFile) {
  EXPECT_EQ(ReasonOfOpening(), "FAILED_PRECONDITION STORE_SCHEMA");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteSchemaTest, OnlyKnownNamesOfStoresAreTaken) {
  for (const char* uri : {"", "sqlite:", "record.db", "memory"}) {
    EXPECT_EQ(status::DetailOf(OpenStore(uri).status()).reason, "STORE_URI") << uri;
    EXPECT_EQ(status::DetailOf(upkeep::Migrate(uri).status()).reason, "STORE_URI") << uri;
  }
}

TEST_F(SqliteSchemaTest, MigratingTwiceIsMigratingOnce) {
  const auto first = upkeep::Migrate(uri_);
  const auto second = upkeep::Migrate(uri_);

  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_EQ(first->before, 0);
  EXPECT_EQ(first->after, 3);
  EXPECT_THAT(first->applied, ElementsAre("0001_record", "0002_imports", "0003_overrides"));
  EXPECT_EQ(second->before, 3);
  EXPECT_TRUE(second->applied.empty());
  EXPECT_EQ(first->store, second->store);
}

TEST_F(SqliteSchemaTest, AFileThatIsNotARecordIsLeftAlone) {
  std::ofstream(path_) << std::string(4'096, 'x');
  EXPECT_EQ(ReasonOfOpening(), "FAILED_PRECONDITION STORE_SCHEMA");
  EXPECT_EQ(status::DetailOf(upkeep::Migrate(uri_).status()).reason, "STORE_SCHEMA");
  EXPECT_EQ(std::filesystem::file_size(path_), 4'096u);
}

TEST_F(SqliteSchemaTest, AnotherProgramsDatabaseIsLeftAlone) {
  {
    auto other = SqliteConnection::Open(path_, SqliteConnection::Use::kCreate);
    ASSERT_TRUE((*other)->Execute("CREATE TABLE notes (text TEXT)").ok());
  }
  EXPECT_EQ(ReasonOfOpening(), "FAILED_PRECONDITION STORE_SCHEMA");
  EXPECT_EQ(status::DetailOf(upkeep::Migrate(uri_).status()).reason, "STORE_SCHEMA");
}

TEST_F(SqliteSchemaTest, AnEmptyFileWantsMigrating) {
  std::ofstream(path_).flush();
  EXPECT_EQ(ReasonOfOpening(), "FAILED_PRECONDITION STORE_SCHEMA");
  EXPECT_THAT(std::string(OpenStore(uri_).status().message()), HasSubstr("starctl store migrate"));
}

TEST_F(SqliteSchemaTest, ANewerSchemaIsUsedOnlyIfItAllowsThisBinary) {
  MustOpen().reset();
  ASSERT_TRUE(Execute("UPDATE schema_info SET version = 7, oldest_binary = 1").ok());
  EXPECT_TRUE(OpenStore(uri_).ok());
  EXPECT_TRUE(upkeep::Migrate(uri_).ok());
  ASSERT_TRUE(Execute("UPDATE schema_info SET version = 7, oldest_binary = 4").ok());
  EXPECT_EQ(ReasonOfOpening(), "FAILED_PRECONDITION STORE_SCHEMA");
  EXPECT_FALSE(upkeep::Migrate(uri_).ok());
}

}  // namespace
}  // namespace starratings::store
