// What it is to be an EvidenceStore: the log as it is followed, and times and
// imports beside it.
#include <algorithm>
#include <utility>

#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<EvidenceDraft> Drafts(int count, int from = 0) {
  std::vector<EvidenceDraft> drafts;
  // Not in the order of the key: the log has the order of the write.
  for (int i = count; i > 0; --i) {
    drafts.push_back({ItemOf("hull", absl::StrCat("c", i), Number(from + i)), {}});
  }
  return drafts;
}

// `3 evidence by ... "because": c2=2 c1=1`
std::string Describe(const LoggedRevision& logged) {
  static constexpr const char* kKinds[] = {"evidence", "registration", "scheme", "round"};
  std::string line =
      absl::StrCat(logged.commit.revision, " ", kKinds[static_cast<size_t>(logged.kind)], " ",
                   logged.request_id, " by ", logged.commit.actor, " for ",
                   logged.commit.on_behalf_of, " as ", logged.commit.reason, ":");
  for (const evidence::RecordedItem& item : logged.items) {
    absl::StrAppend(&line, "\n  ", store::Describe(item));
  }
  return line;
}

// The log after `after` up to `upto`, read in parts of `items_most` items and
// put together again; checks the rules of the parts on the way.
std::vector<LoggedRevision> ReadInParts(const EvidenceStore& store, LogCursor after, int64_t upto,
                                        int items_most) {
  std::vector<LoggedRevision> whole;
  while (true) {
    const auto log = Must(store.ReadLog(after, upto, items_most, kForever));
    if (log.empty()) return whole;
    int64_t items = 0;
    for (size_t i = 0; i < log.size(); ++i) {
      const LoggedRevision& part = log[i];
      items += std::max<int64_t>(1, std::ssize(part.items));
      EXPECT_TRUE(!part.more || i + 1 == log.size()) << "only the last may be in part";
      EXPECT_TRUE(!part.more || !part.items.empty()) << "a part has something";
      EXPECT_EQ(part.first, i == 0 && after.items != LogCursor::kWhole ? after.items : 0);
      if (part.first > 0) {
        EXPECT_EQ(part.commit.revision, whole.back().commit.revision);
        whole.back().items.insert(whole.back().items.end(), part.items.begin(), part.items.end());
      } else {
        whole.push_back(part);
      }
      whole.back().more = part.more;
    }
    EXPECT_LE(items, items_most);
    const LoggedRevision& last = log.back();
    after = {last.commit.revision,
             last.more ? last.first + std::ssize(last.items) : LogCursor::kWhole};
  }
}

std::vector<std::string> Describe(const std::vector<LoggedRevision>& log) {
  std::vector<std::string> lines;
  for (const LoggedRevision& logged : log) lines.push_back(Describe(logged));
  return lines;
}

std::vector<int64_t> RevisionsOf(const std::vector<LoggedRevision>& log) {
  std::vector<int64_t> revisions;
  for (const LoggedRevision& logged : log) revisions.push_back(logged.commit.revision);
  return revisions;
}

TEST_P(ConformanceTest, TheLogSaysWhoWroteWhatAndWhy) {
  Write batch = Say("one", Drafts(2));
  batch.on_behalf_of = "spiffe://test/bob";
  batch.reason = "";
  MustCommit(batch);
  MustCommit(RegisterOrganisations("two", {OrganisationOf("hull")}));
  MustCommit(WriteOf("three", SchemeDraft{"england", "2002", std::string(64, 'a'), "text"}));
  RoundAct act;
  act.round = {"may", "published", 0};
  act.states = {{ItemOf("hull", "list", evidence::Level{"on"}, "standing"), {}}};
  MustCommit(WriteOf("four", act));

  const auto log = Must(store_->ReadLog({}, 4, 100, kForever));

  ASSERT_EQ(log.size(), 4u);
  const auto item = [&](const char* code, const char* period = "2001-02") {
    return store::Describe(**store_->ReadItem({"hull", period, code, ""}, 4, kForever));
  };
  EXPECT_EQ(Describe(log[0]), "1 evidence one by spiffe://test/ann for spiffe://test/bob as :\n  " +
                                  item("c2") + "\n  " + item("c1"));
  EXPECT_EQ(Describe(log[1]), "2 registration two by spiffe://test/ann for  as because:");
  EXPECT_EQ(Describe(log[2]), "3 scheme three by spiffe://test/ann for  as because:");
  EXPECT_EQ(Describe(log[3]),
            "4 round four by spiffe://test/ann for  as because:\n  " + item("list", "standing"));
}

