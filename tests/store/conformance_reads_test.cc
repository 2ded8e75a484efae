// What it is to be an EvidenceStore: what is read, in which order and pages.
#include <algorithm>
#include <set>
#include <tuple>

#include "common/digest/bucket.h"
#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("council ", i));
  return names;
}

// In the order (bucket, id).
std::vector<std::string> Ordered(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end(), [](const auto& a, const auto& b) {
    return std::pair(digest::BucketOf(a), a) < std::pair(digest::BucketOf(b), b);
  });
  return ids;
}

std::vector<std::string> IdsOf(const std::vector<evidence::Organisation>& organisations) {
  std::vector<std::string> ids;
  for (const evidence::Organisation& organisation : organisations) ids.push_back(organisation.id);
  return ids;
}

// The ids that match, in order; the count must agree.
std::vector<std::string> List(const EvidenceStore& store, const OrganisationFilter& filter,
                              int64_t revision) {
  const auto all = store.ListOrganisations(filter, {}, 1'000, revision, kForever);
  EXPECT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(store.CountOrganisations(filter, revision, kForever).value_or(-1), std::ssize(*all));
  return IdsOf(*all);
}

TEST_P(ConformanceTest, IdentifiersAreTheirBytes) {
  const std::vector<std::string> ids = {"Hull", "hull", "h\xc3\xbcll", "hu\xcc\x88ll", "hull "};
  std::vector<evidence::Organisation> organisations;
  std::vector<EvidenceDraft> drafts;
  for (const std::string& id : ids) {
    organisations.push_back(OrganisationOf(id));
    drafts.push_back({ItemOf(id, "a", evidence::Text{"of " + id}), Nothing()});
  }
  MustCommit(RegisterOrganisations("1", organisations));
  MustCommit(Say("2", drafts));

  EXPECT_EQ(Must(store_->CountOrganisations({}, 2, kForever)), 5);
  for (const std::string& id : ids) EXPECT_EQ(ValueAt(2, id, "a"), "of " + id);
  EXPECT_EQ(ValueAt(2, "HULL", "a"), "nothing");
}

TEST_P(ConformanceTest, AHistoryHoldsEverythingSaidNewestFirst) {
  for (int i = 1; i <= 4; ++i) {
    MustCommit(Say(absl::StrCat(i), {{ItemOf("hull", "a", Number(i)), {}}}));
  }
  MustCommit(Say("5", {{ItemOf("hull", "a", evidence::MissingReason::kWithdrawn), {}}}));
  const auto history = [&](int64_t before, int limit) {
    std::vector<std::string> etags;
    for (const auto& item :
         Must(store_->ReadHistory({"hull", "2001-02", "a", ""}, before, limit, kForever))) {
      etags.push_back(item.Etag());
    }
    return etags;
  };

  EXPECT_THAT(history(6, 10), ElementsAre("5.5", "4.4", "3.3", "2.2", "1.1"));
  EXPECT_THAT(history(6, 2), ElementsAre("5.5", "4.4"));
  EXPECT_THAT(history(4, 2), ElementsAre("3.3", "2.2"));
  EXPECT_THAT(history(1, 2), IsEmpty());
  EXPECT_EQ(ValueAt(5, "hull", "a"), "WITHDRAWN");
  EXPECT_EQ(ValueAt(4, "hull", "a"), "4");
}

TEST_P(ConformanceTest, ItemsAreListedInPagesThatMeet) {
  std::vector<EvidenceDraft> drafts;
  std::set<std::pair<int, evidence::ItemKey>> expected;
  for (const std::string& name : Names(20)) {
    for (const char* period : {"2001-02", "standing"}) {
      for (const char* code : {"a", "b"}) {
        for (const char* instance : {"", "x"}) {
          drafts.push_back({ItemOf(name, code, Number(1), period, instance), {}});
          expected.emplace(digest::BucketOf(name), drafts.back().item.key);
        }
      }
    }
  }
  MustCommit(Say("1", drafts));
  // Half of them move to the past.
  MustCommit(Say("2", {drafts.begin(), drafts.begin() + 80}));

  for (const int64_t revision : {1, 2}) {
    std::vector<std::pair<int, evidence::ItemKey>> all;
    ItemCursor cursor;
    while (true) {
      const auto page = store_->ListItems({}, cursor, 7, revision, kForever);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const auto& item : *page) {
        EXPECT_LE(item.revision, revision);
        all.emplace_back(digest::BucketOf(item.item.key.organisation), item.item.key);
      }
      if (page->size() < 7) break;
      cursor = {all.back().first, all.back().second};
    }
    EXPECT_THAT(all, ElementsAreArray(expected));
  }
}

