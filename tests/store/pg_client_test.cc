// How the PostgreSQL store finds its database and keeps at it: hosts that do not
// answer, accept no writes or go away, conflicts, and COMMITs that nobody
// answers.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/store/pg_client_fixture.h"

namespace starratings::store {
namespace {

using Verdict = PostgresProxy::Verdict;

// `uri` with other hosts before its own, which is 127.0.0.1.
std::string Behind(const std::vector<int>& ports, const PostgresProxy& proxy) {
  std::string uri = proxy.uri();
  std::string hosts;
  for (const int port : ports) absl::StrAppend(&hosts, "127.0.0.1:", port, ",");
  return uri.insert(uri.find('@') + 1, hosts);
}

class Counts : public StoreObserver {
 public:
  void OnRetry(absl::string_view sqlstate) override {
    const std::lock_guard lock(mutex_);
    retries_.emplace_back(sqlstate);
  }
  void OnReconnect() override { ++reconnects; }
  std::vector<std::string> retries() {
    const std::lock_guard lock(mutex_);
    return retries_;
  }
  std::atomic<int> reconnects = 0;

 private:
  std::mutex mutex_;
  std::vector<std::string> retries_;
};

TEST_F(PgClientTest, AHostThatNeverAnswersCostsItsTimeAndNoMore) {
  const auto silent = PostgresProxy::Start(database_->uri()).value();
  silent->Ask([](const auto&) { return Verdict::kFreeze; });
  const absl::Time begun = absl::Now();

  const auto store = Open(Behind({silent->port()}, *proxy_));

  EXPECT_GE(absl::Now() - begun, absl::Seconds(1.9));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(4));
  EXPECT_EQ(silent->connections(), 1);
  EXPECT_TRUE(Commit(*store, SayOne("1", 1), In(10'000)).ok());
}

TEST_F(PgClientTest, AHostThatAcceptsNoWritesIsPassedBy) {
  const auto standby = cluster_->NewDatabase().value();
  {
    const auto session = PostgresSession::Open(standby->uri()).value();
    ASSERT_TRUE(session
                    ->Execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
                              " default_transaction_read_only = on', current_database()); END $$")
                    .ok());
  }
  const auto first = PostgresProxy::Start(standby->uri()).value();

  const auto store = Open(Behind({first->port()}, *proxy_));

  EXPECT_TRUE(Commit(*store, SayOne("1", 1), In(5'000)).ok());
  EXPECT_GE(first->connections(), 1);
  EXPECT_EQ(Open(database_->uri())->GetIdentity().store, store->GetIdentity().store);
  // Alone it is no record that can be used.
  EXPECT_EQ(ReasonOf(OpenStore(first->uri()).status()), "UNAVAILABLE STORE_UNAVAILABLE");
}

TEST_F(PgClientTest, AHostThatIsNotThereIsPassedBy) {
  int port = 0;
  port = PostgresProxy::Start(database_->uri()).value()->port();  // Closed again.
  const auto store = Open(Behind({port}, *proxy_));
  EXPECT_TRUE(Commit(*store, SayOne("1", 1), In(5'000)).ok());
}

TEST_F(PgClientTest, ConnectionsThatAreLostAreMadeAnew) {
  Counts counts;
  StoreOptions options;
  options.observer = &counts;
  const auto store = OpenStore(proxy_->uri(), options).value();
  ASSERT_TRUE(Commit(*store, SayOne("1", 1), In(5'000)).ok());
  ASSERT_EQ(*store->Head(In(5'000)), 1);

  for (int i = 2; i < 5; ++i) {
    if (i % 2 == 0) {
      proxy_->CutAll();
      absl::SleepFor(absl::Milliseconds(100));
    } else {
      ASSERT_TRUE(Session()
                      ->Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                                " datname = current_database() AND pid <> pg_backend_pid()")
                      .ok());
    }
    const auto head = store->Head(In(5'000));
    EXPECT_TRUE(head.ok()) << head.status();
    const auto item = store->ReadItem({"hull", "2001-02", "a", ""}, i - 1, In(5'000));
    EXPECT_TRUE(item.ok()) << item.status();
    const auto written = Commit(*store, SayOne(absl::StrCat(i), i), In(5'000));
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(written->revision, i);
    EXPECT_FALSE(written->replayed);
  }
  EXPECT_GT(counts.reconnects, 0);
}

// Of another who has the head for a while: 55P03 after five seconds.
TEST_F(PgClientTest, ALockThatIsTakenIsWaitedForAndTriedAgain) {
  Counts counts;
  StoreOptions options;
  options.observer = &counts;
  const auto store = OpenStore(proxy_->uri(), options).value();
  const auto session = Session();
  ASSERT_TRUE(session->Execute("BEGIN; SELECT * FROM log_head FOR UPDATE").ok());
  std::thread release([&] {
    absl::SleepFor(absl::Seconds(6));
    EXPECT_TRUE(session->Execute("ROLLBACK").ok());  // It was not ended: it is no store's.
  });
  const auto written = Commit(*store, SayOne("1", 1), In(20'000));
  release.join();
  EXPECT_TRUE(written.ok()) << written.status();
  EXPECT_THAT(counts.retries(), testing::Contains("55P03"));
}

// Whatever the database says, raised where a group is inserted.
class PgRefusalTest : public PgClientTest {
 protected:
  // The first `times` inserts fail; the sequence counts them, whatever is
  // rolled back.
  void Fail(const std::string& sqlstate, int times) {
    ASSERT_TRUE(
        Session()
            ->Execute(absl::StrCat("CREATE SEQUENCE failures;"
                                   "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$"
                                   " BEGIN IF nextval('failures') <= ",
                                   times, " THEN RAISE EXCEPTION 'no' USING ERRCODE = '", sqlstate,
                                   "'; END IF; RETURN NEW; END $$;"
                                   "CREATE TRIGGER fail BEFORE INSERT ON commits FOR EACH ROW"
                                   " EXECUTE FUNCTION fail()"))
            .ok());
  }
};

TEST_F(PgRefusalTest, ConflictsAreTriedAgain) {
  for (const char* sqlstate : {"40001", "40P01"}) {
    database_ = cluster_->NewDatabase().value();
    Fail(sqlstate, 3);
    Counts counts;
    StoreOptions options;
    options.observer = &counts;
    const auto store = OpenStore(database_->uri(), options).value();
    const auto written = Commit(*store, SayOne("1", 1), In(10'000));
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(written->revision, 1);
    EXPECT_FALSE(written->replayed);
    EXPECT_EQ(counts.retries(), std::vector<std::string>(3, sqlstate));
  }
}

// What was refused before COMMIT was rolled back: that is known.
TEST_F(PgRefusalTest, AFullDiskIsNoUnknownOutcome) {
  Fail("53100", 1'000'000);
  const auto store = Open(database_->uri());
  const auto written = Commit(*store, SayOne("1", 1), In(1'000));
  EXPECT_EQ(ReasonOf(written.status()), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(*store->Head(In(5'000)), 0);
  ASSERT_TRUE(Session()->Execute("DROP TRIGGER fail ON commits").ok());
  EXPECT_EQ(Commit(*store, SayOne("1", 1), In(5'000))->revision, 1);
}

// Two chunks of ratings that meet each other's rows in opposite orders cannot
// be made by the store; another session can.
TEST_F(PgRefusalTest, ADeadlockIsTriedAgain) {
  const auto store = Open(database_->uri());
  ASSERT_TRUE(store->StageRatings("may", "one", 1, {{"hull", "a"}}, In(5'000)).ok());
  const auto session = Session();
  ASSERT_TRUE(session
                  ->Execute("SET deadlock_timeout = '10s'; BEGIN;"
                            "LOCK TABLE heartbeat IN ACCESS EXCLUSIVE MODE")
                  .ok());
  // The store's statement takes its row, and then waits for ours.
  ASSERT_TRUE(Session()
                  ->Execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                            " PERFORM * FROM heartbeat; RETURN OLD; END $$;"
                            "CREATE TRIGGER wait AFTER DELETE ON ratings FOR EACH ROW"
                            " EXECUTE FUNCTION wait()")
                  .ok());
  absl::Status staged;
  std::thread stage([&] {
    staged = store->StageRatings("may", "one", 1, {{"hull", "b"}}, In(20'000));
  });
  absl::SleepFor(absl::Milliseconds(300));
  // Now each waits for the other; the store's session notices after a second.
  EXPECT_TRUE(session->Execute("UPDATE ratings SET content = 'c'").ok());
  EXPECT_TRUE(session->Execute("COMMIT").ok());
  stage.join();
  EXPECT_TRUE(staged.ok()) << staged;
  EXPECT_EQ(store->ReadRating("may", "one", "hull", In(5'000))->value().content, "b");
}

// The wire is cut when the client says COMMIT: before the database hears of it,
// or when it has done it and says so.
class PgCommitTest : public PgClientTest, public testing::WithParamInterface<bool> {
 protected:
  // Cuts `times` connections; then passes everything, or nothing at all.
  void CutAtCommit(int times, Verdict then) {
    cuts_ = 0;
    proxy_->Ask([this, times, then](const PostgresProxy::Bytes& bytes) {
      if (cuts_ >= times) return then;
      const absl::string_view commit = GetParam() ? absl::string_view("COMMIT\0", 7) : "COMMIT";
      if (bytes.to_server == GetParam() || !absl::StrContains(bytes.bytes, commit)) {
        return Verdict::kPass;
      }
      ++cuts_;
      return Verdict::kCut;
    });
  }

  std::atomic<int> cuts_ = 0;
};

TEST_P(PgCommitTest, ALostAnswerIsLookedUp) {
  const auto store = Open(proxy_->uri());
  CutAtCommit(1, Verdict::kPass);

  const auto written = Commit(*store, SayOne("1", 1), In(10'000));

  EXPECT_EQ(cuts_, 1);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->revision, 1);
  EXPECT_THAT(written->etags, testing::ElementsAre("1.1"));
  EXPECT_FALSE(written->replayed) << "it was not there before this call";
  EXPECT_EQ(*store->Head(In(5'000)), 1);
}

TEST_P(PgCommitTest, AnAnswerThatNobodyCanGiveIsUnknown) {
  const auto store = Open(proxy_->uri());
  CutAtCommit(1, Verdict::kCut);

  const auto written = Commit(*store, SayOne("1", 1), In(1'500));

  EXPECT_EQ(ReasonOf(written.status()), "UNAVAILABLE OUTCOME_UNKNOWN");
  // Sent again as it is, it is there once: as a replay if COMMIT was heard.
  proxy_->Ask(nullptr);
  const auto again = Commit(*store, SayOne("1", 1), In(10'000));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->revision, 1);
  EXPECT_EQ(again->replayed, !GetParam() ? false : true);
  EXPECT_EQ(*store->Head(In(5'000)), 1);
}

// A database that cannot promise durability on its standby warns at COMMIT, and
// the write is not acknowledged by that.
TEST_P(PgCommitTest, AWarningAtCommitIsNoAcknowledgement) {
  if (!GetParam()) GTEST_SKIP() << "says nothing of the wire";
  ASSERT_TRUE(Session()
                  ->Execute("CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                            " RAISE WARNING 'not on the standby'; RETURN NULL; END $$;"
                            "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON commits DEFERRABLE"
                            " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn()")
                  .ok());
  const auto store = Open(proxy_->uri());
  // It is settled by the second look, which warns of nothing.
  const auto written = Commit(*store, SayOne("1", 1), In(10'000));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->revision, 1);
  EXPECT_EQ(*store->Head(In(5'000)), 1);
  // If nothing vouches for it, it is unknown.
  const auto blocker = Session();
  ASSERT_TRUE(blocker->Execute("BEGIN; UPDATE heartbeat SET beat = beat").ok());
  const auto unknown = Commit(*store, SayOne("2", 2), In(1'500));
  EXPECT_EQ(ReasonOf(unknown.status()), "UNAVAILABLE OUTCOME_UNKNOWN");
}

INSTANTIATE_TEST_SUITE_P(Cut, PgCommitTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "After" : "Before"; });

}  // namespace
}  // namespace starratings::store
