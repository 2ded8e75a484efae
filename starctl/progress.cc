#include "starctl/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "starctl/words.h"

namespace starratings::starctl {

constexpr int kBarWidth = 30;
constexpr absl::Duration kShowEvery = absl::Milliseconds(100);

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(isatty(2) == 1) {}

Progress::~Progress() { Finish(); }

void Progress::Show(int64_t done, int64_t total) {
  if (!terminal_) return;
  const absl::Time now = absl::Now();
  if (begun_ == absl::InfinitePast()) {
    begun_ = now;
    done_before_ = done;
  }
  if (now - shown_at_ < kShowEvery && done < total) return;
  shown_at_ = now;
  std::string line;
  if (total > 0) {
    const auto full = static_cast<size_t>(done * kBarWidth / total);
    line = absl::StrCat(what_, " [", std::string(full, '#'), std::string(kBarWidth - full, ' '),
                        "] ", Thousands(done), " of ", Thousands(total));
  } else {
    line = absl::StrCat(what_, " ", Thousands(done));
  }
  const double seconds = absl::ToDoubleSeconds(now - begun_);
  if (seconds >= 1 && done > done_before_) {
    const double rate = static_cast<double>(done - done_before_) / seconds;
    absl::StrAppend(&line, ", ", Thousands(static_cast<int64_t>(rate)), " a second");
    if (total > done) {
      const auto left = static_cast<int64_t>(static_cast<double>(total - done) / rate) + 1;
      absl::StrAppend(&line, ", ", absl::FormatDuration(absl::Seconds(left)), " left");
    }
  }
  // Back to the start of the line, and nothing left of what stood there.
  std::fputs(absl::StrCat("\r\x1b[K", line).c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::Finish() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace starratings::starctl
