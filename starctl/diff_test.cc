#include "starctl/diff.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::starctl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An empty `decimal` is a withdrawal.
Statement Of(const std::string& organisation, const std::string& code, const std::string& decimal,
             int64_t revision) {
  Statement statement;
  auto& item = *statement.said.mutable_item();
  item.set_organisation(organisation);
  item.set_period("2001-02");
  item.set_code(code);
  if (decimal.empty()) {
    item.mutable_value()->set_missing(evidence::v1::MISSING_REASON_WITHDRAWN);
  } else {
    item.mutable_value()->set_decimal(decimal);
  }
  statement.said.set_revision(revision);
  return statement;
}

std::vector<std::string> Kinds(const Diff& diff) {
  std::vector<std::string> kinds;
  for (const Change& change : diff.Changes()) {
    kinds.push_back(change.after.said.item().organisation() + " " + NameOf(change.kind));
  }
  return kinds;
}

TEST(DiffTest, NothingSaidNothingChanged) {
  Diff diff;
  diff.Held(Of("a", "x", "1", 1));
  EXPECT_THAT(diff.Changes(), IsEmpty());
  EXPECT_THAT(diff.Organisations(), IsEmpty());
  EXPECT_THAT(diff.Codes(), IsEmpty());
}

TEST(DiffTest, TellsWhatIsNewFromWhatWasChangedWithdrawnAndSaidAgain) {
  Diff diff;
  diff.Said(Of("d", "x", "4", 5));
  diff.Said(Of("b", "x", "3", 5));
  diff.Said(Of("c", "x", "", 6));
  diff.Said(Of("a", "x", "1", 7));
  diff.Held(Of("b", "x", "2", 1));
  diff.Held(Of("c", "x", "2", 1));
  diff.Held(Of("d", "x", "4", 2));
  diff.Held(Of("d", "y", "4", 2));
  EXPECT_THAT(Kinds(diff), ElementsAre("a added", "b changed", "c withdrawn", "d said again"));
}

TEST(DiffTest, WhatCameBackIsNotWhatNeverWentAway) {
  Diff diff;
  diff.Said(Of("a", "x", "2", 5));
  diff.Said(Of("b", "x", "1", 5));
  diff.Said(Of("c", "x", "", 5));
  diff.Said(Of("a", "x", "1", 6));
  diff.Said(Of("b", "x", "1", 6));
  diff.Said(Of("c", "x", "1", 6));
  for (const char* organisation : {"a", "b", "c"}) diff.Held(Of(organisation, "x", "1", 4));
  EXPECT_THAT(Kinds(diff), ElementsAre("a changed back", "b said again", "c changed back"));
}

TEST(DiffTest, OnlyTheLastStatementCounts) {
  Diff diff;
  diff.Said(Of("a", "x", "2", 5));
  diff.Said(Of("a", "x", "3", 6));
  diff.Said(Of("a", "x", "4", 9));
  diff.Held(Of("a", "x", "1", 4));
  const std::vector<Change> changes = diff.Changes();
  ASSERT_EQ(changes.size(), 1);
  EXPECT_EQ(changes[0].kind, Change::Kind::kChanged);
  EXPECT_EQ(changes[0].before->said.revision(), 4);
  EXPECT_EQ(changes[0].after.said.revision(), 9);
  EXPECT_EQ(changes[0].statements, 3);
}

TEST(DiffTest, AStatementThatComesAgainCountsOnce) {
  Diff diff;
  for (const int64_t revision : {5, 6, 5, 6}) {
    diff.Said(Of("a", "x", std::to_string(revision), revision));
  }
  ASSERT_EQ(diff.Changes().size(), 1);
  EXPECT_EQ(diff.Changes()[0].statements, 2);
  EXPECT_EQ(diff.Changes()[0].after.said.revision(), 6);
}

TEST(DiffTest, WhatIsAddedAndTakenBackIsWithdrawn) {
  Diff diff;
  diff.Said(Of("a", "x", "2", 5));
  diff.Said(Of("a", "x", "", 6));
  EXPECT_THAT(Kinds(diff), ElementsAre("a withdrawn"));
}

TEST(DiffTest, WhatIsSaidOfAWithdrawnItemChangesIt) {
  Diff diff;
  diff.Said(Of("a", "x", "2", 5));
  diff.Held(Of("a", "x", "", 4));
  EXPECT_THAT(Kinds(diff), ElementsAre("a changed"));
}

TEST(DiffTest, AnotherDayOfObservationIsAChangeAndAnotherSourceIsNone) {
  Diff diff;
  Statement later = Of("a", "x", "1", 5);
  later.said.mutable_item()->set_observed_on("2002-03-31");
  diff.Said(later);
  Statement elsewhere = Of("b", "x", "1", 5);
  elsewhere.source.set_title("another return");
  diff.Said(elsewhere);
  diff.Held(Of("a", "x", "1", 4));
  diff.Held(Of("b", "x", "1", 4));
  EXPECT_THAT(Kinds(diff), ElementsAre("a changed", "b said again"));
}

TEST(DiffTest, NamesEachOrganisationAndCodeOnce) {
  Diff diff;
  diff.Said(Of("b", "x", "2", 5));
  diff.Said(Of("a", "y", "2", 5));
  diff.Said(Of("b", "y", "2", 6));
  EXPECT_THAT(diff.Organisations(), ElementsAre("a", "b"));
  EXPECT_THAT(diff.Codes(), ElementsAre("x", "y"));
}

}  // namespace
}  // namespace starratings::starctl
