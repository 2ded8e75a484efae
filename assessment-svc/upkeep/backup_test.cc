// Backup and restore.
#include "assessment-svc/upkeep/backup.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "assessment-svc/upkeep/files.h"
#include "assessment-svc/upkeep/restore.h"
#include "assessment-svc/upkeep/upkeep_fixture.h"

namespace starratings::upkeep {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class BackupTest : public UpkeepTest {
 protected:
  static BackupOptions Verified() {
    BackupOptions options;
    options.digest_of = &wire::ItemDigest;
    return options;
  }

  std::string PathOf(const char* name) const { return (folder_ / name).string(); }
  std::string UriOf(const char* name) const { return "sqlite:" + PathOf(name); }

  static std::string ReasonOf(const absl::Status& error) { return status::DetailOf(error).reason; }

  // Every row of every table, as text.
  static std::map<std::string, std::vector<std::string>> Everything(const std::string& uri) {
    std::map<std::string, std::vector<std::string>> rows;
    auto reader = OpenRecordReader(uri);
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const Table& table : Tables()) {
      const auto sql = absl::StrCat("SELECT ", table.ColumnNames(), " FROM ", table.name,
                                    " ORDER BY ", table.ColumnNames());
      const absl::Status read = (*reader)->ForEach(sql, [&](const Row& row) {
        std::string text;
        for (int i = 0; i < std::ssize(table.columns); ++i) {
          absl::StrAppend(&text, row.IsNull(i) ? "NULL" : row.View(i), "|");
        }
        rows[table.name].push_back(std::move(text));
        return absl::OkStatus();
      });
      EXPECT_TRUE(read.ok()) << table.name << read;
    }
    return rows;
  }
};

TEST_F(BackupTest, ABackupIsTheRecord) {
  const auto store = MustOpen();
  Fill(*store);
  ASSERT_TRUE(store->NoteImport({"i", "ann", "file", 1, 2, 3}, store::kForever).ok());
  store::Write approval = Body("approval", store::SchemeApproval{std::string(64, 'a')});
  approval.actor = "bob";
  ASSERT_TRUE(Commit(*store, approval).ok());

  const auto report = Backup(uri_, PathOf("copy.db"), Verified());

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->fsck->ok());
  EXPECT_EQ(report->head.revision, 8);
  EXPECT_EQ(report->head.identity.store, store->GetIdentity().store);
  EXPECT_EQ(report->head.identity.incarnation, store->GetIdentity().incarnation);
  EXPECT_EQ(report->bytes, static_cast<int64_t>(fs::file_size(PathOf("copy.db"))));
  EXPECT_EQ(report->digest, *DigestOfFile(PathOf("copy.db")));
  // All tables, the triggers too.
  const auto rows = Everything(UriOf("copy.db"));
  EXPECT_EQ(rows.size(), Tables().size());
  EXPECT_EQ(rows, Everything(uri_));
  const auto copy = store::OpenStore(UriOf("copy.db"));
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_TRUE(Commit(**copy, Say("8", {Item("york", "flag", true)})).ok());
  path_ = PathOf("copy.db");
  EXPECT_FALSE(Execute("DELETE FROM commits").ok());
}

