// The checks can see: what is known to be wrong does not pass them.
#include "tests/store/broken_doubles.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/postgres_cluster.h"

namespace starratings::store {
namespace {

using testing::HasSubstr;

constexpr int kWriters = 3;
constexpr int kRounds = 300;  // The first few suffice, nearly always.

class BrokenOnPostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto cluster = PostgresCluster::Shared();
    if (absl::IsNotFound(cluster.status()) && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << cluster.status().message();
    }
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    auto database = (*cluster)->NewEmptyDatabase();
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
  }

  std::unique_ptr<PostgresDatabase> database_;
};

class BrokenOnSqliteTest : public testing::Test {
 protected:
  BrokenOnSqliteTest()
      : folder_(std::filesystem::path(testing::TempDir()) / absl::StrCat("broken_", getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~BrokenOnSqliteTest() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return (folder_ / "double.db").string(); }

  const std::filesystem::path folder_;
};

TEST_F(BrokenOnPostgresTest, ASequenceLosesEvents) {
  const auto log = NewSequenceLog(database_->uri(), kWriters);
  EXPECT_THAT(FollowerLosesNothing(*log, kWriters, kRounds), HasSubstr("lost"));
}

TEST_F(BrokenOnPostgresTest, LookingWhileLockingLosesUpdates) {
  const auto item = NewLockedItem(database_->uri(), kWriters, Look::kWhileLocking);
  EXPECT_THAT(EtagsSerialise(*item, kWriters, kRounds), HasSubstr("writers replaced"));
}

TEST_F(BrokenOnPostgresTest, TheSameInTwoStatementsIsRight) {
  const auto item = NewLockedItem(database_->uri(), kWriters, Look::kAfterLocking);
  EXPECT_EQ(EtagsSerialise(*item, kWriters, kRounds), "");
}

TEST_F(BrokenOnSqliteTest, ASequenceLosesEvents) {
  const auto log = NewSqliteSequenceLog(Path(), kWriters);
  EXPECT_THAT(FollowerLosesNothing(*log, kWriters, kRounds), HasSubstr("lost"));
}

TEST_F(BrokenOnSqliteTest, LookingBeforeLockingLosesUpdates) {
  const auto item = NewSqliteLockedItem(Path(), kWriters, Look::kBeforeLocking);
  EXPECT_THAT(EtagsSerialise(*item, kWriters, kRounds), HasSubstr("writers replaced"));
}

TEST_F(BrokenOnSqliteTest, TheSameAfterLockingIsRight) {
  const auto item = NewSqliteLockedItem(Path(), kWriters, Look::kAfterLocking);
  EXPECT_EQ(EtagsSerialise(*item, kWriters, kRounds), "");
}

}  // namespace
}  // namespace starratings::store
