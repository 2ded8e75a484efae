// What it is to be an EvidenceStore: many writes in one transaction, each
// decided alone; corrections; a register that changes meanwhile.
#include <algorithm>
#include <map>
#include <utility>

#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

Write SayOne(const std::string& request_id, const std::string& code, int64_t number,
             Expectation expected = {}) {
  return Say(request_id, {{ItemOf("hull", code, Number(number)), std::move(expected)}});
}

Write Without(const char* reason, Write write) {
  write.reason = reason;
  return write;
}

TEST_P(ConformanceTest, AGroupOfNothingIsNone) {
  EXPECT_THAT(CommitAll({}), IsEmpty());
  EXPECT_EQ(Head(), 0);
}

TEST_P(ConformanceTest, OnlyWhatIsAcceptedTakesARevision) {
  EXPECT_THAT(
      Describe(CommitAll({
          SayOne("1", "a", 1, Etag("1.1")),
          SayOne("2", "a", 2),
          SayOne("", "a", 3),
          SayOne("4", "a", 4, Nothing()),
          SayOne("5", "b", 5, Nothing()),
          SayOne("2", "a", 2),
          SayOne("7", "a", 7),
          SayOne("8", "b", 8, Etag("1.1")),
      })),
      ElementsAre("ABORTED ETAG_MISMATCH", "at 1", "INVALID_ARGUMENT INVALID_FIELDS",
                  "ABORTED ETAG_MISMATCH", "at 2", "at 1 again", "at 3", "ABORTED ETAG_MISMATCH"));
  EXPECT_EQ(Head(), 3);

  // A group of replays and refusals changes nothing.
  EXPECT_THAT(Describe(CommitAll({SayOne("5", "b", 5, Nothing()), SayOne("9", "b", 9, Nothing()),
                                  SayOne("7", "a", 7)})),
              ElementsAre("at 2 again", "ABORTED ETAG_MISMATCH", "at 3 again"));
  EXPECT_EQ(Head(), 3);
  EXPECT_EQ(ValueAt(3, "hull", "a"), "7");
  EXPECT_EQ(ValueAt(3, "hull", "b"), "5");
}

TEST_P(ConformanceTest, ARequestIdIsOfTheFirstThatIsAccepted) {
  Write other = SayOne("1", "a", 2);
  other.payload = digest::Sha256("other");

  // Refused, the id is free; taken, it means one thing, in the same group too.
  EXPECT_THAT(Describe(CommitAll({SayOne("1", "a", 1, Etag("5.5")), other, SayOne("1", "a", 1),
                                  other, SayOne("2", "a", 3)})),
              ElementsAre("ABORTED ETAG_MISMATCH", "at 1", "INVALID_ARGUMENT REQUEST_ID_REUSED",
                          "at 1 again", "at 2"));

  Write of_bob = SayOne("2", "a", 4);
  of_bob.actor = "spiffe://test/bob";
  EXPECT_THAT(Describe(CommitAll({of_bob, of_bob, SayOne("2", "a", 3)})),
              ElementsAre("at 3", "at 3 again", "at 2 again"));
}

TEST_P(ConformanceTest, AnEtagOfTheSameGroupHolds) {
  const auto answers = CommitAll({
      SayOne("1", "a", 1, Nothing()),
      SayOne("2", "a", 2, Etag("1.1")),
      SayOne("3", "a", 3, Etag("1.1")),
      SayOne("4", "a", 4, Etag("2.2")),
      SayOne("5", "b", 5, Nothing()),
      SayOne("6", "a", 6, Etag("3.3")),
  });

  EXPECT_THAT(Describe(answers),
              ElementsAre("at 1", "at 2", "ABORTED ETAG_MISMATCH", "at 3", "at 4", "at 5"));
  EXPECT_THAT(answers[5]->etags, ElementsAre("4.5"));
  auto metadata = status::DetailOf(answers[2].status()).metadata;
  EXPECT_EQ(metadata["etag"], "2.2");
  EXPECT_EQ(metadata["field"], "items[0].etag");
  EXPECT_EQ(ValueAt(2, "hull", "a"), "2");
  EXPECT_EQ(ValueAt(4, "hull", "a"), "4");
  EXPECT_EQ(ValueAt(5, "hull", "a"), "6");
}

