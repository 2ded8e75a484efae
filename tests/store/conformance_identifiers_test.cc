// What it is to be an EvidenceStore: identifiers are their bytes. Two that look
// the same, or differ only in case, are two; their order is that of the bytes,
// whatever language the database was set up in.
#include <algorithm>
#include <utility>

#include "common/digest/bucket.h"
#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

// Pairs that a language would compare as equal, or the other way round; sorted.
const std::vector<std::string>& Names() {
  static const auto* const names = new std::vector<std::string>([] {
    std::vector<std::string> all = {
        "A",
        "B",
        "a",
        "b",
        "a b",
        "a-b",
        "ab",
        "a_b",
        "10",
        "9",
        "\xc3\xa9",
        "e\xcc\x81",  // An e with an acute accent, in both forms.
        "\xc3\x89",
        "e",
        "z",
        "\xc3\xa4",  // Of which some sort after z.
        "\xc3\x9f",
        "ss",
        "\xc4\xb0",
        "i",  // Equal when folded.
        "\xef\xac\x81",
        "fi",  // A ligature.
        "\xf0\x9f\x98\x80",
        "\xef\xbf\xbd",  // UTF-16 sorts these otherwise.
    };
    std::sort(all.begin(), all.end());
    return all;
  }());
  return *names;
}

TEST_P(ConformanceTest, EveryPartOfAKeyIsItsBytes) {
  std::vector<EvidenceDraft> drafts;
  for (const std::string& name : Names()) {
    drafts.push_back({ItemOf("hull", name, evidence::Text{"code " + name}), Nothing()});
    drafts.push_back(
        {ItemOf("hull", "c", evidence::Text{"instance " + name}, "2001-02", name), Nothing()});
    drafts.push_back({ItemOf("hull", "c", evidence::Text{"period " + name}, name), Nothing()});
    drafts.push_back({ItemOf(name, "c", evidence::Text{"organisation " + name}), Nothing()});
  }
  MustCommit(Say("1", drafts));

  for (const EvidenceDraft& draft : drafts) {
    const auto item = Must(store_->ReadItem(draft.item.key, 1, kForever));
    ASSERT_TRUE(item.has_value());
    EXPECT_EQ(evidence::ToString(item->item.value), evidence::ToString(draft.item.value));
    EXPECT_EQ(item->ordinal, 1);
  }
  // By bytes, also from page to page.
  std::vector<evidence::ItemKey> expected;
  for (const EvidenceDraft& draft : drafts) {
    if (draft.item.key.organisation == "hull") expected.push_back(draft.item.key);
  }
  std::sort(expected.begin(), expected.end());
  for (const int limit : {1, 7, 1'000}) {
    std::vector<evidence::ItemKey> listed;
    ItemCursor after;
    while (true) {
      const auto page = Must(store_->ListItems({{"hull"}, "", {}}, after, limit, 1, kForever));
      for (const auto& item : page) listed.push_back(item.item.key);
      if (std::ssize(page) < limit) break;
      after = {digest::BucketOf("hull"), listed.back()};
    }
    EXPECT_EQ(listed, expected);
  }
  EXPECT_EQ(Must(store_->ListItems({{"hull"}, "A", {}}, {}, 99, 1, kForever)).size(), 1u);
  EXPECT_EQ(Must(store_->ListItems({{"hull"}, "", {"A", "\xc3\xa9"}}, {}, 99, 1, kForever)).size(),
            2u);
}

TEST_P(ConformanceTest, EveryEntryOfTheRegisterIsItsBytes) {
  Registration registration;
  for (const std::string& name : Names()) {
    registration.organisations.push_back(OrganisationOf(name));
    registration.periods.push_back(
        {name, evidence::Date::FromDays(1), evidence::Date::FromDays(2), "Title"});
    registration.codes.push_back(
        {{name, "Title", evidence::Kind::kIndicator, evidence::ValueType::kDecimal, "", {}, {}, {}},
         0});
  }
  std::reverse(registration.codes.begin(), registration.codes.end());
  std::reverse(registration.periods.begin(), registration.periods.end());
  MustCommit(WriteOf("1", registration));

  std::vector<std::string> periods;
  for (const auto& period : Must(store_->ReadPeriods(1, kForever))) periods.push_back(period.id);
  EXPECT_EQ(periods, Names());
  std::vector<std::string> codes;
  for (const auto& code : Must(store_->ReadCodes(1, kForever))) codes.push_back(code.code.id);
  EXPECT_EQ(codes, Names());
  std::vector<std::string> backwards(Names().rbegin(), Names().rend());
  EXPECT_EQ(Must(store_->FindOrganisations(backwards, 1, kForever)), Names());
  EXPECT_EQ(Must(store_->CountOrganisations({}, 1, kForever)), std::ssize(Names()));
  for (const std::string& name : Names()) {
    OrganisationFilter filter;
    filter.organisations = {name};
    const auto found = Must(store_->ListOrganisations(filter, {}, 9, 1, kForever));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].id, name);
  }
}

TEST_P(ConformanceTest, RequestIdsAndActorsAreTheirBytes) {
  std::vector<Write> group;
  for (const std::string& name : Names()) {
    group.push_back(Say(name, {{ItemOf("hull", name, Number(1)), Nothing()}}));
    group.push_back(Say("the same", {{ItemOf("leeds", name, Number(1)), Nothing()}}));
    group.back().actor = name;
  }
  const auto answers = CommitAll(group);
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(Describe(answers[i]), absl::StrCat("at ", i + 1));
  }
  const auto again = CommitAll(group);
  for (size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(Describe(again[i]), absl::StrCat("at ", i + 1, " again"));
  }
}

TEST_P(ConformanceTest, RoundsSchemesAndRatingsAreTheirBytes) {
  int64_t revision = 0;
  for (const std::string& name : Names()) {
    RoundAct act;
    act.round = {name, "round " + name, 0};
    act.organisations = {name};
    EXPECT_EQ(MustCommit(WriteOf("round " + name, act)), ++revision);
    const std::string digest = digest::ToHex(digest::Sha256(name));
    EXPECT_EQ(MustCommit(WriteOf("scheme " + name, SchemeDraft{name, name, digest, name})),
              ++revision);
    ASSERT_TRUE(store_->StageRatings(name, "1", 0, {{name, "rating"}}, kForever).ok());
    ASSERT_TRUE(store_->StageRatings("may", name, 0, {{name, "rating"}}, kForever).ok());
  }
  std::vector<StagedRating> all;
  for (const std::string& name : Names()) all.push_back({name, name});
  ASSERT_TRUE(store_->StageRatings("may", "all", 0, all, kForever).ok());

  for (const std::string& name : Names()) {
    const auto round = Must(store_->ReadRound(name, revision, kForever));
    ASSERT_EQ(round.size(), 1u);
    EXPECT_EQ(round[0].content, "round " + name);
    const auto scheme = Must(store_->ReadScheme(name + "@" + name, kForever));
    ASSERT_TRUE(scheme.has_value());
    EXPECT_EQ(scheme->text, name);
    EXPECT_EQ(Must(store_->ReadRatings(name, "1", {}, 99, kForever)).size(), 1u);
    EXPECT_EQ(Must(store_->ReadRatings("may", name, {}, 99, kForever)).size(), 1u);
    const auto rating = Must(store_->ReadRating("may", "all", name, kForever));
    ASSERT_TRUE(rating.has_value());
    EXPECT_EQ(rating->content, name);
  }
  EXPECT_EQ(Must(store_->ListRounds(INT64_MAX, 999, kForever)).size(), Names().size());
}

}  // namespace
}  // namespace starratings::store
