// A primary that was deposed, and does not know it: it answers whoever stayed
// connected, cannot commit, and lacks what its successor has acknowledged.
#include <atomic>
#include <thread>

#include "tests/store/pg_client_fixture.h"

namespace starratings::store {
namespace {

class PgDeposedTest : public PgClientTest {
 protected:
  // A record with one revision, and one that was copied from it then: the
  // successor. The store is connected to the first, over the wire.
  void SetUp() override {
    PgClientTest::SetUp();
    if (IsSkipped()) return;
    {
      const auto first = Open(database_->uri());
      ASSERT_TRUE(Commit(*first, SayOne("1", 1), kForever).ok());
    }
    auto copied = cluster_->NewCopyOf(*database_);
    ASSERT_TRUE(copied.ok()) << copied.status();
    successor_ = *std::move(copied);
    store_ = Open(proxy_->uri());
    ASSERT_TRUE(store_->CheckReady(In(10'000)).ok());
    ASSERT_TRUE(Commit(*store_, SayOne("1", 1), In(5'000)).ok());  // Connects the writer.
  }

  // Whoever is connected stays; nothing becomes durable there.
  void Depose() {
    blocker_ = Session();
    ASSERT_TRUE(
        blocker_->Execute("BEGIN; SELECT * FROM log_head; UPDATE heartbeat SET beat = beat").ok());
    proxy_->LeadTo(successor_->uri());
    absl::SleepFor(absl::Seconds(1));  // What vouched for it is too old now.
  }

  std::unique_ptr<PostgresDatabase> successor_;
  std::unique_ptr<PostgresSession> blocker_;
  std::unique_ptr<EvidenceStore> store_;
};

// Nothing of it would have been written: but its answer would be of the past.
TEST_F(PgDeposedTest, ItRefusesNothingAndValidatesNothing) {
  Depose();
  // On the successor it is accepted.
  const auto successor = Open(successor_->uri());
  ASSERT_TRUE(Commit(*successor, SayOne("2", 2, Etag("1.1")), kForever).ok());
  Write validation = SayOne("3", 3, Etag("2.2"));
  validation.validate_only = true;

  const auto validated = Commit(*store_, validation, In(20'000));
  EXPECT_TRUE(validated.ok()) << validated.status();
  const auto refused = Commit(*store_, SayOne("4", 4, Etag("1.1")), In(20'000));

  EXPECT_EQ(ReasonOf(refused.status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(status::DetailOf(refused.status()).metadata["etag"], "2.2");
}

TEST_F(PgDeposedTest, WhatItRefusesDoesNotMakeItsHeadFresh) {
  Depose();
  const absl::Time begun = absl::Now();
  const auto refused = Commit(*store_, SayOne("4", 4, Etag("9.9")), In(800));
  EXPECT_TRUE(absl::IsUnavailable(refused.status()) || absl::IsDeadlineExceeded(refused.status()))
      << refused.status();
  EXPECT_LT(store_->GetKnownHead().as_of, begun - absl::Milliseconds(500));
}

// This process knows that more was acknowledged than this database has.
TEST_F(PgDeposedTest, ALowerHeadThanOneSeenIsNotWrittenTo) {
  for (int i = 2; i < 5; ++i) {
    ASSERT_TRUE(Commit(*store_, SayOne(absl::StrCat(i), i), In(5'000)).ok());
  }
  proxy_->LeadTo(successor_->uri());  // It ends at revision 1.
  proxy_->CutAll();
  EXPECT_EQ(ReasonOf(Commit(*store_, SayOne("9", 9), In(1'000)).status()),
            "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(*Open(successor_->uri())->Head(kForever), 1);
  proxy_->LeadTo(database_->uri());
  const auto written = Commit(*store_, SayOne("9", 9), In(5'000));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->revision, 5);
}

// Reads that name no revision say what the record holds now.
TEST_F(PgDeposedTest, ReadsWithoutARevisionAskTheSuccessor) {
  // Connections that read are open, to the first.
  ASSERT_TRUE(store_->ListRounds(INT64_MAX, 10, In(5'000)).ok());
  Depose();
  const auto successor = Open(successor_->uri());
  const std::string digest(64, 'a');
  ASSERT_TRUE(
      Commit(*successor, WriteOf("s", SchemeDraft{"england", "2002", digest, "text"}), kForever)
          .ok());
  ASSERT_TRUE(
      Commit(*successor, WriteOf("r", RoundAct{{"may", "open", 0}, {}, {}, {}}), kForever).ok());
  ASSERT_TRUE(Commit(*successor, SayOne("2", 2), kForever).ok());
  ASSERT_TRUE(successor->NoteImport({"i", "ann", "file", 1, 2, 3}, kForever).ok());

  const evidence::ItemKey key = {"hull", "2001-02", "a", ""};
  EXPECT_EQ(Must(store_->ReadHistory(key, INT64_MAX, 10, In(20'000))).size(), 2u);
  EXPECT_EQ(Must(store_->ListRounds(INT64_MAX, 10, In(5'000))).size(), 1u);
  EXPECT_TRUE(Must(store_->ReadScheme(digest, In(5'000))).has_value());
  EXPECT_EQ(Must(store_->ListImports(0, In(5'000))).size(), 1u);
  EXPECT_EQ(Must(store_->ReadHistory(key, 2, 10, In(5'000))).size(), 1u);
}

// Each of them, where it is the first to ask.
TEST_F(PgDeposedTest, EachReadWithoutARevisionAsksByItself) {
  const evidence::ItemKey key = {"hull", "2001-02", "a", ""};
  const std::string digest(64, 'a');
  Depose();
  const std::function<absl::Status()> reads[] = {
      [&] { return store_->ReadHistory(key, INT64_MAX, 10, In(700)).status(); },
      [&] { return store_->ListRounds(INT64_MAX, 10, In(700)).status(); },
      [&] { return store_->ReadScheme(digest, In(700)).status(); },
      [&] { return store_->ListImports(0, In(700)).status(); },
  };
  proxy_->LeadTo(database_->uri());  // There is no successor yet.
  for (const auto& read : reads) {
    const absl::Status refused = read();
    EXPECT_TRUE(absl::IsUnavailable(refused) || absl::IsDeadlineExceeded(refused)) << refused;
  }
}

// Who is in a hurry is answered in time, and does not cost the others the
// connection.
TEST_F(PgDeposedTest, TheHeadIsAskedWithinTheCallersTime) {
  proxy_->Ask([](const auto&) { return PostgresProxy::Verdict::kFreeze; });
  for (int i = 0; i < 3; ++i) {
    const absl::Time begun = absl::Now();
    const auto head = store_->Head(In(100));
    EXPECT_TRUE(absl::IsDeadlineExceeded(head.status()) || absl::IsUnavailable(head.status()));
    EXPECT_LT(absl::Now() - begun, absl::Milliseconds(400));
  }
  // Who has time is told that the database does not answer; or, once it does,
  // the head.
  std::thread thaw([&] {
    absl::SleepFor(absl::Seconds(3));
    proxy_->Ask(nullptr);
  });
  const auto head = store_->Head(In(15'000));
  thaw.join();
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(*head, 1);
}

TEST_F(PgDeposedTest, ADatabaseThatDoesNotAnswerIsUnavailable) {
  proxy_->Ask([](const auto&) { return PostgresProxy::Verdict::kFreeze; });
  EXPECT_EQ(ReasonOf(store_->Head(In(4'000)).status()), "UNAVAILABLE STORE_UNAVAILABLE");
}

// Connections that read and are frozen are given up long before their callers'
// time is.
TEST_F(PgDeposedTest, AReadThatIsNotAnsweredIsTriedElsewhere) {
  ASSERT_TRUE(store_->ListItems({}, {}, 10, 1, In(5'000)).ok());
  const int seen = proxy_->connections();
  proxy_->Ask([seen](const PostgresProxy::Bytes& bytes) {
    return bytes.connection < seen ? PostgresProxy::Verdict::kFreeze
                                   : PostgresProxy::Verdict::kPass;
  });
  const absl::Time begun = absl::Now();
  const auto items = store_->ListItems({}, {}, 10, 1, In(60'000));
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_EQ(items->size(), 1u);
  EXPECT_LT(absl::Now() - begun, absl::Seconds(15));
}

}  // namespace
}  // namespace starratings::store
