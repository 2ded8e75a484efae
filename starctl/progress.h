// How far long work is, how fast, and how long it will take yet: a bar on stderr,
// if that is a terminal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace starratings::starctl {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A total of 0: nobody knows.
  void Show(int64_t done, int64_t total);

  // Takes the bar away.
  void Finish();

 private:
  const std::string what_;
  const bool terminal_;
  bool shown_ = false;
  absl::Time begun_ = absl::InfinitePast();
  absl::Time shown_at_ = absl::InfinitePast();
  int64_t done_before_ = 0;  // At the first Show().
};

}  // namespace starratings::starctl