TEST_P(ConformanceTest, AReplayHasTheEtagsOfItsOwnTime) {
  const Write write =
      Say("1", {{ItemOf("hull", "b", Number(1)), {}}, {ItemOf("hull", "a", Number(2)), {}}});
  const auto answers = CommitAll({write, SayOne("2", "a", 3), write});

  EXPECT_THAT(Describe(answers), ElementsAre("at 1", "at 2", "at 1 again"));
  EXPECT_THAT(answers[2]->etags, ElementsAre("1.1", "1.1"));
  EXPECT_THAT(answers[1]->etags, ElementsAre("2.2"));
  EXPECT_THAT(Commit(write)->etags, ElementsAre("1.1", "1.1"));
}

TEST_P(ConformanceTest, ABatchOfWhichOneItemIsRefusedLeavesNothing) {
  const auto answers = CommitAll({
      SayOne("1", "a", 1),
      Say("2", {{ItemOf("hull", "b", Number(2)), {}}, {ItemOf("hull", "a", Number(2)), Nothing()}}),
      SayOne("3", "b", 3, Nothing()),
  });

  EXPECT_THAT(Describe(answers), ElementsAre("at 1", "ABORTED ETAG_MISMATCH", "at 2"));
  EXPECT_EQ(status::DetailOf(answers[1].status()).metadata["field"], "items[1].etag");
  EXPECT_EQ(Must(store_->ReadHistory({"hull", "2001-02", "b", ""}, 9, 9, kForever)).size(), 1u);
}

TEST_P(ConformanceTest, AGroupMayBeLong) {
  std::vector<Write> group;
  for (int i = 1; i <= 300; ++i) {
    group.push_back(SayOne(absl::StrCat(i), absl::StrCat("c", i % 3), i,
                           i <= 3 ? Nothing() : Etag(absl::StrCat((i - 1) / 3, ".", i - 3))));
  }

  const auto answers = CommitAll(group);

  ASSERT_EQ(answers.size(), 300u);
  for (int i = 1; i <= 300; ++i) {
    ASSERT_EQ(Describe(answers[static_cast<size_t>(i - 1)]), absl::StrCat("at ", i));
  }
  EXPECT_EQ(ValueAt(300, "hull", "c0"), "300");
  EXPECT_EQ(ValueAt(298, "hull", "c0"), "297");
  EXPECT_EQ(Must(store_->ReadHistory({"hull", "2001-02", "c1", ""}, 301, 999, kForever)).size(),
            100u);
}

TEST_P(ConformanceTest, EveryKindOfWriteSeesThoseBeforeItInItsGroup) {
  Registration code;
  code.codes = {
      {{"a", "A", evidence::Kind::kIndicator, evidence::ValueType::kDecimal, "", {}, {}, {}}, 0}};
  Registration code_again = code;
  code_again.codes[0].seen = 1;
  RoundAct round;
  round.round = {"may", "open", 0};
  RoundAct frozen;
  frozen.round = {"may", "frozen", 4};
  frozen.organisations = {"hull"};
  RoundAct chosen_again = frozen;
  chosen_again.round.expected_revision = 5;
  const SchemeDraft scheme = {"england", "2002", std::string(64, 'a'), "text"};

  EXPECT_THAT(
      Describe(CommitAll({
          WriteOf("1", code),
          WriteOf("2", code),
          WriteOf("3", code_again),
          WriteOf("4", scheme),
          WriteOf("5", scheme),
          WriteOf("6", round),
          WriteOf("7", round),
          WriteOf("8", frozen),
          WriteOf("9", frozen),
          WriteOf("10", chosen_again),
          WriteOf("6", round),
      })),
      ElementsAre("at 1", "ABORTED REGISTER_CHANGED", "at 2", "at 3",
                  "ALREADY_EXISTS SCHEME_REGISTERED", "at 4", "ALREADY_EXISTS ROUND_EXISTS", "at 5",
                  "ABORTED ETAG_MISMATCH", "FAILED_PRECONDITION ROUND_CHOSEN", "at 4 again"));
  EXPECT_EQ(Must(store_->ReadRound("may", 5, kForever)).size(), 2u);
  EXPECT_EQ(Must(store_->ReadCodes(5, kForever)).at(0).revision, 2);
}

