// What is SQLite's own: its guards, its errors, other processes. What every
// store does is in tests/store.
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/sqlite_fixture.h"

namespace starratings::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(SqliteStoreTest, AFileReopenedKeepsEverything) {
  Identity identity;
  const Write write = Say("1", {Draft("hull", 5)});
  {
    const auto store = MustOpen();
    identity = store->GetIdentity();
    ASSERT_TRUE(Commit(*store, write).ok());
    ASSERT_TRUE(store->StageRatings("may", "one", 0, {{"hull", "content"}}, kForever).ok());
  }
  const auto store = MustOpen();

  EXPECT_EQ(store->GetIdentity().store, identity.store);
  EXPECT_EQ(*store->Head(kForever), 1);
  EXPECT_TRUE(store->ReadItem({"hull", "2001-02", "a", ""}, 1, kForever)->has_value());
  EXPECT_TRUE(store->ReadRating("may", "one", "hull", kForever)->has_value());
  const auto again = Commit(*store, write);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->replayed);
  EXPECT_THAT(again->etags, ElementsAre("1.1"));
}

TEST_F(SqliteStoreTest, TheLogRefusesUpdateAndDelete) {
  const auto store = MustOpen();
  ASSERT_TRUE(Commit(*store, Say("1", {Draft("hull", 5)})).ok());
  Write write = Say("2", {});
  Registration registration;
  registration.organisations = {{"hull", "Hull", "council", "", std::nullopt, std::nullopt}};
  registration.periods = {{"2001-02", evidence::Date(), evidence::Date(), ""}};
  registration.codes.resize(1);
  registration.codes[0].code.id = "a";
  registration.codes[0].code.levels = {"low"};
  write.body = registration;
  ASSERT_TRUE(Commit(*store, write).ok());
  write = Say("3", {});
  write.body = SchemeDraft{"england", "2002", std::string(64, 'a'), "text"};
  ASSERT_TRUE(Commit(*store, write).ok());
  write = Say("4", {});
  write.body = RoundAct{{"may", "frozen", 0}, {}, {"hull"}, {}};
  ASSERT_TRUE(Commit(*store, write).ok());

  for (const char* table :
       {"commits", "evidence_log", "sources", "schemes", "rounds", "organisations", "periods",
        "codes", "code_levels", "round_organisations"}) {
    // Of the first column, so that the statement is right in every table.
    auto connection = SqliteConnection::Open(path_, SqliteConnection::Use::kWrite);
    auto query = (*connection)->Query("SELECT name FROM pragma_table_info(?1)", std::string(table));
    ASSERT_TRUE(*query->Step());
    const std::string column = query->Text(0);
    EXPECT_GT(*(*connection)->QueryInt(absl::StrCat("SELECT count(*) FROM ", table)), 0) << table;
    EXPECT_FALSE(
        Execute(absl::StrCat("UPDATE ", table, " SET ", column, " = ", column).c_str()).ok())
        << table;
    EXPECT_FALSE(Execute(absl::StrCat("DELETE FROM ", table).c_str()).ok()) << table;
    EXPECT_FALSE(
        Execute(absl::StrCat("REPLACE INTO ", table, " SELECT * FROM ", table).c_str()).ok())
        << table;
  }
}

TEST_F(SqliteStoreTest, TheDatabaseHoldsAValueOrAReasonNeverBothOrNeither) {
  const auto store = MustOpen();
  ASSERT_TRUE(Commit(*store, Say("1", {Draft("hull", 5)})).ok());
  const auto insert = [&](const std::string& values) {
    return Execute(absl::StrCat("INSERT INTO evidence_log (revision, ord, organisation, period,"
                                " code, instance, ordinal, source, digest, decimal, numerator,"
                                " denominator, missing) VALUES (1, 1, 'x', 'p', 'c', '', 1, 1,"
                                " zeroblob(32), ",
                                values, ")")
                       .c_str());
  };

  EXPECT_FALSE(insert("NULL, NULL, NULL, NULL").ok());
  EXPECT_FALSE(insert("1, NULL, NULL, 1").ok());
  EXPECT_FALSE(insert("NULL, 1, NULL, NULL").ok());
  EXPECT_FALSE(insert("NULL, 1, 0, NULL").ok());
  EXPECT_FALSE(insert("NULL, NULL, NULL, 6").ok());
  EXPECT_FALSE(insert("1.5, NULL, NULL, NULL").ok());
  EXPECT_TRUE(insert("NULL, 1, 2, NULL").ok());
}

