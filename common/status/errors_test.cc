#include "common/status/errors.h"

#include "absl/strings/str_cat.h"
#include "common/status/field_errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::status {
namespace {

TEST(ErrorsTest, DetailsSurviveTheStatus) {
  ErrorDetail detail;
  detail.reason = "ETAG_MISMATCH";
  detail.metadata = {{"etag", "1.2"}, {"item", "a:b\nc"}};
  detail.fields = {{"items[0]", "must be: this"}, {"", ""}};
  detail.preconditions = {{"ROUND_STATE", "rounds/1", "freeze it"}};
  detail.retry_after = absl::Milliseconds(250);

  const absl::Status error = ErrorWithDetail(absl::StatusCode::kAborted, "changed", detail);

  EXPECT_EQ(error.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(error), detail);
}

TEST(ErrorsTest, AStatusOfSomebodyElseHasNoDetails) {
  EXPECT_EQ(DetailOf(absl::NotFoundError("x")), ErrorDetail());
}

TEST(FieldErrorsTest, NothingWrongIsOk) { EXPECT_TRUE(FieldErrors().ToStatus().ok()); }

TEST(FieldErrorsTest, EveryFieldAtFaultIsListed) {
  FieldErrors errors;
  errors.Add("a", "must be b");
  errors.AddIfError("c", absl::OkStatus());
  errors.AddIfError("d", absl::InvalidArgumentError("must be e"));

  const absl::Status status = errors.ToStatus();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(DetailOf(status).fields, testing::ElementsAre(FieldViolation{"a", "must be b"},
                                                            FieldViolation{"d", "must be e"}));
  EXPECT_EQ(status.message(), "a: must be b\nd: must be e");
}

TEST(FieldErrorsTest, AFloodIsCountedNotKept) {
  FieldErrors errors;
  for (int i = 0; i < 10'000; ++i) errors.Add(absl::StrCat("items[", i, "]"), "must be better");

  const ErrorDetail detail = DetailOf(errors.ToStatus());

  EXPECT_EQ(detail.fields.size(), FieldErrors::kKept);
  EXPECT_LE(errors.ToStatus().message().size(), 3'000u);
  EXPECT_EQ(detail.metadata.at("count"), "10000");
}

}  // namespace
}  // namespace starratings::status