TEST_P(ConformanceTest, ACorrectionNeedsAReason) {
  const auto say = [](const std::string& request_id, evidence::Value value) {
    return Without("", Say(request_id, {{ItemOf("hull", "a", std::move(value)), {}}}));
  };
  const auto answers = CommitAll({
      say("1", evidence::MissingReason::kNotReported),
      say("2", Number(1)),                            // What was missing has come.
      say("3", Number(1)),                            // The same again.
      say("4", Number(2)),                            // A correction, ...
      Without("typing error", say("4", Number(2))),   // ... with its reason.
      say("5", evidence::MissingReason::kWithdrawn),  // So is this.
      Without("sent too early", say("6", evidence::MissingReason::kWithdrawn)),
      say("7", Number(3)),
  });

  EXPECT_THAT(Describe(answers),
              ElementsAre("at 1", "at 2", "at 3", "INVALID_ARGUMENT INVALID_FIELDS", "at 4",
                          "INVALID_ARGUMENT INVALID_FIELDS", "at 5", "at 6"));
  const auto fields = status::DetailOf(answers[3].status()).fields;
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].field, "reason");
  EXPECT_EQ(Head(), 6);

  // In a batch one correction is enough; a retry needs no reason again.
  EXPECT_EQ(RefusalOf(Without("", Say("8", {{ItemOf("hull", "b", Number(1)), {}},
                                            {ItemOf("hull", "a", Number(4)), {}}}))),
            "INVALID_ARGUMENT INVALID_FIELDS");
  EXPECT_EQ(Describe(Commit(say("4", Number(2)))), "at 4 again");
}

TEST_P(ConformanceTest, AnActSetsStatesWithoutAReason) {
  MustCommit(Say("1", {{ItemOf("hull", "list", evidence::Level{"on"}, "standing"), {}}}));
  RoundAct act;
  act.round = {"may", "published", 0};
  act.states = {{ItemOf("hull", "list", evidence::Level{"off"}, "standing"), {}}};
  EXPECT_EQ(MustCommit(Without("", WriteOf("2", act))), 2);
}

TEST_P(ConformanceTest, ItemsCheckedAgainstAnOldCodeAreCheckedAgain) {
  const auto register_code = [](const std::string& request_id, const std::string& id,
                                int64_t seen) {
    Registration registration;
    registration.codes = {
        {{id, id, evidence::Kind::kIndicator, evidence::ValueType::kDecimal, "", {}, {}, {}},
         seen}};
    return WriteOf(request_id, std::move(registration));
  };
  const auto say = [](const std::string& request_id, const std::string& code,
                      std::optional<int64_t> seen) {
    Write write = SayOne(request_id, code, 1);
    std::get<EvidenceBatch>(write.body).register_seen = seen;
    return write;
  };
  const auto answers = CommitAll({
      register_code("1", "a", 0), register_code("2", "b", 0), say("3", "a", 2),
      say("4", "a", 1),                    // Only `b` came after.
      register_code("5", "a", 1),          // At 5.
      say("6", "a", 4),                    // Checked against what `a` was.
      say("7", "a", 5), say("8", "b", 4),  // `b` is what it was.
      say("9", "a", std::nullopt),         // Need not be checked.
      say("3", "a", 2),                    // A retry has its answer.
  });

  EXPECT_THAT(Describe(answers),
              ElementsAre("at 1", "at 2", "at 3", "at 4", "at 5", "ABORTED REGISTER_CHANGED",
                          "at 6", "at 7", "at 8", "at 3 again"));
  EXPECT_EQ(RefusalOf(say("6", "a", 4)), "ABORTED REGISTER_CHANGED");
  MustCommit(RegisterOrganisations("10", {OrganisationOf("hull")}));
  EXPECT_EQ(MustCommit(say("11", "a", 5)), 10);
}

