#include "assessment-svc/intake/check_batch.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::intake {
namespace {

using evidence::Code;
using evidence::Decimal;
using evidence::Kind;
using evidence::Level;
using evidence::MissingReason;
using evidence::Ratio;
using evidence::Text;
using evidence::Value;
using evidence::ValueType;
using status::DetailOf;
using status::FieldViolation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kOne = Decimal::kMicros;

Code ACode(std::string id, ValueType type) {
  Code code;
  code.id = std::move(id);
  code.title = "title";
  code.value_type = type;
  return code;
}

Register Registered() {
  Register registered;
  registered.periods = {"2001-02"};
  Code share = ACode("share", ValueType::kRatio);
  share.minimum = Decimal::FromMicros(0);
  share.maximum = Decimal::FromMicros(kOne / 2);
  Code judgement = ACode("judgement", ValueType::kLevel);
  judgement.levels = {"no", "some", "most", "yes"};
  Code rate = ACode("rate", ValueType::kDecimal);
  rate.minimum = Decimal::FromMicros(-kOne);
  rate.maximum = Decimal::FromMicros(20 * kOne);
  for (const Code& code : {share, judgement, rate, ACode("flag", ValueType::kFlag),
                           ACode("note", ValueType::kText), ACode("free", ValueType::kDecimal)}) {
    registered.codes[code.id] = code;
  }
  Code decided = ACode("decided", ValueType::kFlag);
  decided.kind = Kind::kOverride;
  registered.codes[decided.id] = decided;
  return registered;
}

SubmittedItem AnItem(std::string code, Value value) {
  SubmittedItem submitted;
  submitted.item.key = {"Leeds", "2001-02", std::move(code), ""};
  submitted.item.value = std::move(value);
  submitted.item.source = std::make_shared<evidence::Source>();
  return submitted;
}

std::vector<FieldViolation> Faults(const std::vector<SubmittedItem>& items) {
  absl::flat_hash_set<std::string> strangers;
  for (const SubmittedItem& item : items) {
    const std::string& id = item.item.key.organisation;
    if (id != "Leeds" && id != "Hull") strangers.insert(id);
  }
  status::FieldErrors errors;
  CheckBatch(items, Registered(), strangers, errors);
  return DetailOf(errors.ToStatus()).fields;
}

TEST(CheckBatchTest, AnOverrideSaysByWhatRightAndNothingElseDoes) {
  const auto faults = [](const char* code, Value value, bool says) {
    SubmittedItem item = AnItem(code, std::move(value));
    if (says) item.item.overriding = {"The minister", evidence::Date::FromDays(1)};
    return Faults({item});
  };
  const auto at_override =
      ElementsAre(testing::Field(&FieldViolation::field, "items[0].item.override"));
  EXPECT_THAT(faults("decided", true, true), IsEmpty());
  EXPECT_THAT(faults("decided", MissingReason::kWithdrawn, false), IsEmpty());
  EXPECT_THAT(faults("flag", true, false), IsEmpty());
  EXPECT_THAT(faults("decided", true, false), at_override);
  EXPECT_THAT(faults("decided", MissingReason::kWithdrawn, true), at_override);
  EXPECT_THAT(faults("flag", true, true), at_override);
}

struct ValueCase {
  std::string name;
  std::string code;
  Value value;
  std::string fault;  // The field at fault; empty: the value is taken.

  friend void PrintTo(const ValueCase& c, std::ostream* os) { *os << c.name; }
};

class ValueTest : public testing::TestWithParam<ValueCase> {};

TEST_P(ValueTest, IsTakenOrNamed) {
  const ValueCase& c = GetParam();
  const auto faults = Faults({AnItem(c.code, c.value)});
  if (c.fault.empty()) {
    EXPECT_THAT(faults, IsEmpty());
  } else {
    EXPECT_THAT(faults,
                ElementsAre(testing::Field(&FieldViolation::field, "items[0].item." + c.fault)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Values, ValueTest,
    testing::ValuesIn<ValueCase>({
        // clang-format off
        {"DecimalAtMaximum",       "rate",      Decimal::FromMicros(20 * kOne),     ""},
        {"DecimalOverMaximum",     "rate",      Decimal::FromMicros(20 * kOne + 1), "value.decimal"},
        {"DecimalAtMinimum",       "rate",      Decimal::FromMicros(-kOne),         ""},
        {"DecimalUnderMinimum",    "rate",      Decimal::FromMicros(-kOne - 1),     "value.decimal"},
        {"DecimalWithoutRange",    "free",      Decimal::FromMicros(999 * kOne),    ""},
        {"RatioAtMaximum",         "share",     Ratio{70, 140},                     ""},
        {"RatioOverMaximum",       "share",     Ratio{71, 140},                     "value.ratio"},
        {"RatioOfLargeNumbers",    "share",     Ratio{Ratio::kMost, Ratio::kMost},  "value.ratio"},
        {"RatioJustAtHalf",        "share",     Ratio{Ratio::kMost / 2, Ratio::kMost}, ""},
        {"LevelOfTheScale",        "judgement", Level{"most"},                      ""},
        {"LevelNotOnTheScale",     "judgement", Level{"excellent"},                 "value.level"},
        {"LevelsCompareByBytes",   "judgement", Level{"Most"},                      "value.level"},
        {"FlagForFlag",            "flag",      true,                               ""},
        {"TextForText",            "note",      Text{"seen"},                       ""},
        {"DecimalForRatio",        "share",     Decimal::FromMicros(1),             "value"},
        {"RatioForDecimal",        "rate",      Ratio{1, 2},                        "value"},
        {"TextForLevel",           "judgement", Text{"most"},                       "value"},
        {"FlagForText",            "note",      false,                              "value"},
        {"MissingForAnything",     "judgement", MissingReason::kUnreliable,         ""},
        {"CodeNotRegistered",      "unheard",   Decimal::FromMicros(1),             "code"},
        // clang-format on
    }),
    [](const auto& test) { return test.param.name; });

TEST(CheckBatchTest, EveryPartOfTheKeyMustBeRegistered) {
  SubmittedItem item = AnItem("rate", Decimal());
  item.item.key.organisation = "leeds";
  item.item.key.period = "2002-03";
  item.item.key.code = "rates";

  EXPECT_THAT(Faults({item}),
              ElementsAre(testing::Field(&FieldViolation::field, "items[0].item.organisation"),
                          testing::Field(&FieldViolation::field, "items[0].item.period"),
                          testing::Field(&FieldViolation::field, "items[0].item.code")));
}

TEST(CheckBatchTest, StandingNeedNotBeRegistered) {
  SubmittedItem item = AnItem("rate", Decimal());
  item.item.key.period = "standing";
  EXPECT_THAT(Faults({item}), IsEmpty());
}

TEST(CheckBatchTest, AKeyMayNotOccurTwice) {
  SubmittedItem second = AnItem("rate", Decimal());
  SubmittedItem third = second;
  third.item.key.instance = "revisit";

  EXPECT_THAT(Faults({AnItem("rate", Decimal()), second, third}),
              ElementsAre(FieldViolation{"items[1].item",
                                         "must have a key of its own, and has that of items[0]"}));
}

TEST(CheckBatchTest, AFaultIsNotToldTwice) {
  SubmittedItem item = AnItem("judgement", Decimal());
  item.well_formed = false;
  item.item.key.organisation = "";
  EXPECT_THAT(Faults({item}), IsEmpty());
}

}  // namespace
}  // namespace starratings::intake
