#include "starctl/progress.h"

#include <algorithm>
#include <cstdlib>

#include "gmock/gmock.h"

namespace starratings::starctl {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProgressTest : public testing::Test {
 protected:
  ~ProgressTest() override {
    std::fclose(file_);
    std::free(text_);
  }

  Progress::Output To(bool terminal) {
    return {file_, terminal, [this] { return now_; }};
  }
  std::string Shown() {
    std::fflush(file_);
    return std::string(text_, size_);
  }

  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* const file_ = open_memstream(&text_, &size_);
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
};

TEST_F(ProgressTest, WithoutATerminalThereIsALineEveryTenSeconds) {
  Progress progress("importing", To(false));
  for (int second = 0; second <= 30; ++second) {
    progress.Show(second * 60'000, 10'000'000);
    now_ += absl::Seconds(1);
  }
  progress.Finish();
  EXPECT_EQ(Shown(),
            "importing 600,000 of 10,000,000, 60,000 a second, 2m37s left\n"
            "importing 1,200,000 of 10,000,000, 60,000 a second, 2m27s left\n"
            "importing 1,800,000 of 10,000,000, 60,000 a second, 2m17s left\n");
}

TEST_F(ProgressTest, WithoutATerminalShortWorkSaysNothing) {
  Progress progress("importing", To(false));
  progress.Show(0, 100);
  now_ += absl::Milliseconds(9'999);
  progress.Show(100, 100);
  EXPECT_EQ(Shown(), "");
}

TEST_F(ProgressTest, WhatWasDoneBeforeDoesNotCountAsSpeed) {
  Progress progress("importing", To(false));
  progress.Show(1'000'000, 1'000'400);
  now_ += absl::Seconds(10);
  progress.Show(1'000'200, 1'000'400);
  EXPECT_EQ(Shown(), "importing 1,000,200 of 1,000,400, 20 a second, 11s left\n");
}

TEST_F(ProgressTest, WithoutATotalThereIsNoTimeLeft) {
  Progress progress("reading", To(false));
  progress.Show(0, 0);
  now_ += absl::Seconds(20);
  progress.Show(100, 0);
  EXPECT_EQ(Shown(), "reading 100, 5 a second\n");
}

TEST_F(ProgressTest, OnATerminalThereIsABarThatGoesAway) {
  Progress progress("importing", To(true));
  progress.Show(0, 60);
  now_ += absl::Seconds(1);
  progress.Show(30, 60);
  const std::string bar =
      "\r\x1b[Kimporting [###############               ] 30 of 60, 30 a second, 2s left";
  EXPECT_THAT(Shown(), HasSubstr(bar));
  EXPECT_THAT(Shown(), Not(HasSubstr("\n")));
  progress.Finish();
  EXPECT_THAT(Shown(), testing::EndsWith(bar + "\r\x1b[K"));
}

TEST_F(ProgressTest, ABarIsNotDrawnMoreThanTenTimesASecond) {
  Progress progress("importing", To(true));
  for (int i = 0; i < 1'000; ++i) {
    progress.Show(i, 10'000);
    now_ += absl::Milliseconds(1);
  }
  const std::string shown = Shown();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\r'), 10);
}

}  // namespace
}  // namespace starratings::starctl