TEST_F(BackupTest, ABackupIsOneFileForItsOwnerAlone) {
  Fill(*MustOpen());
  ASSERT_TRUE(fs::create_directory(PathOf("backups")));
  ASSERT_TRUE(Backup(uri_, PathOf("backups/copy.db"), Verified()).ok());
  const auto files = fs::directory_iterator(PathOf("backups"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  EXPECT_EQ(fs::status(PathOf("backups/copy.db")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(BackupTest, WhatIsThereIsNotOverwritten) {
  Fill(*MustOpen());
  std::ofstream(PathOf("copy.db")) << "mine";
  EXPECT_EQ(ReasonOf(Backup(uri_, PathOf("copy.db"), Verified()).status()), "FILE_EXISTS");
  EXPECT_EQ(fs::file_size(PathOf("copy.db")), 4u);
  EXPECT_EQ(ReasonOf(Backup(uri_, PathOf("none/copy.db"), Verified()).status()), "FILE_REFUSED");

  auto late = NewFile::Create(PathOf("late"));
  ASSERT_TRUE(late.ok());
  std::ofstream(PathOf("late")) << "faster";
  EXPECT_EQ(ReasonOf(late->Publish()), "FILE_EXISTS");
  EXPECT_EQ(fs::file_size(PathOf("late")), 6u);
}

TEST_F(BackupTest, ADamagedRecordGivesNoVerifiedBackup) {
  Fill(*MustOpen());
  Tamper("UPDATE commits SET leaf_hash = zeroblob(32) WHERE revision = 4");
  const auto report = Backup(uri_, PathOf("copy.db"), Verified());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->fsck->ok());
  const auto files = fs::directory_iterator(folder_);
  for (const auto& file : files) {
    EXPECT_THAT(file.path().string(), testing::Not(HasSubstr("copy.db")));
  }
  BackupOptions anyway;
  anyway.verify = false;
  EXPECT_TRUE(Backup(uri_, PathOf("copy.db"), anyway).ok());
  EXPECT_TRUE(fs::exists(PathOf("copy.db")));
}

TEST_F(BackupTest, AnErasedNonceIsNotInTheCopy) {
  Fill(*MustOpen());
  ASSERT_TRUE(Execute("DELETE FROM nonces; UPDATE log_head SET revision = revision").ok());
  ASSERT_TRUE(Backup(uri_, PathOf("copy.db"), Verified()).ok());
  path_ = PathOf("copy.db");
  auto connection = store::SqliteConnection::Open(path_, store::SqliteConnection::Use::kRead);
  EXPECT_EQ(*(*connection)->QueryInt("PRAGMA freelist_count"), 0);
}

TEST_F(BackupTest, ABackupUnderLoadHoldsWhatWasAcknowledgedBefore) {
  const auto store = MustOpen();
  Fill(*store);
  std::atomic<bool> stop = false;
  std::atomic<int64_t> acknowledged = 0;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const auto written =
          Commit(*store, Say(absl::StrCat("w", i), {Item(absl::StrCat("o", i % 50), "flag", true),
                                                    Item("york", "flag", i % 2 == 0)}));
      ASSERT_TRUE(written.ok()) << written.status();
      acknowledged = written->revision;
    }
  });
  for (int i = 0; i < 10; ++i) {
    absl::SleepFor(absl::Milliseconds(20));
    const int64_t before = acknowledged;
    const auto report = Backup(uri_, PathOf(absl::StrCat("copy", i).c_str()), Verified());
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->fsck->ok());
    EXPECT_GE(report->head.revision, before);
  }
  stop = true;
  writer.join();
}

TEST_F(BackupTest, ARestoredRecordIsTheSameOfALaterIncarnation) {
  const auto store = MustOpen();
  Fill(*store);
  ASSERT_TRUE(Backup(uri_, PathOf("copy.db"), Verified()).ok());

  const auto report = Restore(PathOf("copy.db"), UriOf("new.db"), &wire::ItemDigest);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->restored.store, store->GetIdentity().store);
  EXPECT_GE(report->restored.incarnation, absl::ToUnixSeconds(absl::Now()) - 60);
  EXPECT_EQ(Everything(UriOf("new.db")), Everything(uri_));
  EXPECT_TRUE(MustCheck(UriOf("new.db")).ok());
  const auto restored = store::OpenStore(UriOf("new.db"));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->GetIdentity().incarnation, report->restored.incarnation);
  EXPECT_EQ(*(*restored)->Head(store::kForever), 7);
  EXPECT_EQ(Commit(**restored, Say("8", {Item("york", "flag", true)}))->revision, 8);

  // Of a backup of that one again: later still.
  ASSERT_TRUE(Backup(UriOf("new.db"), PathOf("copy2.db"), Verified()).ok());
  const auto again = Restore(PathOf("copy2.db"), UriOf("new2.db"), &wire::ItemDigest);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_GT(again->restored.incarnation, report->restored.incarnation);
}

TEST_F(BackupTest, ARestoreFillsOnlyWhatIsEmpty) {
  const auto store = MustOpen();
  Fill(*store);
  ASSERT_TRUE(Backup(uri_, PathOf("copy.db"), Verified()).ok());
  const auto before = Everything(uri_);
  EXPECT_EQ(ReasonOf(Restore(PathOf("copy.db"), uri_, &wire::ItemDigest).status()),
            "STORE_NOT_EMPTY");
  EXPECT_EQ(Everything(uri_), before);
  EXPECT_EQ(ReasonOf(Restore(PathOf("copy.db"), "memory:", &wire::ItemDigest).status()),
            "STORE_URI");
  EXPECT_EQ(ReasonOf(Restore(PathOf("none.db"), UriOf("new.db"), &wire::ItemDigest).status()),
            "FILE_MISSING");
  EXPECT_FALSE(fs::exists(PathOf("new.db")));

  ASSERT_TRUE(Migrate(UriOf("migrated.db")).ok());
  EXPECT_TRUE(Restore(PathOf("copy.db"), UriOf("migrated.db"), &wire::ItemDigest).ok());
}

TEST_F(BackupTest, ADamagedBackupRestoresNothing) {
  Fill(*MustOpen());
  ASSERT_TRUE(Backup(uri_, PathOf("copy.db"), Verified()).ok());
  path_ = PathOf("copy.db");
  Tamper("DELETE FROM evidence_current");
  const auto report = Restore(PathOf("copy.db"), UriOf("new.db"), &wire::ItemDigest);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->fsck.faults_total, 7);
  EXPECT_FALSE(fs::exists(PathOf("new.db")));
}

}  // namespace
}  // namespace starratings::upkeep
