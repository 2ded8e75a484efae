#include "starctl/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "starctl/words.h"

namespace starratings::starctl {

constexpr int kBarWidth = 30;
constexpr absl::Duration kShowEvery = absl::Milliseconds(100);

Progress::Progress(std::string what)
    : Progress(std::move(what), {stderr, isatty(2) == 1, [] { return absl::Now(); }}) {}

Progress::Progress(std::string what, Output output)
    : what_(std::move(what)), output_(std::move(output)) {}

Progress::~Progress() { Finish(); }

bool Progress::IsDue(absl::Time now, bool all_done) const {
  if (!output_.terminal) return now - std::max(begun_, shown_at_) >= kLineEvery;
  return now - shown_at_ >= kShowEvery || all_done;
}

std::string Progress::Pace(int64_t done, int64_t total, absl::Time now) const {
  const double seconds = absl::ToDoubleSeconds(now - begun_);
  if (seconds < 1 || done <= done_before_) return "";
  const double rate = static_cast<double>(done - done_before_) / seconds;
  std::string pace = absl::StrCat(", ", Thousands(static_cast<int64_t>(rate)), " a second");
  if (total > done) {
    const auto left = static_cast<int64_t>(static_cast<double>(total - done) / rate) + 1;
    absl::StrAppend(&pace, ", ", absl::FormatDuration(absl::Seconds(left)), " left");
  }
  return pace;
}

void Progress::Show(int64_t done, int64_t total) {
  const absl::Time now = output_.now();
  if (begun_ == absl::InfinitePast()) {
    begun_ = now;
    done_before_ = done;
  }
  if (!IsDue(now, done >= total)) return;
  shown_at_ = now;
  std::string how_far = Thousands(done);
  if (total > 0) absl::StrAppend(&how_far, " of ", Thousands(total));
  absl::StrAppend(&how_far, Pace(done, total, now));
  if (!output_.terminal) {
    std::fputs(absl::StrCat(what_, " ", how_far, "\n").c_str(), output_.file);
    std::fflush(output_.file);
    return;
  }
  std::string bar;
  if (total > 0) {
    const auto full = static_cast<size_t>(done * kBarWidth / total);
    bar = absl::StrCat("[", std::string(full, '#'), std::string(kBarWidth - full, ' '), "] ");
  }
  // Back to the start of the line, and nothing left of what stood there.
  std::fputs(absl::StrCat("\r\x1b[K", what_, " ", bar, how_far).c_str(), output_.file);
  std::fflush(output_.file);
  shown_ = true;
}

void Progress::Finish() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", output_.file);
  std::fflush(output_.file);
  shown_ = false;
}

}  // namespace starratings::starctl
