#include "starctl/csv.h"

#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "starctl/bad_rows.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CsvFile Parse(const std::string& bytes) {
  auto file = ParseCsv("f.csv", bytes);
  EXPECT_TRUE(file.ok()) << Describe(file.status());
  return file.ok() ? *std::move(file) : CsvFile();
}

// What the user is told about a file that is refused.
std::string Refusal(const std::string& bytes) {
  const auto file = ParseCsv("f.csv", bytes);
  EXPECT_FALSE(file.ok());
  EXPECT_EQ(ExitCodeOf(file.status()), ExitCode::kBadFile);
  return Describe(file.status());
}

TEST(CsvTest, PlainRowsAreRead) {
  const CsvFile file = Parse("a,b\n1,2\n3,4\n");
  EXPECT_THAT(file.header, ElementsAre("a", "b"));
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_THAT(file.rows[1].cells, ElementsAre("3", "4"));
  EXPECT_EQ(file.rows[1].line, 3);
}

TEST(CsvTest, TheLastLineNeedsNoEnd) {
  EXPECT_THAT(Parse("a,b\n1,2").rows[0].cells, ElementsAre("1", "2"));
  EXPECT_THAT(Parse("a,b\n1,").rows[0].cells, ElementsAre("1", ""));
}

TEST(CsvTest, AByteOrderMarkIsNoPartOfTheFirstName) {
  EXPECT_THAT(Parse("\xef\xbb\xbf"
                    "a,b\r\n1,2\r\n")
                  .header,
              ElementsAre("a", "b"));
}

TEST(CsvTest, EveryLineEndCounts) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const CsvFile file = Parse("a,b" + end + "1,2" + end + end + "3,4" + end);
    ASSERT_EQ(file.rows.size(), 2u) << testing::PrintToString(end);
    EXPECT_THAT(file.rows[1].cells, ElementsAre("3", "4"));
    EXPECT_EQ(file.rows[1].line, 4) << testing::PrintToString(end);
  }
}

TEST(CsvTest, TheHeaderShowsTheSeparator) {
  EXPECT_THAT(Parse("a;b\n1,5;2\n").rows[0].cells, ElementsAre("1,5", "2"));
  EXPECT_THAT(Parse("a\tb\n1,5\t2\n").rows[0].cells, ElementsAre("1,5", "2"));
  EXPECT_THAT(Parse("\"a;x;y\",b\n1,2\n").rows[0].cells, ElementsAre("1", "2"));
  EXPECT_THAT(Parse("sep=;\r\na;b\r\n1,5;2\r\n").rows[0].cells, ElementsAre("1,5", "2"));
}

TEST(CsvTest, OneColumnNeedsNoSeparator) {
  EXPECT_THAT(Parse("a\n1\n").rows[0].cells, ElementsAre("1"));
}

TEST(CsvTest, QuotedCellsKeepSeparatorsQuotesAndLineBreaks) {
  const CsvFile file = Parse("a,b\n\"x, \"\"y\"\"\r\nz\",2\n3,4\n");
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_THAT(file.rows[0].cells, ElementsAre("x, \"y\"\nz", "2"));
  EXPECT_EQ(file.rows[0].line, 2);
  EXPECT_EQ(file.rows[1].line, 4);
  EXPECT_THAT(Parse("a,b\n\"\",\"2\" \n").rows[0].cells, ElementsAre("", "2"));
}

TEST(CsvTest, SpaceAroundCellsIsNobodysMeaning) {
  EXPECT_THAT(Parse(" a , b\n 1\t,\xc2\xa0 2 \n").rows[0].cells, ElementsAre("1", "2"));
}

TEST(CsvTest, TextIsPutIntoNormalFormC) {
  // `o` and a combining circumflex.
  EXPECT_THAT(Parse("a\nMo\xcc\x82n\n").rows[0].cells, ElementsAre("M\xc3\xb4n"));
}

TEST(CsvTest, WhatSpreadsheetsLeaveBehindIsSkipped) {
  const CsvFile file = Parse("a,b,,\n1,2,,\n,,,\n   \n3,4\n\n");
  EXPECT_THAT(file.header, ElementsAre("a", "b"));
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_THAT(file.rows[0].cells, ElementsAre("1", "2"));
}

