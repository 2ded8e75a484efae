#include "assessment-svc/upkeep/fsck.h"

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "assessment-svc/upkeep/upkeep_fixture.h"

namespace starratings::upkeep {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::set<std::string> CodesOf(const FsckReport& report) {
  std::set<std::string> codes;
  for (const Fault& fault : report.faults) codes.insert(fault.code);
  return codes;
}

TEST_F(UpkeepTest, ASoundRecordHasNoFaults) {
  Fill(*MustOpen());

  const FsckReport report = MustCheck(uri_);

  EXPECT_THAT(CodesOf(report), IsEmpty());
  EXPECT_EQ(report.head.revision, 7);
  EXPECT_EQ(report.commits, 7);
  EXPECT_EQ(report.items, 10);
  EXPECT_EQ(report.keys, 7);
  EXPECT_EQ(report.nonces_erased, 0);
  EXPECT_EQ(report.attempts_staged, 1);
}

TEST_F(UpkeepTest, AnEmptyRecordIsSound) {
  MustOpen();
  EXPECT_TRUE(MustCheck(uri_).ok());
}

TEST_F(UpkeepTest, AnErasedNonceIsCountedAndNoFault) {
  Fill(*MustOpen());
  ASSERT_TRUE(Execute("DELETE FROM nonces WHERE revision = 2").ok());
  const FsckReport report = MustCheck(uri_);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.nonces_erased, 1);
}

struct Planted {
  const char* sql;
  std::set<std::string> codes;  // Exactly these are found.
};

class PlantedFaultTest : public UpkeepTest, public testing::WithParamInterface<Planted> {};

TEST_P(PlantedFaultTest, IsFoundByName) {
  Fill(*MustOpen());
  Tamper(GetParam().sql);
  EXPECT_EQ(CodesOf(MustCheck(uri_)), GetParam().codes) << GetParam().sql;
}

const Planted kPlanted[] = {
    {"DELETE FROM commits WHERE revision = 5; DELETE FROM nonces WHERE revision = 5;"
     "DELETE FROM schemes",
     {"REVISION_MISSING"}},
    {"DELETE FROM commits WHERE revision = 3", {"REVISION_MISSING", "REFERENCE"}},
    {"UPDATE evidence_log SET revision = 9 WHERE revision = 4",
     {"ITEMS_COUNT", "REFERENCE", "PROJECTION_LACKS", "PROJECTION_EXTRA", "PROJECTION_DIFFERS"}},
    {"UPDATE log_head SET revision = 8", {"HEAD"}},
    {"UPDATE log_head SET revision = 6", {"HEAD"}},
    {"UPDATE commits SET time_us = 0 WHERE revision = 4", {"COMMIT_TIME", "LEAF_HASH"}},
    {"UPDATE commits SET reason = 'another' WHERE revision = 4", {"LEAF_HASH"}},
    {"UPDATE commits SET actor = 'eve' WHERE revision = 4", {"LEAF_HASH"}},
    {"UPDATE commits SET request_id = 'x' WHERE revision = 4", {"LEAF_HASH"}},
    {"UPDATE commits SET request_hash = zeroblob(32) WHERE revision = 4", {"LEAF_HASH"}},
    {"UPDATE commits SET leaf_hash = zeroblob(32) WHERE revision = 4", {"LEAF_HASH"}},
    {"UPDATE nonces SET nonce = zeroblob(15) WHERE revision = 4", {"NONCE", "DATABASE"}},
    {"UPDATE commits SET items = 3 WHERE revision = 3", {"ITEMS_COUNT"}},
    {"UPDATE evidence_log SET ord = 9 WHERE revision = 2 AND ord = 5", {"ITEMS_COUNT"}},
    {"UPDATE evidence_log SET decimal = 8 WHERE revision = 3 AND decimal = 7",
     {"ITEM_DIGEST", "PROJECTION_DIFFERS"}},
    {"UPDATE evidence_log SET observed_on = 1 WHERE revision = 2 AND ord = 0",
     {"ITEM_DIGEST", "PROJECTION_DIFFERS"}},
    {"UPDATE evidence_log SET authority = 'Nobody' WHERE revision = 2 AND ord = 0",
     {"ITEM_DIGEST", "PROJECTION_DIFFERS"}},
    {"UPDATE evidence_log SET expires_on = 99999 WHERE revision = 2 AND ord = 0",
     {"ITEM_DIGEST", "PROJECTION_DIFFERS"}},
    {"UPDATE evidence_past SET authority = NULL, expires_on = NULL WHERE code = 'decimal'",
     {"PROJECTION_DIFFERS"}},
    {"INSERT INTO scheme_approvals VALUES (6, (SELECT digest FROM schemes))", {"SCHEME_APPROVAL"}},
    {"INSERT INTO scheme_approvals VALUES (6, replace(hex(zeroblob(32)), '0', 'b'))",
     {"REFERENCE"}},
    // As cunning as can be without the leaf: a digest that fits.
    {"UPDATE evidence_log SET digest = zeroblob(32) WHERE revision = 4",
     {"ITEM_DIGEST", "PROJECTION_DIFFERS"}},
    {"UPDATE sources SET title = 'Another return'", {"ITEM_DIGEST"}},
    {"UPDATE evidence_log SET source = 9 WHERE revision = 4;"
     "UPDATE evidence_current SET source = 9 WHERE rev_from = 4",
     {"SOURCE_MISSING", "REFERENCE"}},
    {"UPDATE evidence_log SET ordinal = 9 WHERE revision = 4;"
     "UPDATE evidence_current SET ordinal = 9 WHERE rev_from = 4",
     {"ORDINAL"}},
    {"DELETE FROM evidence_current WHERE rev_from = 4", {"PROJECTION_LACKS"}},
    {"DELETE FROM evidence_past WHERE rev_from = 2 AND code = 'flag'", {"PROJECTION_LACKS"}},
    {"UPDATE evidence_current SET flag = 0 WHERE rev_from = 4", {"PROJECTION_DIFFERS"}},
    {"UPDATE evidence_current SET missing = 1 WHERE rev_from = 4", {"PROJECTION_DIFFERS"}},
    {"UPDATE evidence_past SET rev_to = 4 WHERE rev_from = 2 AND code = 'flag'",
     {"PROJECTION_DIFFERS"}},
    {"UPDATE evidence_current SET rev_from = 3 WHERE rev_from = 4",
     {"PROJECTION_LACKS", "PROJECTION_EXTRA"}},
    {"UPDATE evidence_current SET bucket = bucket + 1 WHERE rev_from = 4",
     {"PROJECTION_LACKS", "PROJECTION_EXTRA"}},
    {"INSERT INTO evidence_current SELECT bucket, organisation, period, 'more', instance,"
     " rev_from, ordinal, decimal, numerator, denominator, level, flag, text, missing,"
     " observed_on, source, digest, authority, expires_on FROM evidence_current"
     " WHERE rev_from = 4",
     {"PROJECTION_EXTRA"}},
    {"INSERT INTO evidence_past SELECT bucket, organisation, period, code, instance, rev_from, 9,"
     " ordinal, decimal, numerator, denominator, level, flag, text, missing, observed_on, source,"
     " digest, authority, expires_on FROM evidence_current WHERE rev_from = 4",
     {"PROJECTION_EXTRA"}},
    {"UPDATE organisations SET bucket = bucket + 1", {"BUCKET"}},
    {"UPDATE ratings SET bucket = bucket + 1", {"BUCKET"}},
    {"UPDATE round_organisations SET round = 'june'", {"REFERENCE"}},
    {"UPDATE code_levels SET code = 'other'", {"REFERENCE"}},
    {"UPDATE commits SET kind = 'gossip' WHERE revision = 5", {"DATABASE"}},
    {"DELETE FROM log_head", {"DATABASE"}},
};

