// What the tests of upkeep share: a record with one of everything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "assessment-svc/store/sqlite_fixture.h"
#include "assessment-svc/upkeep/fsck.h"
#include "common/wire/evidence_wire.h"

namespace starratings::upkeep {

class UpkeepTest : public store::SqliteStoreTest {
 protected:
  static store::EvidenceDraft Item(const std::string& organisation, const std::string& code,
                                   evidence::Value value) {
    store::EvidenceDraft draft = Draft(organisation, 0);
    draft.item.key.code = code;
    draft.item.value = std::move(value);
    draft.item.digest = wire::ItemDigest(draft.item);
    return draft;
  }

  static store::Write Body(const std::string& request_id, decltype(store::Write::body) body) {
    store::Write write = Say(request_id, {});
    write.body = std::move(body);
    return write;
  }

  // Revisions 1 to 7: a register; every kind of value; corrections of two of
  // them; a scheme; a round with an organisation and a list state; staged
  // ratings.
  static void Fill(store::EvidenceStore& store) {
    store::Registration registration;
    registration.organisations = {{"hull", "Hull", "council", "", std::nullopt, std::nullopt}};
    registration.periods = {{"2001-02", evidence::Date(), evidence::Date(), ""}};
    registration.codes.resize(1);
    registration.codes[0].code.id = "level";
    registration.codes[0].code.levels = {"low", "high"};
    store::EvidenceDraft dated = Item("hull", "decimal", evidence::Decimal::FromMicros(-12));
    dated.item.observed_on = evidence::Date::FromDays(11'838);
    dated.item.overriding = {"The minister", evidence::Date::FromDays(12'000)};
    dated.item.digest = wire::ItemDigest(dated.item);
    const std::vector<store::Write> writes = {
        Body("1", registration),
        Say("2", {dated, Item("hull", "ratio", evidence::Ratio{3, 9}),
                  Item("hull", "level", evidence::Level{"low"}), Item("hull", "flag", true),
                  Item("hull", "text", evidence::Text{"Fair."}),
                  Item("leeds", "missing", evidence::MissingReason::kUnreliable)}),
        Say("3", {Item("hull", "flag", false),
                  Item("hull", "decimal", evidence::Decimal::FromMicros(7))}),
        Say("4", {Item("hull", "flag", true)}),
        Body("5", store::SchemeDraft{"england", "2002", std::string(64, 'a'), "text"}),
        Body("6", store::RoundAct{{"may", "open", 0}, {}, {"hull"}, {}}),
        Body("7", store::RoundAct{{"may", "published", 6},
                                  {},
                                  {},
                                  {Item("hull", "list_state", evidence::Level{"on"})}})};
    for (const store::Write& write : writes) {
      const auto written = Commit(store, write);
      ASSERT_TRUE(written.ok()) << written.status();
    }
    ASSERT_TRUE(store.StageRatings("may", "one", 0, {{"hull", "content"}}, store::kForever).ok());
  }

  static FsckOptions Options() {
    FsckOptions options;
    options.digest_of = &wire::ItemDigest;
    return options;
  }

  FsckReport MustCheck(const std::string& uri, const FsckOptions& options = Options()) {
    auto report = Fsck(uri, options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : FsckReport();
  }

  // Whatever somebody may do who does not want to be hindered.
  void Tamper(const std::string& sql) {
    auto connection = store::SqliteConnection::Open(path_, store::SqliteConnection::Use::kWrite);
    ASSERT_TRUE(connection.ok()) << connection.status();
    std::vector<std::string> triggers;
    {
      auto query = (*connection)->Query("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
      ASSERT_TRUE(query.ok()) << query.status();
      while (*query->Step()) triggers.push_back(query->Text(0));
    }
    for (const std::string& trigger : triggers) {
      ASSERT_TRUE((*connection)->Execute(("DROP TRIGGER " + trigger).c_str()).ok());
    }
    const std::string script =
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;" + sql;
    const absl::Status done = (*connection)->Execute(script.c_str());
    ASSERT_TRUE(done.ok()) << sql << " " << done;
  }
};

}  // namespace starratings::upkeep