TEST_P(ConformanceTest, TheLogNamesTheRoundsThatARevisionChanged) {
  RoundAct act;
  act.round = {"may", "open", 0};
  MustCommit(WriteOf("1", act));
  MustCommit(Say("2", Drafts(1)));
  act.round = {"june", "published", 0};
  act.others = {{"may", "superseded", 1}};
  for (int i = 0; i < 5; ++i) {
    act.states.push_back({ItemOf(absl::StrCat("o", i), "list", evidence::Level{"on"}), {}});
  }
  MustCommit(WriteOf("3", act));

  const auto log = Must(store_->ReadLog({}, 3, 100, kForever));
  ASSERT_EQ(log.size(), 3u);
  EXPECT_THAT(log[0].rounds, ElementsAre("may"));
  EXPECT_THAT(log[1].rounds, IsEmpty());
  EXPECT_THAT(log[2].rounds, ElementsAre("june", "may"));

  // With its last part, and not before.
  const auto begun = Must(store_->ReadLog({2}, 3, 3, kForever));
  ASSERT_TRUE(begun.size() == 1 && begun[0].more);
  EXPECT_THAT(begun[0].rounds, IsEmpty());
  const auto rest = Must(store_->ReadLog({3, 3}, 3, 3, kForever));
  ASSERT_TRUE(rest.size() == 1 && !rest[0].more);
  EXPECT_THAT(rest[0].rounds, ElementsAre("june", "may"));
}

TEST_P(ConformanceTest, ItemsInTheLogAreThoseOfTheirRevision) {
  for (int i = 1; i <= 3; ++i) {
    MustCommit(Say(absl::StrCat(i), {{ItemOf("hull", "a", Number(i)), {}}}));
  }

  std::vector<std::string> said;
  for (const LoggedRevision& logged : Must(store_->ReadLog({}, 3, 10, kForever))) {
    const evidence::RecordedItem& item = logged.items.at(0);
    said.push_back(absl::StrCat(evidence::ToString(item.item.value), " ", item.Etag()));
    EXPECT_EQ(item.recorded_at_us, logged.commit.time_us);
  }

  EXPECT_THAT(said, ElementsAre("1 1.1", "2 2.2", "3 3.3"));
}

TEST_P(ConformanceTest, TheLogIsReadInPartsThatMeet) {
  MustCommit(Say("1", Drafts(5)));
  MustCommit(RegisterOrganisations("2", {OrganisationOf("hull")}));
  MustCommit(Say("3", {}));  // Says nothing, and is a revision.
  MustCommit(Say("4", Drafts(1, 10)));
  MustCommit(Say("5", Drafts(7, 20)));
  const std::vector<std::string> whole = Describe(Must(store_->ReadLog({}, 5, 100, kForever)));
  ASSERT_EQ(whole.size(), 5u);

  for (int items_most = 1; items_most <= 16; ++items_most) {
    SCOPED_TRACE(absl::StrCat(items_most, " items at most"));
    EXPECT_EQ(Describe(ReadInParts(*store_, {}, 5, items_most)), whole);
  }
}

TEST_P(ConformanceTest, ABigRevisionIsTakenUpWhereItWasLeft) {
  MustCommit(Say("1", Drafts(3)));
  MustCommit(Say("2", Drafts(4, 10)));

  const auto first = Must(store_->ReadLog({}, 2, 5, kForever));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_FALSE(first[0].more);
  EXPECT_TRUE(first[1].more);
  EXPECT_EQ(first[1].items.size(), 2u);

  const auto rest = Must(store_->ReadLog({2, 2}, 2, 5, kForever));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].first, 2);
  EXPECT_EQ(rest[0].items.size(), 2u);
  EXPECT_FALSE(rest[0].more);
  EXPECT_EQ(rest[0].items[1].item.key.code, "c1");
  EXPECT_THAT(Must(store_->ReadLog({2}, 2, 5, kForever)), IsEmpty());

  // As many as there is room for are all there are.
  EXPECT_FALSE(Must(store_->ReadLog({}, 1, 3, kForever)).front().more);
}

