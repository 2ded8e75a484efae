// A process that stops in the middle of a write, and keeps its connection, holds
// up the others for some seconds and not for ever.
#include <atomic>
#include <memory>
#include <thread>

#include "tests/store/pg_client_fixture.h"

namespace starratings::store {
namespace {

// Where it stops. The wire freezes: so does its process, as the database sees it.
struct Stop {
  const char* name;
  int items;
  const char* after;  // Once the client has sent, or got, this ...
  bool to_server;
  size_t bytes;            // ... and so many bytes in all, in that direction.
  const char* wait_event;  // What the database waits for then.
};

void PrintTo(const Stop& stop, std::ostream* out) { *out << stop.name; }

class PgFrozenTest : public PgClientTest, public testing::WithParamInterface<Stop> {};

TEST_P(PgFrozenTest, OthersWriteOnWithinSeconds) {
  const auto frozen = Open(proxy_->uri());
  const auto other = Open(database_->uri());
  // What it will read under the lock.
  ASSERT_TRUE(Commit(*other, SayMany("before", 10'000), kForever).ok());
  // The proxy asks for longer than this test lasts.
  struct Seen {
    std::atomic<bool> has_stopped = false;
    bool is_after = false;
    size_t passed = 0;
  };
  const auto seen = std::make_shared<Seen>();
  const std::atomic<bool>& has_stopped = seen->has_stopped;
  proxy_->Ask([seen, stop = GetParam()](const PostgresProxy::Bytes& bytes) {
    if (bytes.to_server != stop.to_server || seen->has_stopped) {
      return PostgresProxy::Verdict::kPass;
    }
    seen->is_after = seen->is_after || absl::StrContains(bytes.bytes, stop.after);
    if (seen->is_after) seen->passed += bytes.bytes.size();
    if (seen->passed <= stop.bytes) return PostgresProxy::Verdict::kPass;
    seen->has_stopped = true;
    return PostgresProxy::Verdict::kFreeze;
  });
  absl::StatusOr<Written> late;
  Write write = SayMany("frozen", GetParam().items);
  if (GetParam().to_server && GetParam().items == 5'000) {
    for (EvidenceDraft& draft : std::get<EvidenceBatch>(write.body).items) {
      draft.item.key.code = "b";  // New items: those go by COPY.
    }
  }
  std::thread writer([&] { late = Commit(*frozen, write, In(60'000)); });
  for (int i = 0; i < 1'000 && !has_stopped; ++i) absl::SleepFor(absl::Milliseconds(10));
  ASSERT_TRUE(has_stopped);
  absl::SleepFor(absl::Milliseconds(300));
  const auto waits = Session()->Run(
      "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database()"
      " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()");
  ASSERT_TRUE(waits.ok()) << waits.status();
  EXPECT_EQ(waits->size(), 1u);
  EXPECT_EQ(waits->at(0).at(0), GetParam().wait_event);

  const absl::Time begun = absl::Now();
  const auto written = Commit(*other, SayOne("other", 1), In(20'000));

  EXPECT_TRUE(written.ok()) << written.status();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(10));
  // The one that stopped comes back, and its write is there, once.
  proxy_->Ask(nullptr);
  writer.join();
  ASSERT_TRUE(late.ok()) << late.status();
  EXPECT_EQ(late->revision, written->revision + 1);
}

INSTANTIATE_TEST_SUITE_P(
    Stops, PgFrozenTest,
    testing::Values(Stop{"HoldingTheHead", 1, "BEGIN", false, 0, "ClientRead"},
                    Stop{"AmidCopy", 5'000, "COPY evidence_log", true, 100'000, "ClientRead"},
                    Stop{"AmidAPipeline", 10'000, "FOR UPDATE", true, 200'000, "ClientRead"},
                    Stop{"NotReading", 10'000, "BEGIN", false, 100'000, "ClientWrite"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace starratings::store
