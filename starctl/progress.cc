#include "starctl/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "starctl/words.h"

namespace starratings::starctl {

constexpr int kBarWidth = 30;

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(isatty(2) == 1) {}

Progress::~Progress() { Finish(); }

void Progress::Show(int64_t done, int64_t total) {
  if (!terminal_) return;
  std::string line;
  if (total > 0) {
    const int percent = static_cast<int>(done * 100 / total);
    if (percent == percent_) return;
    percent_ = percent;
    const auto full = static_cast<size_t>(percent * kBarWidth / 100);
    line = absl::StrCat(what_, " [", std::string(full, '#'), std::string(kBarWidth - full, ' '),
                        "] ", percent, "% of ", Thousands(total));
  } else {
    line = absl::StrCat(what_, " ", Thousands(done));
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