TEST_F(SqliteStoreTest, AWriteTheDatabaseRefusesLeavesNothingOfItselfInItsGroup) {
  const auto store = MustOpen();
  ASSERT_TRUE(Execute("CREATE TRIGGER refuse BEFORE INSERT ON evidence_log"
                      " WHEN NEW.organisation = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
                  .ok());
  const std::vector<Write> group = {Say("1", {Draft("hull", 1)}),
                                    Say("2", {Draft("leeds", 2), Draft("bad", 2)}),
                                    Say("3", {Draft("york", 3)})};

  const auto answers = store->CommitGroup(group, kForever);

  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_EQ((*answers)[0]->revision, 1);
  EXPECT_EQ((*answers)[1].status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ((*answers)[2]->revision, 2);
  EXPECT_EQ(store->ListItems({}, {}, 10, 2, kForever)->size(), 2u);
  EXPECT_EQ(*store->Head(kForever), 2);
}

TEST_F(SqliteStoreTest, TwoProcessesShareARecord) {
  const auto first = MustOpen();
  const auto second = MustOpen();
  std::atomic<int> accepted = 0;
  std::vector<std::thread> writers;
  for (EvidenceStore* store : {first.get(), second.get()}) {
    writers.emplace_back([&, store] {
      for (int i = 0; i < 50; ++i) {
        const std::string id = absl::StrCat(store == first.get() ? "a" : "b", i);
        if (Commit(*store, Say(id, {Draft("hull", i)})).ok()) ++accepted;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();

  EXPECT_EQ(accepted, 100);
  EXPECT_EQ(*first->Head(kForever), 100);
  EXPECT_EQ(*second->Head(kForever), 100);
  EXPECT_EQ(first->ReadHistory({"hull", "2001-02", "a", ""}, 101, 1'000, kForever)->size(), 100u);
  // A request that one has written, the other knows.
  EXPECT_TRUE(Commit(*second, Say("a7", {Draft("hull", 7)}))->replayed);
}

TEST_F(SqliteStoreTest, AWriteThatCannotGetTheLockGivesUpAtItsDeadline) {
  const auto store = MustOpen();
  auto other = SqliteConnection::Open(path_, SqliteConnection::Use::kWrite);
  auto held = SqliteTransaction::Begin(**other, SqliteConnection::Use::kWrite);
  ASSERT_TRUE(held.ok());

  const auto late =
      Commit(*store, Say("1", {Draft("hull", 1)}), absl::Now() + absl::Milliseconds(50));

  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded) << late.status();
  EXPECT_EQ(*store->Head(absl::Now() + absl::Seconds(5)), 0);  // Readers do not wait.
  ASSERT_TRUE(held->Commit().ok());
  EXPECT_TRUE(Commit(*store, Say("1", {Draft("hull", 1)})).ok());
}

TEST_F(SqliteStoreTest, ReadersSeeWholeRevisionsWhileOneWrites) {
  const auto store = MustOpen();
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      while (!stop) {
        const int64_t head = *store->Head(kForever);
        const auto items = store->ListItems({}, {}, 1'000, head, kForever);
        ASSERT_TRUE(items.ok()) << items.status();
        ASSERT_EQ(items->size(), head == 0 ? 0u : 10u);
        for (const auto& item : *items) ASSERT_EQ(item.revision, head);
      }
    });
  }
  for (int i = 1; i <= 50; ++i) {
    std::vector<EvidenceDraft> drafts;
    for (int org = 0; org < 10; ++org) drafts.push_back(Draft(absl::StrCat("o", org), i));
    ASSERT_TRUE(Commit(*store, Say(absl::StrCat(i), drafts)).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(SqliteStoreTest, AReadStopsAtItsDeadline) {
  const auto store = MustOpen();
  std::vector<EvidenceDraft> drafts;
  for (int i = 0; i < 5'000; ++i) drafts.push_back(Draft(absl::StrCat("o", i), i));
  ASSERT_TRUE(Commit(*store, Say("1", drafts)).ok());

  const auto items = store->ListItems({}, {}, 10'000, 1, absl::Now() + absl::Microseconds(200));

  EXPECT_EQ(items.status().code(), absl::StatusCode::kDeadlineExceeded) << items.status();
  EXPECT_EQ(store->ListItems({}, {}, 10'000, 1, kForever)->size(), 5'000u);
}

TEST_F(SqliteStoreTest, TheLogsTimeDoesNotGoBackWithTheClock) {
  const auto store = MustOpen();
  constexpr int64_t kFarFuture = 7'000'000'000'000'000;
  ASSERT_TRUE(Execute(absl::StrCat("INSERT INTO commits VALUES (1, ", kFarFuture,
                                   ", 'ann', '', 'r0', zeroblob(32), '', 'evidence', 0,"
                                   " zeroblob(32)); UPDATE log_head SET revision = 1")
                          .c_str())
                  .ok());
  ASSERT_EQ(Commit(*store, Say("1", {Draft("hull", 1)}))->revision, 2);

  const auto item = store->ReadItem({"hull", "2001-02", "a", ""}, 2, kForever);

  EXPECT_EQ((*item)->recorded_at_us, kFarFuture);
}

TEST_F(SqliteStoreTest, AnyProgramCanCheckTheHashesOfACommit) {
  const auto store = MustOpen();
  Write write = Say("1", {Draft("hull", 1)});
  write.reason = "First return";
  ASSERT_TRUE(Commit(*store, write).ok());
  auto connection = SqliteConnection::Open(path_, SqliteConnection::Use::kRead);
  auto query = (*connection)
                   ->Query(
                       "SELECT nonce, request_hash, leaf_hash, time_us FROM commits"
                       " JOIN nonces USING (revision)");
  ASSERT_TRUE(*query->Step());
  Nonce nonce;
  std::copy_n(query->View(0).begin(), nonce.size(), nonce.begin());
  const auto hex = [&](int column) { return absl::BytesToHexString(query->View(column)); };

  const digest::Digest request_hash = RequestHash(nonce, write.payload);
  const store::Commit commit = {1, "ann", "", "First return", query->Int(3)};

  EXPECT_EQ(hex(1), digest::ToHex(request_hash));
  EXPECT_EQ(hex(2), digest::ToHex(LeafHash(commit, "1", request_hash)));
}

TEST_F(SqliteStoreTest, ADamagedFileIsDataLossNotAWrongAnswer) {
  MustOpen().reset();
  const auto size = std::filesystem::file_size(path_);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096);
    file << std::string(size - 4'096, 'x');
  }
  EXPECT_EQ(ReasonOfOpening(), "DATA_LOSS STORE_CORRUPT");
}

TEST_F(SqliteStoreTest, WhatTheDatabaseSaysNeverReachesACaller) {
  MustOpen().reset();
  auto connection = SqliteConnection::Open(path_, SqliteConnection::Use::kWrite);
  const auto code = [&](int result) {
    const absl::Status error = (*connection)->ToStatus(result);
    EXPECT_THAT(std::string(error.message()), Not(HasSubstr(path_)));
    return absl::StrCat(absl::StatusCodeToString(error.code()), " ",
                        status::DetailOf(error).reason);
  };

  EXPECT_EQ(code(SQLITE_FULL), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(code(SQLITE_IOERR_FSYNC), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(code(SQLITE_CANTOPEN), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(code(SQLITE_CORRUPT), "DATA_LOSS STORE_CORRUPT");
  EXPECT_EQ(code(SQLITE_CONSTRAINT_UNIQUE), "DATA_LOSS STORE_CORRUPT");
  EXPECT_EQ(code(SQLITE_INTERRUPT), "DEADLINE_EXCEEDED DEADLINE");
  const absl::Status error = (*connection)->Execute("SELECT secret FROM nowhere");
  EXPECT_EQ(error.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(error.message()), Not(HasSubstr("nowhere")));
}

TEST_F(SqliteStoreTest, ANonceMayBeErasedAndThenTheRequestIdAnswersNobody) {
  const auto store = MustOpen();
  const Write write = Say("1", {Draft("hull", 5)});
  ASSERT_TRUE(Commit(*store, write).ok());
  ASSERT_TRUE(Execute("DELETE FROM nonces").ok());

  EXPECT_EQ(status::DetailOf(Commit(*store, write).status()).reason, "REQUEST_ID_REUSED");
}

TEST_F(SqliteStoreTest, ARecordReplacedByAnotherIsNotReady) {
  const auto store = MustOpen();
  ASSERT_TRUE(store->CheckReady(kForever).ok());
  ASSERT_TRUE(Execute("UPDATE log_head SET incarnation = 2").ok());

  EXPECT_EQ(store->CheckReady(kForever).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace starratings::store
