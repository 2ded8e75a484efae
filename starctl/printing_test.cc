// What people and programs get to see.
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "starctl/explanation.h"
#include "starctl/failure.h"
#include "starctl/json.h"
#include "starctl/phrases.h"
#include "starctl/published.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

TEST(TableTest, ColumnsAreAlignedByWhatATerminalShows) {
  Table table({{"name"}, {"n", Table::Align::kRight}, {"last"}});
  table.AddRow({"Ynys M\xc3\xb4n", "7", "a"});
  table.AddRow({"\xe5\x8c\x97\xe4\xba\xac", "1,234", ""});  // Two wide characters.
  EXPECT_EQ(table.ToString(),
            "name          n  last\n"
            "--------  -----  ----\n"
            "Ynys M\xc3\xb4n      7  a\n"
            "\xe5\x8c\x97\xe4\xba\xac      1,234\n");
}

TEST(TableTest, EmptyColumnsAreLeftOutAndLinesStayLines) {
  Table table({{"a"}, {"b"}, {"c"}});
  table.AddRow({"1", "", "x\ny"});
  EXPECT_EQ(table.ToString("  "), "  a  c\n  -  ---\n  1  x y\n");
}

TEST(TableTest, TextIsWrappedAtSpaces) {
  EXPECT_EQ(Wrap("one two three four", "- ", "  ", 10), "- one two\n  three\n  four\n");
  EXPECT_EQ(Wrap("unbreakable", "- ", "  ", 5), "- unbreakable\n");
}

TEST(WordsTest, NumbersAndNouns) {
  EXPECT_EQ(Thousands(0), "0");
  EXPECT_EQ(Thousands(999), "999");
  EXPECT_EQ(Thousands(1'350), "1,350");
  EXPECT_EQ(Thousands(-1'234'567), "-1,234,567");
  EXPECT_EQ(Thousands(-123), "-123");
  EXPECT_EQ(Counted(1, "item"), "1 item");
  EXPECT_EQ(Counted(2, "batch"), "2 batches");
}

TEST(WordsTest, UuidsAreUuids) {
  EXPECT_THAT(NewUuid(),
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                    "[0-9a-f]{12}"));
  EXPECT_NE(NewUuid(), NewUuid());
  EXPECT_EQ(UuidOf("abc"), "ba7816bf-8f01-8fea-8141-40de5dae2223");
}

TEST(FailureTest, EveryFieldIsALine) {
  status::FieldErrors errors;
  errors.Add("items[3].value", "must be a decimal");
  errors.Add("reason", "must be given");
  EXPECT_EQ(Describe(errors.ToStatus()),
            "starctl: the service refused the request (INVALID_FIELDS)\n"
            "items[3].value: must be a decimal\nreason: must be given\n");
}

TEST(FailureTest, WhatStandsInTheWayIsALine) {
  status::ErrorDetail detail;
  detail.reason = "ROUND_STATE";
  detail.preconditions = {{"ROUND_STATE", "rounds/2002-05", "must be FROZEN, and is OPEN"}};
  EXPECT_EQ(Describe(status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition,
                                             "the round is open", detail)),
            "starctl: the round is open (ROUND_STATE)\n"
            "rounds/2002-05: must be FROZEN, and is OPEN\n");
}

TEST(FailureTest, ExitCodesTellWhoseFaultItIs) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(BadUsage("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(BadFile("f", "x")), ExitCode::kBadFile);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("x")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::AbortedError("x")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("x")), ExitCode::kUnreachable);
  EXPECT_EQ(Describe(BadUsage("x")), "starctl: x\n");
  EXPECT_THAT(Describe(absl::UnavailableError("x")), HasSubstr("cannot reach the service: x"));
}

constexpr char kScheme[] = R"(
  id: "s" version: "1" scale { id: "stars" level: "0" level: "1" level: "2" }
  matrix { id: "M" output: "stars" to: "stars" } result { value: "stars" })";

TEST(PhrasesTest, ResultsAreCountedWorstFirstWithThoseThatNobodyGot) {
  const auto summary = FromText<rating::v1::Summary>(R"(
      tallies { result: "stars" level: "2" count: 1200 }
      tallies { result: "stars" level: "0" count: 3 }
      tallies { result: "stars" not_rated: "STALE" count: 4 }
      moves { decision: "SM" move: MOVE_REMAINED count: 4 }
      moves { decision: "SM" move: MOVE_ENTERED count: 6 }
      moves { decision: "SM" move: MOVE_LEFT count: 7 })");
  EXPECT_EQ(SummaryText(WorstFirst(summary, FromText<scheme::v1::Scheme>(kScheme))),
            "stars: 3 / 0 / 1,200 of 1,207 (0 / 1 / 2); not rated 4 (STALE 4)\n"
            "SM: on the list 10 (4 remained, 6 entered); left 7");
}

TEST(PhrasesTest, ValuesReadAsInAFile) {
  using evidence::v1::Value;
  EXPECT_EQ(ValueText(FromText<Value>("decimal: '12.5'")), "12.5");
  EXPECT_EQ(ValueText(FromText<Value>("ratio { numerator: 30 denominator: 140 }")), "30/140");
  EXPECT_EQ(ValueText(FromText<Value>("level: 'most'")), "most");
  EXPECT_EQ(ValueText(FromText<Value>("flag: false")), "no");
  EXPECT_EQ(ValueText(FromText<Value>("missing: MISSING_REASON_SUPPRESSED")), "SUPPRESSED");
}