// Of every kind, in turn.
evidence::Item ItemOfKind(int i, int64_t number) {
  const evidence::Value values[] = {Number(number),
                                    evidence::Ratio{number, number + 1},
                                    evidence::Level{absl::StrCat(number)},
                                    number % 2 == 0,
                                    evidence::Text{absl::StrCat("It says ", number)},
                                    evidence::MissingReason::kUnreliable};
  evidence::Item item =
      ItemOf(absl::StrCat("o", i % 40), absl::StrCat("c", i), values[i % std::ssize(values)]);
  if (i % 5 == 0) item.observed_on = evidence::Date::FromDays(i);
  if (i % 7 == 0) item.overriding = {absl::StrCat("By ", i), evidence::Date::FromDays(-i)};
  return item;
}

// A database may take another way for many.
TEST_P(ConformanceTest, ManyItemsAreWrittenAsFewAre) {
  constexpr int kItems = 1'300;
  using Items = std::map<evidence::ItemKey, std::string>;
  const auto told = [](const evidence::Item& item) {
    return absl::StrCat(evidence::ToString(item.value), " on ",
                        item.observed_on ? item.observed_on->ToString() : "no day",
                        OverrideText(item));
  };
  Items expected;
  std::vector<Items> at = {{}};
  // Each says what is new, what its group has just said, and what stood before.
  for (const int group_size : {1, 3, 2}) {
    std::vector<Write> group;
    for (int i = 0; i < group_size; ++i) {
      const int revision = static_cast<int>(at.size());
      std::vector<EvidenceDraft> drafts;
      for (int j = 0; j < kItems; ++j) {
        drafts.push_back({ItemOfKind(500 * revision + j, 7 * revision + j), {}});
        expected[drafts.back().item.key] = told(drafts.back().item);
      }
      group.push_back(Say(absl::StrCat(revision), std::move(drafts)));
      at.push_back(expected);
    }
    EXPECT_THAT(CommitAll(group), Each(testing::Truly([](const auto& w) { return w.ok(); })));
  }
  for (int revision = 1; revision < std::ssize(at); ++revision) {
    Items items;
    for (const auto& item : Must(store_->ListItems({}, {}, 10'000, revision, kForever))) {
      items[item.item.key] = told(item.item);
    }
    EXPECT_EQ(items, at[static_cast<size_t>(revision)]) << revision;
    Items singly;
    for (const auto& [key, value] : items) {
      const auto item = Must(store_->ReadItem(key, revision, kForever));
      singly[key] = item ? told(item->item) : "nothing";
      if (singly.size() == 50) break;
    }
    EXPECT_TRUE(std::includes(items.begin(), items.end(), singly.begin(), singly.end()));
  }
  for (const LoggedRevision& logged : Must(store_->ReadLog({}, Head(), 20'000, kForever))) {
    EXPECT_EQ(std::ssize(logged.items), kItems);
    for (int j = 0; j < std::ssize(logged.items); ++j) {
      const int64_t revision = logged.commit.revision;
      EXPECT_EQ(logged.items[static_cast<size_t>(j)].item.digest,
                ItemOfKind(static_cast<int>(500 * revision) + j, 7 * revision + j).digest);
    }
  }
}

}  // namespace
}  // namespace starratings::store
