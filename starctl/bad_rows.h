// Gathers everything wrong with a file, so that its author can mend it in one
// go. A file is checked to the end before any of it is sent.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starratings::starctl {

class BadRows {
 public:
  // More than these are counted, not printed: a wrong column makes every row
  // bad, and nobody reads 20,000 lines.
  static constexpr size_t kPrinted = 50;

  // `file` as the user wrote it.
  explicit BadRows(absl::string_view file) : file_(file) {}

  // Notes that `column` in `line` breaks `rule`. An empty column: the row as a
  // whole. Write the rule as what is required.
  void Add(int line, absl::string_view column, absl::string_view rule);

  // Notes the message of `status` as the rule, unless it is OK.
  void AddIfError(int line, absl::string_view column, const absl::Status& status);

  bool empty() const { return faults_.empty(); }
  size_t count() const { return faults_.size(); }
  const std::string& file() const { return file_; }

  // OK if nothing was added; otherwise an error of the kind BadFile() makes,
  // with a field `FILE:LINE: COLUMN` for each fault, in the order of the lines.
  absl::Status ToStatus() const;

 private:
  struct Fault {
    int line;
    std::string column;
    std::string rule;
  };

  std::string file_;
  std::vector<Fault> faults_;
};

}  // namespace starratings::starctl
