// How far long work is: a bar on stderr, if that is a terminal.
#pragma once

#include <cstdint>
#include <string>

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
  int percent_ = -1;
};

}  // namespace starratings::starctl
