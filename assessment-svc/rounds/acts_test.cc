#include "assessment-svc/rounds/acts.h"

#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::rounds {
namespace {

using evidence::Date;
using status::DetailOf;

Date Day(const char* text) { return *Date::Parse(text); }

History In(State state) {
  History history;
  history.round.id = "2002-05";
  history.round.state = state;
  history.round.scheme_id = "england";
  history.round.scheme_version = "1";
  history.round.date = Day("2002-05-30");
  history.acts = {{State::kOpen, "planner", 3}, {State::kFrozen, "freezer", 7}};
  history.acts.push_back({state, "somebody", 12});
  return history;
}

struct DeedCase {
  Deed deed;
  std::string allowed;  // One letter for each state, O F R P S W.
};

class DeedTest : public testing::TestWithParam<DeedCase> {};

TEST_P(DeedTest, IsAllowedInItsStatesOnly) {
  const std::string letters = "OFRPSW";
  for (int i = 1; i <= 6; ++i) {
    const auto state = static_cast<State>(i);
    const bool allowed =
        GetParam().allowed.find(letters[static_cast<size_t>(i - 1)]) != std::string::npos;
    EXPECT_EQ(MayBeDone(GetParam().deed, state), allowed) << ToString(state);

    const absl::Status status = CheckDeed(GetParam().deed, In(state), "r12");
    EXPECT_EQ(status.ok(), allowed) << status;
    if (allowed) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(DetailOf(status).reason, "ROUND_STATE");
    EXPECT_EQ(DetailOf(status).preconditions.at(0).subject, "rounds/2002-05");
  }
}

INSTANTIATE_TEST_SUITE_P(Deeds, DeedTest,
                         testing::Values(DeedCase{Deed::kFreeze, "O"},
                                         DeedCase{Deed::kRecordRatings, "F"},
                                         DeedCase{Deed::kPublish, "R"},
                                         DeedCase{Deed::kSupersede, "P"},
                                         DeedCase{Deed::kWithdraw, "OFRPS"}));

TEST(CheckDeedTest, AnotherEtagIsAbortedWithTheOneThatIsThere) {
  const absl::Status status = CheckDeed(Deed::kPublish, In(State::kRated), "r7");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(status).reason, "ETAG_MISMATCH");
  EXPECT_EQ(DetailOf(status).metadata.at("etag"), "r12");
}

TEST(CheckPublisherTest, WhoFrozeMayNotPublish) {
  const absl::Status status = CheckPublisher(In(State::kRated), "freezer");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(DetailOf(status).reason, "FOUR_EYES");
  EXPECT_TRUE(CheckPublisher(In(State::kRated), "planner").ok());
}

TEST(HistoryTest, IsPublicOnceItWasPublished) {
  for (const State state : {State::kOpen, State::kFrozen, State::kRated, State::kWithdrawn}) {
    EXPECT_FALSE(In(state).IsPublic()) << ToString(state);
  }
  History withdrawn = In(State::kPublished);
  withdrawn.acts.push_back({State::kWithdrawn, "somebody", 14});
  withdrawn.round.state = State::kWithdrawn;
  EXPECT_TRUE(withdrawn.IsPublic());
  EXPECT_EQ(withdrawn.PublishedAt(), 12);
}

TEST(CheckSeenDigestTest, AnotherDigestIsRefused) {
  Round round = In(State::kRated).round;
  round.round_digest = "ab";
  EXPECT_TRUE(CheckSeenDigest(round, "ab").ok());
  EXPECT_EQ(DetailOf(CheckSeenDigest(round, "cd")).reason, "ROUND_DIGEST_CHANGED");
}

struct ForceCase {
  std::string name;
  std::string from;
  std::string to;
  bool in_force;

  friend void PrintTo(const ForceCase& c, std::ostream* os) { *os << c.name; }
};

class ForceTest : public testing::TestWithParam<ForceCase> {};

TEST_P(ForceTest, IsJudgedAtTheRoundsDate) {
  const ForceCase& c = GetParam();
  std::optional<Date> to;
  if (!c.to.empty()) to = Day(c.to.c_str());
  const absl::Status status = CheckInForce(In(State::kOpen).round, Day(c.from.c_str()), to);
  EXPECT_EQ(status.ok(), c.in_force) << status;
  if (!c.in_force) {
    EXPECT_EQ(DetailOf(status).reason, "NO_SCHEME_IN_FORCE");
  }
}

INSTANTIATE_TEST_SUITE_P(Edges, ForceTest,
                         testing::ValuesIn<ForceCase>({
                             {"FromThatDay", "2002-05-30", "", true},
                             {"FromTheNextDay", "2002-05-31", "", false},
                             {"UntilThatDay", "2002-01-01", "2002-05-30", false},
                             {"UntilTheNextDay", "2002-01-01", "2002-05-31", true},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(RefreshTest, OnlyAPublishedRoundIsRefreshed) {
  for (int i = 1; i <= 6; ++i) {
    const Round round = In(static_cast<State>(i)).round;
    EXPECT_EQ(CheckRefreshable(round).ok(), round.state == State::kPublished);
    EXPECT_EQ(CheckSupersedable(round).ok(),
              round.state == State::kPublished || round.state == State::kWithdrawn);
  }
}

TEST(StateTest, NamesReadBack) {
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(StateFromString(ToString(static_cast<State>(i))), static_cast<State>(i));
  }
  EXPECT_FALSE(StateFromString("DRAFT").has_value());
}

}  // namespace
}  // namespace starratings::rounds
