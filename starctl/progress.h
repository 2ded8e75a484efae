// How far long work is, how fast, and how long it will take yet: a bar on stderr
// if that is a terminal, and otherwise a line now and then.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/time/time.h"

namespace starratings::starctl {

class Progress {
 public:
  // Between two lines, and before the first: short work says nothing.
  static constexpr absl::Duration kLineEvery = absl::Seconds(10);

  // Where it is shown, and by which clock.
  struct Output {
    std::FILE* file;
    bool terminal;
    std::function<absl::Time()> now;
  };

  explicit Progress(std::string what);
  Progress(std::string what, Output output);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A total of 0: nobody knows.
  void Show(int64_t done, int64_t total);

  // Takes the bar away.
  void Finish();

 private:
  bool IsDue(absl::Time now, bool all_done) const;
  // How fast, and how long yet; empty as long as nobody can say.
  std::string Pace(int64_t done, int64_t total, absl::Time now) const;

  const std::string what_;
  const Output output_;
  bool shown_ = false;
  absl::Time begun_ = absl::InfinitePast();
  absl::Time shown_at_ = absl::InfinitePast();
  int64_t done_before_ = 0;  // At the first Show().
};

}  // namespace starratings::starctl
