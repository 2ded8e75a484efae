#include "assessment-svc/intake/check_registration.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::intake {
namespace {

using evidence::Code;
using evidence::Kind;
using evidence::ValueType;
using status::DetailOf;
using status::FieldViolation;
using testing::ElementsAre;

Code Judgement(std::vector<std::string> levels) {
  Code code;
  code.id = "judgement";
  code.value_type = ValueType::kLevel;
  code.levels = std::move(levels);
  return code;
}

Code Measure(ValueType type) {
  Code code;
  code.id = "judgement";
  code.value_type = type;
  return code;
}

Code Of(Kind kind) {
  Code code = Measure(ValueType::kFlag);
  code.kind = kind;
  return code;
}

struct ChangeCase {
  std::string name;
  Code now;
  Code next;
  bool allowed;

  friend void PrintTo(const ChangeCase& c, std::ostream* os) { *os << c.name; }
};

class ChangeTest : public testing::TestWithParam<ChangeCase> {};

TEST_P(ChangeTest, IsRefusedWhereEvidenceMayRestOnIt) {
  const ChangeCase& c = GetParam();
  const absl::Status status = CheckCodeChanges({c.next}, {{"judgement", c.now}});
  EXPECT_EQ(status.ok(), c.allowed) << status;
  if (c.allowed) return;
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  const auto detail = DetailOf(status);
  EXPECT_EQ(detail.reason, "CODE_IN_USE");
  ASSERT_EQ(detail.preconditions.size(), 1u);
  EXPECT_EQ(detail.preconditions[0].subject, "codes/judgement");
}

INSTANTIATE_TEST_SUITE_P(
    Changes, ChangeTest,
    testing::ValuesIn<ChangeCase>({
        // clang-format off
        {"TheSame",          Judgement({"no", "yes"}),      Judgement({"no", "yes"}),         true},
        {"OneLevelMore",     Judgement({"no", "yes"}),      Judgement({"no", "some", "yes"}), true},
        {"OneLevelLess",     Judgement({"no", "yes"}),      Judgement({"no", "maybe"}),       false},
        {"AnotherType",      Measure(ValueType::kDecimal),  Measure(ValueType::kRatio),       false},
        {"TheSameType",      Measure(ValueType::kDecimal),  Measure(ValueType::kDecimal),     true},
        {"AnotherKind",      Of(Kind::kIndicator),          Of(Kind::kJudgement),             true},
        {"NowAnOverride",    Of(Kind::kJudgement),          Of(Kind::kOverride),              false},
        {"NoOverrideNow",    Of(Kind::kOverride),           Of(Kind::kJudgement),             false},
        {"StillAnOverride",  Of(Kind::kOverride),           Of(Kind::kOverride),              true},
        // clang-format on
    }),
    [](const auto& test) { return test.param.name; });

TEST(CheckCodeChangesTest, ANewCodeChangesNothing) {
  EXPECT_TRUE(CheckCodeChanges({Measure(ValueType::kFlag)}, {}).ok());
}

TEST(CheckEntriesTest, NothingIsTooLittle) {
  status::FieldErrors errors;
  CheckEntries({}, errors);
  EXPECT_EQ(errors.count(), 1u);
}

TEST(CheckEntriesTest, TheLimitCountsAllKindsTogether) {
  Entries entries;
  for (size_t i = 0; i + 1 < kEntriesMost; ++i) {
    entries.organisations.push_back({std::to_string(i), "name", "council", "", {}, {}});
  }
  entries.codes.push_back(Measure(ValueType::kFlag));
  status::FieldErrors at_limit;
  CheckEntries(entries, at_limit);
  EXPECT_TRUE(at_limit.empty());

  entries.periods.push_back({"2001-02", {}, {}, ""});
  status::FieldErrors over;
  CheckEntries(entries, over);
  EXPECT_EQ(over.count(), 1u);
}

TEST(CheckEntriesTest, AnIdMayNotOccurTwiceInItsList) {
  Entries entries;
  entries.organisations = {{"a", "A", "council", "", {}, {}}, {"a", "B", "council", "", {}, {}}};
  entries.periods = {{"a", {}, {}, ""}};
  status::FieldErrors errors;
  CheckEntries(entries, errors);
  EXPECT_THAT(DetailOf(errors.ToStatus()).fields,
              ElementsAre(FieldViolation{"organisations[1].id", "must not occur twice"}));
}

}  // namespace
}  // namespace starratings::intake