TEST_P(ConformanceTest, ItemsAreListedByFilter) {
  std::vector<EvidenceDraft> drafts;
  for (const char* name : {"hull", "leeds", "york"}) {
    for (const char* code : {"a", "b"}) {
      drafts.push_back({ItemOf(name, code, Number(1)), {}});
      drafts.push_back({ItemOf(name, code, Number(1), "2002-03"), {}});
    }
  }
  MustCommit(Say("1", drafts));
  const auto count = [&](const ItemFilter& filter) {
    return store_->ListItems(filter, {}, 100, 1, kForever)->size();
  };

  EXPECT_EQ(count({}), 12u);
  EXPECT_EQ(count({{"hull", "york", "hull"}, "", {}}), 8u);
  EXPECT_EQ(count({{"hull"}, "2002-03", {"b"}}), 1u);
  EXPECT_EQ(count({{}, "2002-03", {"a", "b"}}), 6u);
  EXPECT_EQ(count({{"nobody"}, "", {}}), 0u);
  EXPECT_EQ(count({{"hull"}, "standing", {}}), 0u);
}

TEST_P(ConformanceTest, TheRegisterIsReadAsOfARevision) {
  MustCommit(RegisterOrganisations("1", {OrganisationOf("hull", "council", "north")}));
  evidence::Organisation moved = OrganisationOf("hull", "trust", "south");
  moved.to = evidence::Date::FromDays(9);
  moved.from = std::nullopt;
  MustCommit(RegisterOrganisations("2", {moved, OrganisationOf("leeds")}));
  Registration periods;
  periods.periods = {{"2001-02", evidence::Date::FromDays(1), evidence::Date::FromDays(2), "One"}};
  MustCommit(WriteOf("3", periods));
  periods.periods[0].title = "Two";
  periods.periods.push_back(
      {"1999", evidence::Date::FromDays(-3), evidence::Date::FromDays(0), ""});
  MustCommit(WriteOf("4", periods));

  EXPECT_THAT(Must(store_->ListOrganisations({}, {}, 10, 0, kForever)), IsEmpty());
  EXPECT_THAT(Must(store_->ListOrganisations({}, {}, 10, 1, kForever)),
              ElementsAre(OrganisationOf("hull", "council", "north")));
  EXPECT_THAT(Must(store_->ListOrganisations({}, {}, 10, 2, kForever)),
              UnorderedElementsAre(moved, OrganisationOf("leeds")));
  OrganisationFilter councils;
  councils.kinds = {"council"};
  EXPECT_EQ(IdsOf(Must(store_->ListOrganisations(councils, {}, 10, 1, kForever))),
            std::vector<std::string>{"hull"});
  EXPECT_EQ(IdsOf(Must(store_->ListOrganisations(councils, {}, 10, 2, kForever))),
            std::vector<std::string>{"leeds"});
  EXPECT_THAT(Must(store_->FindOrganisations({"york", "leeds", "hull", "hull"}, 2, kForever)),
              ElementsAre("hull", "leeds"));
  EXPECT_THAT(Must(store_->FindOrganisations({"leeds", "hull"}, 1, kForever)), ElementsAre("hull"));
  EXPECT_THAT(Must(store_->ReadPeriods(2, kForever)), IsEmpty());
  EXPECT_EQ(store_->ReadPeriods(3, kForever)->front().title, "One");
  EXPECT_THAT(Must(store_->ReadPeriods(4, kForever)),
              ElementsAre(periods.periods[1], periods.periods[0]));
}

