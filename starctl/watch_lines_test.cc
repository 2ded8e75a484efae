#include "starctl/watch_lines.h"

#include <algorithm>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace starratings::starctl {
namespace {

using assessment::v1::WatchEvidenceResponse;
using testing::HasSubstr;
using testing::Optional;

WatchEvidenceResponse Message(const std::string& text) {
  WatchEvidenceResponse message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// An item of revision 7, and what else the message has.
WatchEvidenceResponse Said(const std::string& value, const std::string& rest) {
  return Message(R"(items {
      item { organisation: "kent" period: "2001-02" code: "a.figure" value { )" +
                 value + R"( } }
      revision: 7 actor: "ann" recorded_at { seconds: 1022760000 }
    } )" + rest);
}

constexpr char kWhole[] = R"(snapshot { revision: 7 token: "t7" })";
constexpr char kStart[] = "7  2002-05-30 12:00:00 UTC  ann  kent  2001-02  a.figure  ";

TEST(WatchLinesTest, AnItemIsALine) {
  WatchLines lines(/*json=*/false);
  WatchEvidenceResponse message = Said("decimal: '12.5'", kWhole);
  EXPECT_THAT(lines.Take(message), Optional(std::string(kStart) + "12.5\n"));
  message.mutable_items(0)->mutable_item()->set_instance("second");
  message.mutable_items(0)->mutable_item()->mutable_value()->set_text("in\ntwo lines");
  message.mutable_items(0)->set_reason("they\nsaid so");
  EXPECT_THAT(lines.Take(message),
              Optional(std::string(kStart) + "[second]  in two lines  (they said so)\n"));
}

TEST(WatchLinesTest, WhatIsMissingSaysWhy) {
  WatchLines lines(/*json=*/false);
  EXPECT_THAT(lines.Take(Said("missing: MISSING_REASON_WITHDRAWN", kWhole)),
              Optional(std::string(kStart) + "WITHDRAWN\n"));
  EXPECT_THAT(lines.Take(Said("missing: MISSING_REASON_NOT_REPORTED", kWhole)),
              Optional(std::string(kStart) + "NOT_REPORTED\n"));
}

TEST(WatchLinesTest, ARevisionIsPrintedWholeOrNotAtAll) {
  WatchLines lines(/*json=*/false);
  EXPECT_EQ(lines.Take(Said("decimal: '1'", "more: true")), std::nullopt);
  lines.Forget();
  EXPECT_EQ(lines.Take(Said("decimal: '1'", "more: true")), std::nullopt);
  EXPECT_THAT(lines.Take(Said("decimal: '2'", kWhole)),
              Optional(std::string(kStart) + "1\n" + kStart + "2\n"));
}

TEST(WatchLinesTest, BookmarksAreForPrograms) {
  WatchLines people(/*json=*/false);
  EXPECT_THAT(people.Take(Message(kWhole)), Optional(std::string()));
  WatchLines programs(/*json=*/true);
  EXPECT_THAT(programs.Take(Message(kWhole)), Optional(HasSubstr("\"token\":\"t7\"")));
}

TEST(WatchLinesTest, ForProgramsAMessageIsALine) {
  WatchLines lines(/*json=*/true);
  EXPECT_EQ(lines.Take(Said("text: 'a\\nb'", "more: true")), std::nullopt);
  const auto text = lines.Take(Said("decimal: '2'", kWhole));
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 2);
  EXPECT_EQ(text->back(), '\n');
}

}  // namespace
}  // namespace starratings::starctl
