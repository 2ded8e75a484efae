// What it is to be an EvidenceStore. Every implementation runs all of these,
// and those of the files beside; a behaviour not pinned here is not promised.
//
// This file: what is written, and what is refused.
#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(ConformanceTest, AnEmptyRecordIsAtRevisionZero) {
  EXPECT_EQ(Head(), 0);
  EXPECT_EQ(store_->GetIdentity().store.size(), 36u);
  EXPECT_EQ(store_->GetIdentity().incarnation, 1);
  EXPECT_TRUE(store_->CheckReady(kForever).ok());
  EXPECT_EQ(ValueAt(0, "hull", "a"), "nothing");
}

TEST_P(ConformanceTest, AnEarlierRevisionNeverChanges) {
  ASSERT_EQ(MustCommit(Say("1", {{ItemOf("hull", "a", Number(20)), {}}})), 1);
  const auto before = store_->ReadItem({"hull", "2001-02", "a", ""}, 1, kForever);
  ASSERT_EQ(MustCommit(Say("2", {{ItemOf("hull", "a", Number(10)), {}}})), 2);

  const auto after = store_->ReadItem({"hull", "2001-02", "a", ""}, 1, kForever);

  EXPECT_EQ(Describe(**before), Describe(**after));
  EXPECT_EQ((*before)->recorded_at_us, (*after)->recorded_at_us);
  EXPECT_EQ(ValueAt(0, "hull", "a"), "nothing");
  EXPECT_EQ(ValueAt(1, "hull", "a"), "20");
  EXPECT_EQ(ValueAt(2, "hull", "a"), "10");
}

TEST_P(ConformanceTest, EveryKindOfValueComesBackAsItWasGiven) {
  const std::vector<evidence::Value> values = {
      evidence::Decimal::FromMicros(-12'500'001),
      evidence::Ratio{30, 140},
      evidence::Ratio{0, evidence::Ratio::kMost},
      evidence::Level{"most"},
      true,
      false,
      evidence::Text{"he said \"no\"\n\\ \xc3\xa9"},
      evidence::Text{""},
      evidence::MissingReason::kNotReported,
      evidence::MissingReason::kNotApplicable,
  };
  std::vector<EvidenceDraft> drafts;
  for (size_t i = 0; i < values.size(); ++i) {
    evidence::Item item = ItemOf("hull", absl::StrCat("code", i), values[i]);
    if (i % 2 == 0) item.observed_on = evidence::Date::FromDays(-1 + static_cast<int>(i));
    if (i % 3 == 0) {
      item.overriding = {"The minister", evidence::Date::FromDays(static_cast<int>(i) - 1)};
    }
    item.source = std::make_shared<const evidence::Source>(
        evidence::Source{absl::StrCat("Table ", i), "https://x/y", std::string(64, 'a'), i == 3});
    drafts.push_back({item, {}});
  }
  MustCommit(Say("1", drafts));

  for (size_t i = 0; i < values.size(); ++i) {
    const auto read = store_->ReadItem(drafts[i].item.key, 1, kForever);
    ASSERT_TRUE(read.ok() && read->has_value()) << i;
    EXPECT_EQ((*read)->item.value, values[i]) << i;
    EXPECT_EQ((*read)->item.observed_on, drafts[i].item.observed_on);
    EXPECT_EQ((*read)->item.overriding, drafts[i].item.overriding);
    EXPECT_EQ(*(*read)->item.source, *drafts[i].item.source);
    EXPECT_EQ((*read)->item.digest, drafts[i].item.digest);
    EXPECT_EQ((*read)->actor, "spiffe://test/ann");
    EXPECT_EQ((*read)->reason, "because");
  }
}

TEST_P(ConformanceTest, ARepeatedRequestGetsTheFirstAnswerAndWritesNothing) {
  const Write write =
      Say("1", {{ItemOf("hull", "a", Number(1)), {}}, {ItemOf("hull", "b", Number(2)), {}}});
  const auto first = Commit(write);
  MustCommit(Say("2", {{ItemOf("hull", "a", Number(3)), {}}}));

  const auto again = Commit(write);

  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->revision, 1);
  EXPECT_THAT(again->etags, ElementsAre("1.1", "1.1"));
  EXPECT_EQ(again->etags, first->etags);
  EXPECT_EQ(Head(), 2);
  EXPECT_EQ(ValueAt(2, "hull", "a"), "3");
}

TEST_P(ConformanceTest, ARequestIdMeansOneThingForEver) {
  MustCommit(Say("1", {{ItemOf("hull", "a", Number(1)), {}}}));

  const EvidenceBatch other = {{{ItemOf("hull", "a", Number(2)), {}}}};

  EXPECT_EQ(RefusalOf(WriteOf("1", other, "another payload")),
            "INVALID_ARGUMENT REQUEST_ID_REUSED");
  EXPECT_EQ(Head(), 1);
  EXPECT_EQ(ValueAt(1, "hull", "a"), "1");
}

