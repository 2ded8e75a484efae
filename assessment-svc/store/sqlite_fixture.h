// What the tests of the SQLite store share: a file of their own, and writes in
// one line.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "assessment-svc/store/sqlite_connection.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::store {

inline constexpr absl::Time kForever = absl::InfiniteFuture();

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::path(testing::TempDir()) / absl::StrCat(name, "_", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "record.db").string();
    uri_ = "sqlite:" + path_;
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<EvidenceStore> MustOpen() {
    const auto report = upkeep::Migrate(uri_);
    EXPECT_TRUE(report.ok()) << report.status();
    auto store = OpenStore(uri_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  std::string ReasonOfOpening() {
    const absl::Status error = OpenStore(uri_).status();
    EXPECT_THAT(std::string(error.message()), testing::Not(testing::HasSubstr("SELECT")));
    return absl::StrCat(absl::StatusCodeToString(error.code()), " ",
                        status::DetailOf(error).reason);
  }

  // Whatever a program that is not ours may do to the file.
  absl::Status Execute(const char* sql) {
    auto connection = SqliteConnection::Open(path_, SqliteConnection::Use::kWrite);
    if (!connection.ok()) return connection.status();
    return (*connection)->Execute(sql);
  }

  static EvidenceDraft Draft(const std::string& organisation, int64_t micros) {
    EvidenceDraft draft;
    draft.item.key = {organisation, "2001-02", "a", ""};
    draft.item.value = evidence::Decimal::FromMicros(micros);
    draft.item.source =
        std::make_shared<const evidence::Source>(evidence::Source{"A return", "", "", false});
    return draft;
  }

  static Write Say(const std::string& request_id, std::vector<EvidenceDraft> drafts) {
    Write write;
    write.actor = "ann";
    write.request_id = request_id;
    write.payload = digest::Sha256(request_id);
    write.reason = "because";
    write.body = EvidenceBatch{std::move(drafts)};
    return write;
  }

  static absl::StatusOr<Written> Commit(EvidenceStore& store, const Write& write,
                                        absl::Time deadline = kForever) {
    auto answers = store.CommitGroup(std::span(&write, 1), deadline);
    if (!answers.ok()) return answers.status();
    return std::move(answers->front());
  }

  std::filesystem::path folder_;
  std::string path_;
  std::string uri_;
};

}  // namespace starratings::store