TEST_P(ConformanceTest, PagesAndShardsCoverEveryOrganisationOnce) {
  const std::vector<std::string> ids = Names(50);
  std::vector<evidence::Organisation> organisations;
  for (const std::string& id : ids) organisations.push_back(OrganisationOf(id));
  MustCommit(RegisterOrganisations("1", organisations));
  MustCommit(RegisterOrganisations("2", organisations));  // Two versions are one organisation.

  std::vector<std::string> sharded;
  for (int shard = 0; shard < 3; ++shard) {
    OrganisationFilter filter;
    std::tie(filter.first_bucket, filter.end_bucket) = digest::BucketsOfShard(shard, 3);
    OrganisationCursor cursor;
    while (true) {
      const auto page = store_->ListOrganisations(filter, cursor, 4, 2, kForever);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const auto& organisation : *page) {
        sharded.push_back(organisation.id);
        cursor = {digest::BucketOf(organisation.id), organisation.id};
        EXPECT_GE(cursor.bucket, filter.first_bucket);
        EXPECT_LT(cursor.bucket, filter.end_bucket);
      }
      if (page->size() < 4) break;
    }
  }

  EXPECT_EQ(sharded, Ordered(ids));
  EXPECT_EQ(List(*store_, {}, 2), Ordered(ids));
}

TEST_P(ConformanceTest, AShardHasItsFirstBucketAndNotItsLast) {
  MustCommit(RegisterOrganisations("1", {OrganisationOf("hull")}));
  const int bucket = digest::BucketOf("hull");
  OrganisationFilter filter;
  filter.first_bucket = bucket;
  filter.end_bucket = bucket + 1;
  EXPECT_THAT(List(*store_, filter, 1), ElementsAre("hull"));
  filter.first_bucket = bucket + 1;
  filter.end_bucket = 65'536;
  EXPECT_THAT(List(*store_, filter, 1), IsEmpty());
  filter.first_bucket = 0;
  filter.end_bucket = bucket;
  EXPECT_THAT(List(*store_, filter, 1), IsEmpty());
}

TEST_P(ConformanceTest, ThoseWhoExistedOnADayAreChosen) {
  std::vector<evidence::Organisation> organisations;
  const auto add = [&](const std::string& id, std::optional<int32_t> from,
                       std::optional<int32_t> to) {
    evidence::Organisation organisation = OrganisationOf(id);
    organisation.from = organisation.to = std::nullopt;
    if (from) organisation.from = evidence::Date::FromDays(*from);
    if (to) organisation.to = evidence::Date::FromDays(*to);
    organisations.push_back(organisation);
  };
  add("always", std::nullopt, std::nullopt);
  add("from-that-day", 100, std::nullopt);
  add("from-the-next", 101, std::nullopt);
  add("to-that-day", std::nullopt, 100);
  add("to-the-next", std::nullopt, 101);
  add("of-that-day", 100, 101);
  add("long-ago", -10, -5);
  MustCommit(RegisterOrganisations("1", organisations));
  for (evidence::Organisation& organisation : organisations) {
    organisation.from = evidence::Date::FromDays(200);
    organisation.to = std::nullopt;
  }
  MustCommit(RegisterOrganisations("2", organisations));

  OrganisationFilter filter;
  filter.on_day = evidence::Date::FromDays(100);
  const auto expected = Ordered({"always", "from-that-day", "to-the-next", "of-that-day"});
  EXPECT_EQ(List(*store_, filter, 1), expected);
  EXPECT_THAT(List(*store_, filter, 2), IsEmpty());
  std::vector<std::string> read;
  for (const auto& dossier :
       Must(store_->ReadDossiers(filter, "2001-02", {}, {}, 10, 1, kForever))) {
    read.push_back(dossier.organisation.id);
  }
  EXPECT_EQ(read, expected);
  // Days before 1970 are days, too.
  filter.on_day = evidence::Date::FromDays(-10);
  EXPECT_EQ(List(*store_, filter, 1),
            Ordered({"always", "to-that-day", "to-the-next", "long-ago"}));
  // Together with a page that ends before the end, and with names.
  filter.organisations = {"always", "from-the-next"};
  EXPECT_THAT(List(*store_, filter, 1), ElementsAre("always"));
}