TEST_P(ConformanceTest, TheLogEndsWhereItsReaderSays) {
  for (int i = 1; i <= 6; ++i) MustCommit(Say(absl::StrCat(i), Drafts(1, i)));

  const auto revisions = [&](int64_t after, int64_t upto, int items_most) {
    return RevisionsOf(Must(store_->ReadLog({after}, upto, items_most, kForever)));
  };
  EXPECT_THAT(revisions(0, 6, 100), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(revisions(2, 4, 100), ElementsAre(3, 4));
  EXPECT_THAT(revisions(2, 6, 2), ElementsAre(3, 4));
  EXPECT_THAT(revisions(6, 6, 100), IsEmpty());
  EXPECT_THAT(revisions(4, 3, 100), IsEmpty());
  EXPECT_THAT(revisions(0, 0, 100), IsEmpty());
}

// Whatever a writer was answered, a follower finds.
TEST_P(ConformanceTest, EveryRevisionThatAWriterGotIsInTheLog) {
  std::vector<int64_t> answered;
  for (int group = 0; group < 10; ++group) {
    std::vector<Write> writes;
    for (int i = 0; i < 5; ++i) {
      // Half of it was sent before; every third is refused.
      const int id = group * 3 + i;
      writes.push_back(
          Say(absl::StrCat("request ", id), {{ItemOf("hull", absl::StrCat("c", id), Number(id)),
                                              id % 3 == 2 ? Etag("9.9") : Expectation()}}));
    }
    if (group == 7) writes.clear();  // A group of nothing is none.
    for (const auto& written : CommitAll(writes)) {
      if (written.ok()) answered.push_back(written->revision);
    }
  }
  std::sort(answered.begin(), answered.end());
  answered.erase(std::unique(answered.begin(), answered.end()), answered.end());

  EXPECT_EQ(RevisionsOf(Must(store_->ReadLog({}, Head(), 1'000, kForever))), answered);
  EXPECT_EQ(std::ssize(answered), Head());
}

TEST_P(ConformanceTest, ATimeNamesTheNewestRevisionUntilThen) {
  EXPECT_EQ(Must(store_->FindRevision(absl::ToUnixMicros(absl::Now()), kForever)), 0);
  std::vector<Write> group;
  for (int i = 1; i <= 20; ++i) {
    group.push_back(Say(absl::StrCat(i), {{ItemOf("hull", "a", Number(i)), {}}}));
  }
  CommitAll({group.begin(), group.begin() + 10});
  CommitAll({group.begin() + 10, group.end()});
  const auto log = Must(store_->ReadLog({}, 20, 100, kForever));
  ASSERT_EQ(log.size(), 20u);

  for (const int64_t step : {-1, 0, 1}) {
    for (const LoggedRevision& logged : log) {
      const int64_t time_us = logged.commit.time_us + step;
      int64_t expected = 0;
      for (const LoggedRevision& other : log) {
        if (other.commit.time_us <= time_us) expected = other.commit.revision;
      }
      EXPECT_EQ(Must(store_->FindRevision(time_us, kForever)), expected);
    }
  }
  EXPECT_EQ(Must(store_->FindRevision(0, kForever)), 0);
  EXPECT_EQ(Must(store_->FindRevision(INT64_MAX, kForever)), 20);
}

TEST_P(ConformanceTest, ImportsAreNotedAndForgotten) {
  const auto listed = [&](int64_t since_us) {
    std::vector<std::string> lines;
    for (const ImportNote& note : Must(store_->ListImports(since_us, kForever))) {
      lines.push_back(absl::StrCat(note.id, " ", note.actor, " ", note.title, " ", note.items, "/",
                                   note.items_total, " at ", note.seen_us));
    }
    return lines;
  };
  EXPECT_THAT(listed(0), IsEmpty());
  ASSERT_TRUE(store_->NoteImport({"b", "ann", "Returns", 10, 0, 100}, kForever).ok());
  ASSERT_TRUE(store_->NoteImport({"B", "bob", "Visits", 0, 7, 200}, kForever).ok());
  ASSERT_TRUE(store_->NoteImport({"a", "ann", "", 1, 1, 300}, kForever).ok());
  EXPECT_THAT(listed(0), ElementsAre("B bob Visits 0/7 at 200", "a ann  1/1 at 300",
                                     "b ann Returns 10/0 at 100"));
  ASSERT_TRUE(store_->NoteImport({"b", "ann", "Returns", 20, 30, 250}, kForever).ok());
  EXPECT_THAT(listed(250), ElementsAre("a ann  1/1 at 300", "b ann Returns 20/30 at 250"));
  EXPECT_THAT(listed(301), IsEmpty());

  ASSERT_TRUE(store_->ForgetImport("a", kForever).ok());
  ASSERT_TRUE(store_->ForgetImport("a", kForever).ok());
  ASSERT_TRUE(store_->ForgetImport("none", kForever).ok());

  EXPECT_THAT(listed(0), ElementsAre("B bob Visits 0/7 at 200", "b ann Returns 20/30 at 250"));
  EXPECT_EQ(Head(), 0);  // No part of the log.
  EXPECT_THAT(Must(store_->ReadLog({}, 0, 10, kForever)), IsEmpty());
}

TEST_P(ConformanceTest, TheLogAndImportsHonourADeadline) {
  const absl::Time passed = absl::Now() - absl::Seconds(1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(store_->ReadLog({}, 0, 10, passed).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(store_->FindRevision(0, passed).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(store_->ListImports(0, passed).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(store_->NoteImport({"a", "", "", 0, 0, 1}, passed)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(store_->ForgetImport("a", passed)));
  EXPECT_THAT(Must(store_->ListImports(0, kForever)), IsEmpty());
}

}  // namespace
}  // namespace starratings::store
