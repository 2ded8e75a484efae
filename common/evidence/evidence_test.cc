#include "common/evidence/evidence.h"

#include <ostream>

#include "common/evidence/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::evidence {
namespace {

struct DecimalCase {
  const char* text;
  bool good;
  int64_t micros;
  const char* shortest;

  friend void PrintTo(const DecimalCase& c, std::ostream* os) { *os << '"' << c.text << '"'; }
};

class DecimalTest : public testing::TestWithParam<DecimalCase> {};

TEST_P(DecimalTest, ParsesExactlyOrNotAtAll) {
  const DecimalCase& c = GetParam();
  const auto decimal = Decimal::Parse(c.text);
  ASSERT_EQ(decimal.ok(), c.good);
  if (!c.good) return;
  EXPECT_EQ(decimal->micros(), c.micros);
  EXPECT_EQ(decimal->ToString(), c.shortest);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, DecimalTest,
    testing::Values(DecimalCase{"20.5", true, 20'500'000, "20.5"},
                    DecimalCase{"20.50", true, 20'500'000, "20.5"},
                    DecimalCase{"-0.000001", true, -1, "-0.000001"}, DecimalCase{"0", true, 0, "0"},
                    DecimalCase{"-0", true, 0, "0"}, DecimalCase{"007", true, 7'000'000, "7"},
                    DecimalCase{"999999999999.999999", true, 999'999'999'999'999'999,
                                "999999999999.999999"},
                    DecimalCase{"20.5.1", false, 0, ""}, DecimalCase{"1234567890123", false, 0, ""},
                    DecimalCase{"0.1234567", false, 0, ""}, DecimalCase{"", false, 0, ""},
                    DecimalCase{"-", false, 0, ""}, DecimalCase{".5", false, 0, ""},
                    DecimalCase{"5.", false, 0, ""}, DecimalCase{"+5", false, 0, ""},
                    DecimalCase{"1e3", false, 0, ""}, DecimalCase{" 1", false, 0, ""},
                    DecimalCase{"1,000", false, 0, ""}, DecimalCase{"--1", false, 0, ""}));

TEST(DateTest, OnlyDaysOfTheCalendarParse) {
  EXPECT_EQ(Date::Parse("1970-01-02")->days(), 1);
  EXPECT_EQ(Date::Parse("2002-05-30")->ToString(), "2002-05-30");
  EXPECT_TRUE(Date::Parse("2000-02-29").ok());
  for (const char* bad : {"2001-02-29", "2002-06-31", "2002-13-01", "2002-5-30", "30.05.2002", "",
                          "2002-05-30 ", "1799-01-01", "2002/05/30"}) {
    EXPECT_FALSE(Date::Parse(bad).ok()) << bad;
  }
}

TEST(TextTest, OrganisationIdsAreNormalisedTextWithoutControlCharacters) {
  EXPECT_TRUE(CheckOrganisationId("501 Respite & Care Services | QLD").ok());
  EXPECT_TRUE(CheckOrganisationId("Ynys M\xC3\xB4n").ok());
  EXPECT_FALSE(CheckOrganisationId("").ok());
  EXPECT_FALSE(CheckOrganisationId(" Leeds").ok());
  EXPECT_FALSE(CheckOrganisationId("Leeds\n").ok());
  EXPECT_FALSE(CheckOrganisationId("Leeds\x7f").ok());
  EXPECT_FALSE(CheckOrganisationId("\xff").ok());
  EXPECT_FALSE(CheckOrganisationId(std::string(129, 'x')).ok());
  // The same name, not composed: o and a combining circumflex.
  EXPECT_FALSE(CheckOrganisationId("Ynys Mo\xCC\x82n").ok());
  EXPECT_EQ(*ToNfc("Ynys Mo\xCC\x82n"), "Ynys M\xC3\xB4n");
}

TEST(TextTest, CodesAreLowerCase) {
  EXPECT_TRUE(CheckCode("children.placement_stability").ok());
  for (const char* bad : {"", "Children", "a-b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(CheckCode(bad).ok()) << bad;
  }
  EXPECT_FALSE(CheckCode(std::string(65, 'a')).ok());
}

TEST(TextTest, UuidsAndHashes) {
  EXPECT_TRUE(CheckUuid("0f8fad5b-d9cb-469f-a165-70867728950e").ok());
  EXPECT_FALSE(CheckUuid("0f8fad5b-d9cb-469f-a165-70867728950").ok());
  EXPECT_FALSE(CheckUuid("0f8fad5bd9cb-469f-a165-70867728950e-").ok());
  EXPECT_TRUE(CheckSha256(std::string(64, 'a')).ok());
  EXPECT_FALSE(CheckSha256(std::string(64, 'A')).ok());
  EXPECT_FALSE(CheckSha256(std::string(63, 'a')).ok());
}

TEST(ValueTest, ValuesPrintForPeople) {
  EXPECT_EQ(ToString(Value(*Decimal::Parse("12.50"))), "12.5");
  EXPECT_EQ(ToString(Value(Ratio{30, 140})), "30/140");
  EXPECT_EQ(ToString(Value(Level{"most"})), "most");
  EXPECT_EQ(ToString(Value(true)), "yes");
  EXPECT_EQ(ToString(Value(MissingReason::kSuppressed)), "SUPPRESSED");
}

TEST(ValueTest, OnlyAValueThatWasThereIsCorrected) {
  const Value no = Level{"no"};
  EXPECT_TRUE(IsCorrection(no, Level{"yes"}));
  EXPECT_TRUE(IsCorrection(no, MissingReason::kUnreliable));
  EXPECT_TRUE(IsCorrection(Ratio{2, 10}, Ratio{20, 100}));
  EXPECT_FALSE(IsCorrection(no, no));
  EXPECT_FALSE(IsCorrection(MissingReason::kNotReported, no));
}

TEST(NamesTest, EveryNameReadsBack) {
  for (int i = 1; i <= 5; ++i) {
    const auto reason = static_cast<MissingReason>(i);
    EXPECT_EQ(MissingReasonFromString(ToString(reason)), reason);
    const auto type = static_cast<ValueType>(i);
    EXPECT_EQ(ValueTypeFromString(ToString(type)), type);
  }
  for (int i = 1; i <= 6; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(KindFromString(ToString(kind)), kind);
  }
  EXPECT_FALSE(KindFromString("indicator"));
}

}  // namespace
}  // namespace starratings::evidence