TEST_P(ConformanceTest, FiltersCombine) {
  std::vector<evidence::Organisation> organisations;
  for (int i = 0; i < 40; ++i) {
    organisations.push_back(OrganisationOf(absl::StrCat("c", i), i % 2 == 0 ? "council" : "trust",
                                           i % 4 < 2 ? "north" : "south"));
  }
  MustCommit(RegisterOrganisations("1", organisations));
  RoundAct freeze;
  freeze.round = {"may", "frozen", 0};
  freeze.organisations = {"c0", "c1", "c2", "c4", "unregistered"};
  MustCommit(WriteOf("2", freeze));

  OrganisationFilter filter;
  filter.kinds = {"council", "school"};
  EXPECT_EQ(List(*store_, filter, 1).size(), 20u);
  filter.regions = {"south"};
  EXPECT_EQ(List(*store_, filter, 1).size(), 10u);
  filter.organisations = {"c2", "c0", "c2", "nobody"};
  EXPECT_THAT(List(*store_, filter, 1), ElementsAre("c2"));
  filter = {};
  filter.organisations = {"c3", "c2"};
  EXPECT_EQ(List(*store_, filter, 1), Ordered({"c2", "c3"}));
  // Whom a freeze has chosen is read as they were before it, at the revision
  // that it froze.
  filter = {};
  filter.chosen_by_round = "may";
  EXPECT_EQ(List(*store_, filter, 1), Ordered({"c0", "c1", "c2", "c4"}));
  filter.kinds = {"council"};
  EXPECT_EQ(List(*store_, filter, 1), Ordered({"c0", "c2", "c4"}));
  filter.organisations = {"c4", "c6"};
  EXPECT_THAT(List(*store_, filter, 1), ElementsAre("c4"));
  filter.chosen_by_round = "june";
  EXPECT_THAT(List(*store_, filter, 1), IsEmpty());
}

TEST_P(ConformanceTest, TheOrganisationsOfARoundAreChosenOnce) {
  RoundAct act;
  act.round = {"may", "frozen", 0};
  act.organisations = {"hull"};
  MustCommit(WriteOf("1", act));
  act.round.expected_revision = 1;
  act.organisations = {"leeds"};

  EXPECT_EQ(RefusalOf(WriteOf("2", act)), "FAILED_PRECONDITION ROUND_CHOSEN");
  act.organisations = {};
  EXPECT_EQ(MustCommit(WriteOf("2", act)), 2);
}

TEST_P(ConformanceTest, ADossierHoldsThePeriodAndWhatStands) {
  MustCommit(RegisterOrganisations(
      "1", {OrganisationOf("hull"), OrganisationOf("leeds"), OrganisationOf("york")}));
  MustCommit(Say("2", {{ItemOf("hull", "b", Number(1)), {}},
                       {ItemOf("hull", "a", Number(2), "2001-02", "y"), {}},
                       {ItemOf("hull", "a", Number(3), "2001-02", "x"), {}},
                       {ItemOf("hull", "a", Number(4), "2002-03"), {}},
                       {ItemOf("hull", "b", Number(5), "standing"), {}},
                       {ItemOf("york", "c", Number(6)), {}},
                       {ItemOf("unregistered", "c", Number(7)), {}}}));
  MustCommit(Say("3", {{ItemOf("hull", "b", Number(8)), {}}}));
  const auto dossiers = [&](const OrganisationFilter& filter, const std::vector<std::string>& codes,
                            int64_t revision) {
    std::vector<std::string> lines;
    const auto all = store_->ReadDossiers(filter, "2001-02", codes, {}, 10, revision, kForever);
    EXPECT_TRUE(all.ok()) << all.status();
    for (const evidence::Dossier& dossier : *all) {
      std::string line = dossier.organisation.id + ":";
      for (const auto& item : dossier.items) {
        absl::StrAppend(&line, " ", item.item.key.code, item.item.key.instance, "=",
                        evidence::ToString(item.item.value));
      }
      lines.push_back(line);
    }
    return lines;
  };

  EXPECT_THAT(dossiers({}, {}, 2),
              UnorderedElementsAre("hull: ax=3 ay=2 b=1 b=5", "leeds:", "york: c=6"));
  EXPECT_THAT(dossiers({}, {}, 3),
              UnorderedElementsAre("hull: ax=3 ay=2 b=8 b=5", "leeds:", "york: c=6"));
  EXPECT_THAT(dossiers({}, {}, 1), UnorderedElementsAre("hull:", "leeds:", "york:"));
  OrganisationFilter hull;
  hull.organisations = {"hull"};
  EXPECT_THAT(dossiers(hull, {"b", "z"}, 2), ElementsAre("hull: b=1 b=5"));
  EXPECT_THAT(dossiers(hull, {}, 0), IsEmpty());
  EXPECT_EQ(store_->ReadDossiers({}, "2001-02", {}, {}, 2, 2, kForever)->size(), 2u);
}

