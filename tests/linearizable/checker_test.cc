#include "tests/linearizable/checker.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::linearizable {
namespace {

using testing::HasSubstr;

Operation Submit(int64_t call, int64_t finish, const char* value, Etag seen,
                 std::optional<Etag> expected = std::nullopt) {
  Operation operation;
  operation.key = "hull";
  operation.kind = Operation::Kind::kSubmit;
  operation.call = call;
  operation.finish = finish;
  operation.value = value;
  operation.seen = seen;
  operation.expected = expected;
  return operation;
}

Operation Mismatch(int64_t call, int64_t finish, Etag expected, Etag seen) {
  Operation operation = Submit(call, finish, "refused", seen, expected);
  operation.outcome = Operation::Outcome::kMismatch;
  return operation;
}

Operation Unknown(int64_t call, const char* value, std::optional<Etag> expected = std::nullopt) {
  Operation operation = Submit(call, Operation::kNever, value, {}, expected);
  operation.outcome = Operation::Outcome::kUnknown;
  return operation;
}

Operation Read(int64_t call, int64_t finish, Etag seen, const char* value) {
  Operation operation;
  operation.key = "hull";
  operation.call = call;
  operation.finish = finish;
  operation.seen = seen;
  operation.value_seen = value;
  return operation;
}

constexpr Etag kNothing = {};

struct Case {
  const char* name;
  bool is_linearizable;
  std::vector<Operation> history;
};

class CheckTest : public testing::TestWithParam<Case> {};

TEST_P(CheckTest, HasTheKnownVerdict) {
  const Verdict verdict = Check(GetParam().history);

  EXPECT_EQ(verdict.kind, GetParam().is_linearizable ? Verdict::Kind::kLinearizable
                                                     : Verdict::Kind::kNotLinearizable)
      << verdict.explanation;
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckTest,
    testing::Values(
        Case{"Nothing", true, {}}, Case{"NothingIsRead", true, {Read(1, 2, kNothing, "")}},
        Case{"OneAfterTheOther",
             true,
             {Submit(1, 2, "a", {1, 1}, kNothing), Read(3, 4, {1, 1}, "a"),
              Submit(5, 6, "b", {2, 7}, Etag{1, 1}), Read(7, 8, {2, 7}, "b")}},
        Case{"OverlappingReadsMaySeeEither",
             true,
             {Submit(1, 10, "a", {1, 1}), Read(2, 9, kNothing, ""), Read(3, 8, {1, 1}, "a")}},
        // Once the new value was read, the old one is past.
        Case{"ReadsGoBack",
             false,
             {Submit(1, 10, "a", {1, 1}), Read(2, 3, {1, 1}, "a"), Read(4, 5, kNothing, "")}},
        Case{"AStaleRead",
             false,
             {Submit(1, 2, "a", {1, 1}), Submit(3, 4, "b", {2, 2}), Read(5, 6, {1, 1}, "a")}},
        Case{"TheSameReadAMomentEarlier",
             true,
             {Submit(1, 2, "a", {1, 1}), Submit(3, 5, "b", {2, 2}), Read(5, 6, {1, 1}, "a")}},
        Case{"AReadFromTheFuture", false, {Read(1, 2, {1, 1}, "a"), Submit(3, 4, "a", {1, 1})}},
        Case{
            "AnotherValueThanWasSaid", false, {Submit(1, 2, "a", {1, 1}), Read(3, 4, {1, 1}, "b")}},
        Case{"ALostWrite",
             false,
             {Submit(1, 5, "a", {1, 1}, kNothing), Submit(1, 5, "b", {1, 2}, kNothing)}},
        Case{"ALostUpdate",
             false,
             {Submit(1, 2, "a", {1, 1}), Submit(3, 9, "b", {2, 2}, Etag{1, 1}),
              Submit(3, 9, "c", {2, 3}, Etag{1, 1})}},
        Case{"AnAcknowledgedWriteThatNobodySees",
             false,
             {Submit(1, 2, "a", {1, 1}), Read(3, 4, kNothing, "")}},
        Case{"RevisionsGoBack", false, {Submit(1, 2, "a", {1, 9}), Submit(3, 4, "b", {2, 8})}},
        Case{"OfTwoOneIsRefused",
             true,
             {Submit(1, 2, "a", {1, 1}), Submit(3, 9, "b", {2, 2}, Etag{1, 1}),
              Mismatch(3, 8, {1, 1}, {2, 2})}},
        Case{"RefusedForWhatIsNotThere",
             false,
             {Submit(1, 2, "a", {1, 1}), Mismatch(3, 4, {1, 1}, {2, 2})}},
        Case{"RefusedForWhatIsAsExpected",
             false,
             {Submit(1, 2, "a", {1, 1}), Mismatch(3, 4, {1, 1}, {1, 1})}},
        Case{"AcceptedOverWhatIsNotThere",
             false,
             {Submit(1, 2, "a", {1, 1}), Submit(3, 4, "b", {2, 2}, kNothing)}},
        Case{"AnUnknownThatHappened",
             true,
             {Unknown(1, "a"), Read(2, 3, kNothing, ""), Read(4, 5, {1, 1}, "a")}},
        Case{"AnUnknownThatDidNot", true, {Unknown(1, "a"), Submit(2, 3, "b", {1, 1})}},
        Case{"AnUnknownThatNobodySawHappened",
             true,
             {Unknown(1, "a"), Submit(2, 3, "b", {2, 2}), Read(4, 5, {2, 2}, "b")}},
        Case{"AnUnknownBeforeItWasCalled", false, {Read(1, 2, {1, 1}, "a"), Unknown(3, "a")}},
        Case{"AnUnknownHappensOnce",
             false,
             {Unknown(1, "a"), Read(2, 3, {1, 1}, "a"), Submit(4, 5, "b", {2, 2}),
              Read(6, 7, {3, 3}, "a")}},
        Case{"AnUnknownThatNobodyCanHaveMissed",
             false,
             {Unknown(1, "a"), Submit(2, 3, "b", {3, 3})}},
        Case{"AnUnknownOverWhatWasThere",
             true,
             {Submit(1, 2, "a", {1, 1}), Unknown(3, "b", Etag{1, 1}),
              Mismatch(4, 5, {1, 1}, {2, 4}), Read(6, 7, {2, 4}, "b")}},
        Case{"AnUnknownOverWhatWasNot",
             false,
             {Submit(1, 2, "a", {1, 1}), Unknown(3, "b", kNothing), Read(4, 5, {2, 2}, "b")}},
        // The first unknown's etag shows only in what the second was put over.
        Case{"AnUnknownOverAnUnknown",
             true,
             {Unknown(1, "a"), Unknown(2, "b", Etag{1, 5}), Read(3, 4, {2, 6}, "b")}},
        Case{"AnEtagIsSeenAsOneThing",
             false,
             {Unknown(1, "a"), Read(2, 3, {1, 5}, "a"), Read(4, 5, {1, 6}, "a")}}),
    [](const auto& test) { return test.param.name; });

TEST(CheckerTest, SaysWhichItemAndWhatCannotBeNext) {
  std::vector<Operation> history = {Submit(1, 2, "a", {1, 1}), Submit(3, 4, "b", {2, 2}),
                                    Read(5, 6, {1, 1}, "a")};
  for (Operation& operation : history) operation.key = "leeds";
  history.push_back(Submit(1, 2, "a", {1, 1}));

  const Verdict verdict = Check(history);

  EXPECT_EQ(verdict.kind, Verdict::Kind::kNotLinearizable);
  EXPECT_EQ(verdict.key, "leeds");
  EXPECT_EQ(verdict.explanation,
            "after 2 of 3 operations the item is 2.2 \"b\"; none of these can be next:\n"
            "  client 0 read 1.1 \"a\" [5, 6]");
}

// 8 clients, each called before the last has returned; the orders are many.
std::vector<Operation> LongHistory(int64_t length) {
  std::vector<Operation> history;
  for (int64_t i = 1; i <= length; ++i) {
    history.push_back(Submit(i * 10, i * 10 + 75, "v", {i, i}));
    history.push_back(Read(i * 10 + 1, i * 10 + 79, {i, i}, "v"));
  }
  return history;
}

TEST(CheckerTest, LongHistoriesTakeNoLongTime) {
  std::vector<Operation> history = LongHistory(10'000);
  EXPECT_EQ(Check(history).kind, Verdict::Kind::kLinearizable);

  history[15'001].seen = {7'000, 7'000};  // Stale, in the midst of it.
  EXPECT_EQ(Check(history).kind, Verdict::Kind::kNotLinearizable);
}

TEST(CheckerTest, UnknownsThatNeverHappenedTakeNoLongTime) {
  std::vector<Operation> history = LongHistory(500);
  for (int64_t i = 0; i < 50; ++i) history.push_back(Unknown(i * 100, "never"));

  EXPECT_EQ(Check(history).kind, Verdict::Kind::kLinearizable);
}

TEST(CheckerTest, GivesUpWhenAsked) {
  EXPECT_EQ(Check(LongHistory(100), 50).kind, Verdict::Kind::kGaveUp);
}

absl::StatusOr<std::vector<Operation>> ReadText(const std::string& text) {
  std::istringstream in(text);
  return ReadHistory(in);
}

TEST(HistoryTest, IsReadFromLines) {
  const auto history = ReadText(
      R"({"client":2,"key":"hull","op":"submit","etag_expected":"*none*","value":"b",)"
      R"("call_us":100,"return_us":180,"outcome":"ok","etag_seen":"1.13","value_seen":null})"
      "\n\n"
      R"({"client":3,"key":"hull","op":"read","etag_expected":null,"value":null,)"
      R"("call_us":100,"return_us":190,"outcome":"ok","etag_seen":"1.13","value_seen":"b"})"
      "\n"
      R"({"client":4,"key":"hull","op":"submit","etag_expected":"1.13","value":"c",)"
      R"("call_us":100,"return_us":null,"outcome":"unknown","etag_seen":null,"value_seen":null})"
      "\n"
      R"({"client":5,"key":"hull","op":"submit","etag_expected":"9.9","value":"d",)"
      R"("call_us":100,"return_us":200,"outcome":"mismatch","etag_seen":null})");

  ASSERT_TRUE(history.ok()) << history.status();
  std::vector<std::string> lines;
  for (const Operation& operation : *history) lines.push_back(ToString(operation));
  EXPECT_THAT(lines,
              testing::ElementsAre("client 2 said \"b\" over nothing as 1.13 [100, 180]",
                                   "client 3 read 1.13 \"b\" [100, 190]",
                                   "client 4 said \"c\" over 1.13 with unknown outcome [100, ...]",
                                   "client 5 said \"d\" over 9.9 but found nothing [100, 200]"));
  EXPECT_EQ(Check(*history).kind, Verdict::Kind::kLinearizable);
}

TEST(HistoryTest, BadInputNamesItsLine) {
  const std::string good =
      R"({"client":3,"key":"hull","op":"read","call_us":1,"return_us":2,"outcome":"ok"})"
      "\n";
  EXPECT_TRUE(ReadText(good).ok());
  EXPECT_EQ(ReadText(good + "{").status().message(), "line 2: not a JSON object");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return std::string(ReadText(line).status().message());
  };
  EXPECT_THAT(replaced("read", "write"), HasSubstr("line 1: `op`"));
  EXPECT_THAT(replaced("\"call_us\":1", "\"call_us\":\"1\""), HasSubstr("line 1: `call_us`"));
  EXPECT_THAT(replaced("\"call_us\":1", "\"call_us\":5"), HasSubstr("line 1: `return_us`"));
  EXPECT_THAT(replaced("}", ",\"etag_seen\":\"x\"}"), HasSubstr("line 1: `etag_seen`"));
}

}  // namespace
}  // namespace starratings::linearizable