INSTANTIATE_TEST_SUITE_P(All, PlantedFaultTest, testing::ValuesIn(kPlanted));

TEST_F(UpkeepTest, FaultsBeyondTheLimitAreCounted) {
  Fill(*MustOpen());
  Tamper("UPDATE commits SET leaf_hash = zeroblob(32)");
  FsckOptions options = Options();
  options.faults_most = 2;
  const FsckReport report = MustCheck(uri_, options);
  EXPECT_EQ(report.faults.size(), 2u);
  EXPECT_EQ(report.faults_total, 7);
}

TEST_F(UpkeepTest, AProjectionIsMadeAgainFromTheLog) {
  Fill(*MustOpen());
  Tamper(
      "DELETE FROM evidence_current WHERE rev_from = 2;"
      "UPDATE evidence_past SET rev_to = 9; UPDATE evidence_current SET bucket = bucket + 1");
  FsckOptions options = Options();
  options.repair_projection = true;

  const FsckReport report = MustCheck(uri_, options);

  EXPECT_GT(report.repaired, 0);
  EXPECT_THAT(CodesOf(report), IsEmpty());
  EXPECT_TRUE(MustCheck(uri_).ok());
  const auto store = MustOpen();
  EXPECT_EQ(store->ListItems({}, {}, 100, 7, store::kForever)->size(), 7u);
  EXPECT_EQ(store->ListItems({}, {}, 100, 2, store::kForever)->size(), 6u);
}

TEST_F(UpkeepTest, NothingIsMadeAgainFromADamagedLog) {
  Fill(*MustOpen());
  Tamper(
      "DELETE FROM evidence_current WHERE rev_from = 2;"
      "UPDATE commits SET leaf_hash = zeroblob(32) WHERE revision = 4");
  FsckOptions options = Options();
  options.repair_projection = true;
  const FsckReport report = MustCheck(uri_, options);
  EXPECT_EQ(report.repaired, 0);
  EXPECT_EQ(CodesOf(report), (std::set<std::string>{"LEAF_HASH", "PROJECTION_LACKS"}));
  EXPECT_FALSE(MustCheck(uri_).ok());
}

TEST_F(UpkeepTest, DamagedPagesAreAFaultAndNoCrash) {
  Fill(*MustOpen());
  ASSERT_TRUE(Execute("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    const std::string noise(4096 * 40, '\x5a');
    file.write(noise.data(), std::ssize(noise));
  }
  EXPECT_THAT(CodesOf(MustCheck(uri_)), Contains("DATABASE"));
}

TEST_F(UpkeepTest, WhatIsNoRecordIsRefused) {
  EXPECT_EQ(Fsck(uri_, Options()).status().code(), absl::StatusCode::kUnavailable);
  std::ofstream(path_) << "not a record, but something else, and long enough to tell";
  EXPECT_EQ(status::DetailOf(Fsck(uri_, Options()).status()).reason, "STORE_SCHEMA");
  EXPECT_EQ(status::DetailOf(Fsck("memory:", Options()).status()).reason, "STORE_URI");
}

TEST_F(UpkeepTest, ARecordIsCheckedAsOfOneMomentWhileOthersWrite) {
  const auto store = MustOpen();
  Fill(*store);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      EXPECT_TRUE(Commit(*store, Say(absl::StrCat("w", i), {Item("hull", "flag", i % 2 == 0),
                                                            Item("york", "flag", true)}))
                      .ok());
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_THAT(CodesOf(MustCheck(uri_)), ElementsAre());
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace starratings::upkeep
