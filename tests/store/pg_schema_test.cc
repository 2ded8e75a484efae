// What PostgreSQL itself refuses, whoever asks.
#include "tests/store/pg_client_fixture.h"

namespace starratings::store {
namespace {

TEST_F(PgClientTest, EveryTableOfTheLogRefusesUpdateDeleteAndTruncate) {
  ASSERT_TRUE(Commit(*Open(database_->uri()), SayOne("1", 1), kForever).ok());
  const auto session = Session();
  // What is made from the log, and what is no part of it.
  const auto tables = session->Run(
      "SELECT c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = 2)"
      " FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
      " AND c.relname NOT IN ('evidence_current', 'evidence_past', 'ratings', 'imports',"
      " 'heartbeat', 'log_head', 'schema_info') ORDER BY 1");
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->size(), 12u);
  for (const PostgresSession::Row& table : *tables) {
    const std::string& name = table[0];
    for (const std::string& change :
         {absl::StrCat("UPDATE ", name, " SET ", table[1], " = ", table[1]),
          absl::StrCat("DELETE FROM ", name), absl::StrCat("TRUNCATE ", name, " CASCADE")}) {
      // A nonce may be erased, and nothing else.
      if (change == "DELETE FROM nonces") continue;
      const absl::Status refused = session->Execute(change);
      EXPECT_TRUE(absl::StrContains(refused.message(), "the log is never updated"))
          << change << ": " << refused;
    }
  }
  EXPECT_TRUE(session->Execute("DELETE FROM nonces").ok());
}

}  // namespace
}  // namespace starratings::store