TEST(CsvTest, AFileWithoutHeaderIsRefused) {
  EXPECT_THAT(Refusal(""), HasSubstr("header"));
  EXPECT_THAT(Refusal("\n\n"), HasSubstr("header"));
}

TEST(CsvTest, AHeaderAloneIsNoFault) { EXPECT_THAT(Parse("a,b\n").rows, IsEmpty()); }

TEST(CsvTest, ANameTwiceInTheHeaderIsRefused) {
  EXPECT_THAT(Refusal("a,b,a\n1,2,3\n"), HasSubstr("f.csv:1: a: must not occur twice"));
}

TEST(CsvTest, AValueUnderNoNameIsRefused) {
  EXPECT_THAT(Refusal("a,,b\n1,2,3\n"), HasSubstr("column 2 must have a name: line 2"));
  EXPECT_THAT(Parse("a,,b\n1,,3\n").rows[0].cells, ElementsAre("1", "", "3"));
}

TEST(CsvTest, AllRowsOfAnotherLengthAreNamed) {
  const std::string refusal = Refusal("a,b\n1\n1,2\n1,2,3\n");
  EXPECT_THAT(refusal, HasSubstr("f.csv:2: must have 2 cells, as the header, and has 1"));
  EXPECT_THAT(refusal, HasSubstr("f.csv:4: must have 2 cells, as the header, and has 3"));
  EXPECT_THAT(refusal, HasSubstr("f.csv: 2 faults; nothing was sent"));
}

TEST(CsvTest, BrokenQuotesAreNamedWhereTheyOpen) {
  EXPECT_THAT(Refusal("a,b\n1,2\n\"3,4\n5,6\n"), HasSubstr("f.csv:3: the quote that opens"));
  EXPECT_THAT(Refusal("a,b\n1,5\" pipe\n"), HasSubstr("f.csv:2: a quote must not stand within"));
  EXPECT_THAT(Refusal("a,b\n1,\"x\"y\n"), HasSubstr("f.csv:2: after a closing quote"));
}

TEST(CsvTest, Windows1252IsRefusedWithAHint) {
  const std::string refusal = Refusal("a,b\n1,2\nYnys M\xf4n,3\n\x93quoted\x94,4\n");
  EXPECT_THAT(refusal, HasSubstr("f.csv:3: character 7 must be UTF-8, and is the byte 0xF4, "
                                 "which is `\xc3\xb4` in Windows-1252"));
  EXPECT_THAT(refusal, HasSubstr("iconv -f WINDOWS-1252 -t UTF-8"));
  EXPECT_THAT(refusal, HasSubstr("f.csv:4: character 1"));
}

TEST(CsvTest, Utf16AndBinaryAreRefused) {
  EXPECT_THAT(Refusal(std::string("\xff\xfe"
                                  "a\0,\0b\0",
                                  8)),
              HasSubstr("UTF-16"));
  EXPECT_THAT(Refusal(std::string("a,b\n1,\0\n", 8)), HasSubstr("f.csv:2: character 3"));
}

TEST(CsvTest, AFileThatIsNotThereIsABadFile) {
  const auto bytes = ReadFile("/nowhere/f.csv");
  EXPECT_EQ(ExitCodeOf(bytes.status()), ExitCode::kBadFile);
  EXPECT_THAT(Describe(bytes.status()), HasSubstr("/nowhere/f.csv: cannot be read: No such file"));
  EXPECT_EQ(ExitCodeOf(ReadFile("/tmp").status()), ExitCode::kBadFile);
}

TEST(BadRowsTest, OnlyTheFirstFaultsArePrintedAndAllAreCounted) {
  BadRows bad("f.csv");
  for (int i = 1'000; i > 0; --i) bad.Add(i, "value", "must be better");
  const std::string text = Describe(bad.ToStatus());
  EXPECT_THAT(text, HasSubstr("f.csv: 1000 faults"));
  EXPECT_THAT(text, HasSubstr("f.csv:1: value: must be better\nf.csv:2: value"));
  EXPECT_THAT(text, Not(HasSubstr("f.csv:51:")));
  EXPECT_THAT(text, HasSubstr("and 950 more"));
}

}  // namespace
}  // namespace starratings::starctl