TEST_P(ConformanceTest, TheSameRequestIdOfAnotherActorIsAnotherRequest) {
  Write write = Say("1", {{ItemOf("hull", "a", Number(1)), {}}});
  MustCommit(write);
  write.actor = "spiffe://test/bob";

  const auto written = Commit(write);

  ASSERT_TRUE(written.ok());
  EXPECT_FALSE(written->replayed);
  EXPECT_EQ(written->revision, 2);
}

TEST_P(ConformanceTest, OnlySuccessesAreRemembered) {
  const Write write = Say("1", {{ItemOf("hull", "a", Number(1)), Etag("1.1")}});
  EXPECT_EQ(RefusalOf(write), "ABORTED ETAG_MISMATCH");
  MustCommit(Say("2", {{ItemOf("hull", "a", Number(2)), {}}}));

  EXPECT_EQ(MustCommit(Say("1", {{ItemOf("hull", "a", Number(1)), Etag("1.1")}})), 2);
}

TEST_P(ConformanceTest, AnItemIsWrittenOnlyAsItsWriterExpects) {
  const auto write = [&](const std::string& id, const Expectation& expectation) {
    return Commit(Say(id, {{ItemOf("hull", "other", Number(1)), {}},
                           {ItemOf("hull", "a", Number(1)), expectation}}));
  };
  EXPECT_EQ(ReasonOf(write("1", Etag("1.1")).status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(status::DetailOf(write("1", Etag("1.1")).status()).metadata["etag"], "*none*");
  const auto first = write("2", Nothing());
  ASSERT_TRUE(first.ok()) << first.status();
  const auto stale = write("3", Nothing());
  EXPECT_EQ(ReasonOf(stale.status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(status::DetailOf(stale.status()).metadata["etag"], first->etags[1]);
  EXPECT_EQ(status::DetailOf(stale.status()).metadata["field"], "items[1].etag");
  const auto second = write("4", Etag(first->etags[1]));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->etags[1], "2.2");
  EXPECT_FALSE(write("5", Etag(first->etags[1])).ok());
  EXPECT_TRUE(write("6", Etag(second->etags[1])).ok());
}

TEST_P(ConformanceTest, RevisionsAreDenseWhateverIsRefusedBetween) {
  for (int i = 1; i <= 5; ++i) {
    const std::string id = absl::StrCat(i);
    EXPECT_EQ(MustCommit(Say(id, {{ItemOf("hull", "a", Number(i)), {}}})), i);
    EXPECT_FALSE(
        Commit(Say(absl::StrCat("bad", i), {{ItemOf("hull", "a", Number(0)), Nothing()}})).ok());
    EXPECT_EQ(Head(), i);
  }
}

TEST_P(ConformanceTest, ARefusedBatchChangesNothing) {
  MustCommit(Say("1", {{ItemOf("hull", "a", Number(1)), {}}}));

  EXPECT_FALSE(Commit(Say("2", {{ItemOf("hull", "b", Number(2)), {}},
                                {ItemOf("hull", "a", Number(2)), Nothing()}}))
                   .ok());

  EXPECT_EQ(ValueAt(1, "hull", "b"), "nothing");
  EXPECT_EQ(ValueAt(1, "hull", "a"), "1");
}

TEST_P(ConformanceTest, WritesOfAGroupAreDecidedAloneInOrder) {
  const std::vector<Write> group = {
      Say("1", {{ItemOf("hull", "a", Number(1)), Nothing()}}),
      Say("2", {{ItemOf("hull", "a", Number(2)), Nothing()}}),  // Sees the one before.
      Say("3", {{ItemOf("hull", "a", Number(3)), Etag("1.1")}}),
      Say("1", {{ItemOf("hull", "a", Number(1)), Nothing()}}),  // A retry in the same group.
      Say("4", {{ItemOf("hull", "b", Number(4)), {}}, {ItemOf("hull", "b", Number(5)), {}}}),
      Say("5", {{ItemOf("hull", "b", Number(6)), {}}}),
  };

  const auto answers = store_->CommitGroup(group, kForever);

  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ(answers->size(), 6u);
  EXPECT_EQ((*answers)[0]->revision, 1);
  EXPECT_EQ(ReasonOf((*answers)[1].status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ((*answers)[2]->revision, 2);
  EXPECT_TRUE((*answers)[3]->replayed);
  EXPECT_EQ((*answers)[3]->revision, 1);
  EXPECT_EQ(ReasonOf((*answers)[4].status()), "INVALID_ARGUMENT INVALID_FIELDS");
  EXPECT_EQ((*answers)[5]->revision, 3);
  EXPECT_EQ(Head(), 3);
  EXPECT_EQ(ValueAt(3, "hull", "a"), "3");
  EXPECT_EQ(ValueAt(3, "hull", "b"), "6");
}

TEST_P(ConformanceTest, WhatNoStoreCanHoldIsRefused) {
  evidence::Item no_source = ItemOf("hull", "a", Number(1));
  no_source.source = nullptr;
  Write nobody = Say("1", {});
  nobody.actor = "";
  const std::vector<Write> bad = {
      nobody,
      Say("", {}),
      Say("1", {{no_source, {}}}),
      Say("1", {{ItemOf("hull", "a", evidence::Ratio{1, 0}), {}}}),
      Say("1", {{ItemOf("hull", "a", evidence::Ratio{-1, 1}), {}}}),
      RegisterOrganisations("1", {OrganisationOf("hull"), OrganisationOf("hull")}),
  };
  for (const Write& write : bad) {
    EXPECT_EQ(RefusalOf(write), "INVALID_ARGUMENT INVALID_FIELDS");
  }
  EXPECT_EQ(Head(), 0);
}

TEST_P(ConformanceTest, TimesNeverDecrease) {
  int64_t previous_us = 0;
  for (int i = 1; i <= 20; ++i) {
    MustCommit(Say(absl::StrCat(i), {{ItemOf("hull", "a", Number(i)), {}}}));
    const auto item = store_->ReadItem({"hull", "2001-02", "a", ""}, i, kForever);
    EXPECT_GE((*item)->recorded_at_us, previous_us);
    previous_us = (*item)->recorded_at_us;
  }
}

TEST_P(ConformanceTest, APassedDeadlineChangesNothing) {
  const std::vector<Write> group = {Say("1", {{ItemOf("hull", "a", Number(1)), {}}})};

  const auto answers = store_->CommitGroup(group, absl::Now() - absl::Seconds(1));

  EXPECT_EQ(answers.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(store_->Head(absl::InfinitePast()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Head(), 0);
}

TEST_P(ConformanceTest, ASchemeIsRegisteredOnce) {
  const std::string digest(64, 'a');
  const std::string other(64, 'b');
  MustCommit(WriteOf("1", SchemeDraft{"england", "2002", digest, "text"}));

  EXPECT_EQ(RefusalOf(WriteOf("2", SchemeDraft{"england", "2002", digest, "text"})),
            "ALREADY_EXISTS SCHEME_REGISTERED");
  EXPECT_EQ(RefusalOf(WriteOf("3", SchemeDraft{"england", "2002", other, "text"})),
            "ALREADY_EXISTS SCHEME_EXISTS");
  MustCommit(WriteOf("4", SchemeDraft{"england", "2003", other, "text 2003"}));

  for (const std::string& name : {digest, std::string("england@2002")}) {
    const auto scheme = store_->ReadScheme(name, kForever);
    ASSERT_TRUE(scheme.ok() && scheme->has_value()) << name;
    EXPECT_EQ((*scheme)->text, "text");
    EXPECT_EQ((*scheme)->commit.revision, 1);
    EXPECT_EQ((*scheme)->commit.actor, "spiffe://test/ann");
  }
  EXPECT_FALSE(store_->ReadScheme("england@2004", kForever)->has_value());
  EXPECT_FALSE(store_->ReadScheme("england", kForever)->has_value());
}

TEST_P(ConformanceTest, ASchemeIsApprovedOnce) {
  const std::string digest(64, 'a');
  MustCommit(WriteOf("1", SchemeDraft{"england", "2002", digest, "text"}));
  EXPECT_FALSE(store_->ReadScheme(digest, kForever)->value().approval.has_value());

  // Both of one group, too.
  const std::vector<Write> group = {WriteOf("2", SchemeApproval{digest}),
                                    WriteOf("3", SchemeApproval{digest})};
  EXPECT_THAT(Describe(Must(store_->CommitGroup(group, kForever))),
              ElementsAre("at 2", "ALREADY_EXISTS SCHEME_APPROVED"));
  EXPECT_EQ(RefusalOf(WriteOf("4", SchemeApproval{digest})), "ALREADY_EXISTS SCHEME_APPROVED");
  EXPECT_EQ(RefusalOf(WriteOf("5", SchemeApproval{"a"})), "INVALID_ARGUMENT INVALID_FIELDS");
  EXPECT_EQ(Describe(Commit(WriteOf("2", SchemeApproval{digest}))), "at 2 again");

  for (const std::string& name : {digest, std::string("england@2002")}) {
    const auto scheme = Must(store_->ReadScheme(name, kForever));
    ASSERT_TRUE(scheme && scheme->approval) << name;
    EXPECT_EQ(scheme->commit.revision, 1);
    EXPECT_EQ(scheme->approval->revision, 2);
    EXPECT_EQ(scheme->approval->actor, "spiffe://test/ann");
    EXPECT_EQ(scheme->approval->reason, "because");
  }
}

TEST_P(ConformanceTest, AnActChangesTwoRoundsAtMost) {
  RoundAct act;
  act.round = {"may", "open", 0};
  act.others = {{"june", "open", 0}, {"july", "open", 0}};
  EXPECT_EQ(RefusalOf(WriteOf("1", act)), "INVALID_ARGUMENT INVALID_FIELDS");
}

TEST_P(ConformanceTest, ARoundIsReplacedOnlyByOneWhoHasSeenIt) {
  RoundAct act;
  act.round = {"may", "open\0"s, 0};
  EXPECT_EQ(MustCommit(WriteOf("1", act)), 1);
  EXPECT_EQ(RefusalOf(WriteOf("2", act)), "ALREADY_EXISTS ROUND_EXISTS");
  act.round = {"may", "frozen", 7};
  const auto stale = Commit(WriteOf("3", act));
  EXPECT_EQ(ReasonOf(stale.status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(status::DetailOf(stale.status()).metadata["etag"], "1");
  act.round.expected_revision = 1;
  EXPECT_EQ(MustCommit(WriteOf("4", act)), 2);
  act.round = {"june", "published", 0};
  act.others = {{"may", "superseded", 1}};  // Seen too early.
  EXPECT_EQ(RefusalOf(WriteOf("5", act)), "ABORTED ETAG_MISMATCH");
  act.others[0].expected_revision = 2;
  EXPECT_EQ(MustCommit(WriteOf("6", act)), 3);

  const auto contents = [&](const std::string& id, int64_t revision) {
    std::vector<std::string> all;
    for (const RoundVersion& version : Must(store_->ReadRound(id, revision, kForever))) {
      all.push_back(version.content);
    }
    return all;
  };
  EXPECT_THAT(contents("may", 3), ElementsAre("open\0"s, "frozen", "superseded"));
  EXPECT_THAT(contents("may", 2), ElementsAre("open\0"s, "frozen"));
  EXPECT_THAT(contents("june", 3), ElementsAre("published"));
  EXPECT_THAT(contents("june", 2), IsEmpty());
  EXPECT_EQ(store_->ReadRound("may", 3, kForever)->back().commit.revision, 3);
}

TEST_P(ConformanceTest, TheStatesOfAnActBelongToItsRevision) {
  RoundAct act;
  act.round = {"may", "published", 0};
  act.states = {{ItemOf("hull", "list", evidence::Level{"on"}, "standing"), Etag("1.1")}};
  const auto stale = Commit(WriteOf("1", act));
  EXPECT_EQ(ReasonOf(stale.status()), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(status::DetailOf(stale.status()).metadata["field"], "states[0].etag");
  EXPECT_TRUE(store_->ReadRound("may", 0, kForever)->empty());

  act.states[0].expected = Nothing();
  ASSERT_EQ(MustCommit(WriteOf("1", act)), 1);

  const auto item = store_->ReadItem(act.states[0].item.key, 1, kForever);
  ASSERT_TRUE(item.ok() && item->has_value());
  EXPECT_EQ((*item)->revision, 1);
}

TEST_P(ConformanceTest, ACodeIsReplacedOnlyByOneWhoHasSeenIt) {
  Registration registration;
  registration.codes = {{evidence::Code{"a",
                                        "A",
                                        evidence::Kind::kJudgement,
                                        evidence::ValueType::kLevel,
                                        "",
                                        std::nullopt,
                                        std::nullopt,
                                        {"no", "some", "most", "yes"}},
                         0}};
  ASSERT_EQ(MustCommit(WriteOf("1", registration)), 1);
  EXPECT_EQ(RefusalOf(WriteOf("2", registration)), "ABORTED REGISTER_CHANGED");
  registration.codes[0].seen = 1;
  registration.codes[0].code.levels = {"poor", "good"};
  registration.codes[0].code.minimum = evidence::Decimal::FromMicros(-1);
  ASSERT_EQ(MustCommit(WriteOf("3", registration)), 2);

  const auto first = Must(store_->ReadCodes(1, kForever));
  const auto second = Must(store_->ReadCodes(2, kForever));

  ASSERT_EQ(first.size(), 1u);
  EXPECT_THAT(first[0].code.levels, ElementsAre("no", "some", "most", "yes"));
  EXPECT_EQ(first[0].revision, 1);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].code, registration.codes[0].code);
  EXPECT_EQ(second[0].revision, 2);
  EXPECT_THAT(Must(store_->ReadCodes(0, kForever)), IsEmpty());
}

}  // namespace
}  // namespace starratings::store