TEST(PublishedTest, CountsAreThoseOfTheRatings) {
  const auto published = FromText<assessment::v1::ListPublishedRatingsResponse>(R"(
      ratings { results { id: "stars" level: "2" } decisions { id: "SM" move: MOVE_NONE } }
      ratings { results { id: "stars" level: "2" } decisions { id: "SM" move: MOVE_LEFT } }
      ratings { results { id: "stars" not_rated { reason: "STALE" } }
                decisions { id: "SM" move: MOVE_NONE } })");
  EXPECT_EQ(SummaryText(WorstFirst(Summarise(published), FromText<scheme::v1::Scheme>(kScheme))),
            "stars: 0 / 0 / 2 of 3 (0 / 1 / 2); not rated 1 (STALE 1)\n"
            "SM: on the list 0 (0 remained, 0 entered); left 1");
}

TEST(PublishedTest, OrganisationsWithTheSameConsequencesAreToldTogether) {
  std::vector<rating::v1::Rating> ratings(3);
  for (size_t i = 0; i < 3; ++i) ratings[i].set_name(std::string(1, static_cast<char>('A' + i)));
  ratings[0].add_consequences()->set_text("More money");
  ratings[2].add_consequences()->set_text("More money");
  EXPECT_EQ(ConsequencesText(ratings),
            "A, C\neach of them:\n  - More money\n\nB\n  - nothing follows\n");
}

TEST(PublishedTest, TheListNamesWhoMovedAndHow) {
  const std::string text =
      SpecialMeasuresText(FromText<assessment::v1::ListSpecialMeasuresResponse>(R"(
          entries { name: "Walsall" decision { id: "SM" code: "c" move: MOVE_REMAINED } }
          entries { name: "Merton" decision { id: "SM" code: "c" move: MOVE_ENTERED } }
          entries { name: "Swindon" decision { id: "SM" code: "c" move: MOVE_ENTERED } }
          entries { name: "Hackney" decision { id: "SM" code: "c" move: MOVE_LEFT } })"));
  EXPECT_THAT(text, HasSubstr("on the list: 3 (1 remained, 2 entered); left: 1\n"));
  EXPECT_THAT(text, HasSubstr("ENTERED: Merton, Swindon\n"));
  EXPECT_THAT(text, HasSubstr("LEFT: Hackney\n"));
  EXPECT_THAT(text, Not(HasSubstr("UNKNOWN")));
}

TEST(ExplanationTest, NothingOfTheTraceIsLost) {
  const std::string text = ExplanationText(FromText<rating::v1::Rating>(R"pb(
    organisation: "hull"
    name: "Hull"
    scheme { id: "s" version: "1" digest: "5c" }
    digest: "d1"
    results { id: "stars" level: "1" basis: BASIS_ASSUMED }
    decisions { id: "SM" state: "off_list" move: MOVE_UNKNOWN }
    consequences { text: "Less money" code: "LESS" }
    trace {
      sentences: "Hull is rated 1."
      readings {
        code: "a"
        value: "22.6 % (48 of 212)"
        item {
          revision: 5
          item { value { ratio { numerator: 48 denominator: 212 } } }
        }
        source { title: "A letter" uri: "https://x.y" reconstructed: true }
      }
      readings { code: "b" absent: "STALE" }
      steps {
        rule_id: "C1"
        kind: STEP_KIND_CAP
        target: "a"
        before: "most"
        after: "some"
        fired: true
        decided: true
        binding: true
        basis: BASIS_DOCUMENTED
        tests {
          value: "a"
          condition: "above 20 %"
          found: "22.6 %"
          held: true
          margin: "-140/53 percentage points"
        }
        tests { value: "b" condition: "below 3" absent: "STALE" }
        citations { source: "cc" quote: "more than 20 per cent" }
      }
      publications { id: "cc" title: "Community Care" date: "2002" }
    })pb"));
  for (const char* words :
       {"stars: 1  (basis ASSUMED)", "SM: unknown -> off_list  (UNKNOWN)", "Hull is rated 1.",
        "48/212", "[1] reconstructed", "[1] A letter <https://x.y> (reconstructed)", "STALE",
        "a: most -> some", "fired, decided, binding", "a above 20 %: 22.6 %, held; margin",
        "about -2.64", "b below 3: STALE", "Less money [LESS]", "\"more than 20 per cent\" (cc)",
        "cc: Community Care, 2002", "rating digest d1", "scheme digest 5c"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

TEST(JsonTest, FieldsAreNamedAsInTheProtosAndUnsetOnesAreThere) {
  const std::string json = ToJson(FromText<evidence::v1::RecordedItem>(
      "item { source_id: 's' value { level: 'yes' } } revision: 5"));
  EXPECT_THAT(json, HasSubstr("\"source_id\":\"s\""));
  EXPECT_THAT(json, HasSubstr("\"value\":{\"level\":\"yes\"}"));
  EXPECT_THAT(json, HasSubstr("\"observed_on\":\"\""));
  EXPECT_THAT(json, HasSubstr("\"revision\":\"5\""));
}

}  // namespace
}  // namespace starratings::starctl