TEST_P(ConformanceTest, WhoLastSuppliedACodeIsFoundAcrossPeriods) {
  MustCommit(Say("1", {{ItemOf("hull", "a", Number(1), "2002-03"), {}}}));
  MustCommit(Say("2", {{ItemOf("hull", "a", Number(2), "2000-01"), {}},
                       {ItemOf("hull", "a", Number(3), "1999"), {}},
                       {ItemOf("leeds", "a", Number(4)), {}}}));
  const auto last = [&](const char* organisation, int64_t revision) {
    const auto item = store_->ReadLastSupplied(organisation, "a", revision, kForever);
    return item->has_value() ? evidence::ToString((*item)->item.value) : "nobody";
  };

  EXPECT_EQ(last("hull", 1), "1");
  EXPECT_EQ(last("hull", 2), "2");
  EXPECT_EQ(last("leeds", 1), "nobody");
}

TEST_P(ConformanceTest, RoundsAreListedNewestFirst) {
  for (int i = 1; i <= 5; ++i) {
    RoundAct act;
    act.round = {absl::StrCat("r", i), "open", 0};
    MustCommit(WriteOf(absl::StrCat(i), act));
  }
  RoundAct again;
  again.round = {"r1", "frozen", 1};
  MustCommit(WriteOf("6", again));
  const auto list = [&](int64_t before, int limit) {
    std::vector<std::string> rounds;
    for (const auto& round : Must(store_->ListRounds(before, limit, kForever))) {
      rounds.push_back(absl::StrCat(round.id, "@", round.created));
    }
    return rounds;
  };

  EXPECT_THAT(list(100, 10), ElementsAre("r5@5", "r4@4", "r3@3", "r2@2", "r1@1"));
  EXPECT_THAT(list(100, 2), ElementsAre("r5@5", "r4@4"));
  EXPECT_THAT(list(4, 2), ElementsAre("r3@3", "r2@2"));
  EXPECT_THAT(list(1, 2), IsEmpty());
}

TEST_P(ConformanceTest, StagedRatingsAreReplacedByChunkAndReadInOrder) {
  const auto stage = [&](const std::string& attempt, int64_t chunk,
                         const std::vector<std::string>& ids, const std::string& content) {
    std::vector<StagedRating> ratings;
    for (const std::string& id : ids) ratings.push_back({id, content});
    return store_->StageRatings("may", attempt, chunk, ratings, kForever);
  };
  const auto read = [&](const std::string& attempt, const OrganisationCursor& after, int limit) {
    std::vector<std::string> lines;
    for (const auto& rating : Must(store_->ReadRatings("may", attempt, after, limit, kForever))) {
      lines.push_back(rating.organisation + "=" + rating.content);
    }
    return lines;
  };
  ASSERT_TRUE(stage("one", 0, {"hull", "leeds"}, "a").ok());
  ASSERT_TRUE(stage("one", 1, {"york"}, "a").ok());
  ASSERT_TRUE(stage("two", 0, {"hull"}, "b").ok());
  ASSERT_TRUE(stage("one", 0, {"hull", "derby"}, "c").ok());  // Leeds goes.

  EXPECT_EQ(ReasonOf(stage("one", 2, {"selby", "york"}, "d")), "INVALID_ARGUMENT RATING_REPEATED");
  EXPECT_EQ(ReasonOf(stage("one", 2, {"selby", "selby"}, "d")), "INVALID_ARGUMENT RATING_REPEATED");

  const std::vector<std::string> order = Ordered({"hull", "derby", "york"});
  std::vector<std::string> expected;
  for (const std::string& id : order) expected.push_back(id + (id == "york" ? "=a" : "=c"));
  EXPECT_EQ(read("one", {}, 10), expected);
  EXPECT_THAT(read("one", {digest::BucketOf(order[0]), order[0]}, 1), ElementsAre(expected[1]));
  EXPECT_THAT(read("two", {}, 10), ElementsAre("hull=b"));
  EXPECT_THAT(read("three", {}, 10), IsEmpty());
  const auto hull = Must(store_->ReadRating("may", "one", "hull", kForever));
  ASSERT_TRUE(hull.has_value());
  EXPECT_EQ(hull->content, "c");
  EXPECT_FALSE(store_->ReadRating("may", "one", "leeds", kForever)->has_value());
  EXPECT_EQ(Head(), 0);  // Staging takes no revision.
}

}  // namespace
}  // namespace starratings::store
