// How a file that was not made for us is to be read: which column names the
// organisation, which columns hold values, what every row has in common.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::starctl {

// docs/starctl.md describes the file.
struct Mapping {
  std::string id_column;
  std::string name_column;                        // May be empty.
  std::map<std::string, std::string> codes;       // Column -> code.
  std::map<std::string, std::string> constants;   // Field, for example `period` -> value.
  std::map<std::string, std::string> row_filter;  // Column -> what its cell must be.
  std::map<std::string, std::string> missing;     // Cell -> missing reason.
};

// Returns an error as BadFile() makes it if `text` is not JSON of that shape.
absl::StatusOr<Mapping> ParseMapping(absl::string_view name, absl::string_view text);

// `NAME=VALUE` of the command line into `values`, over what is there. Returns
// an error as BadUsage() makes it; `flag` is for its message.
absl::Status ApplyOverrides(absl::string_view flag, const std::vector<std::string>& overrides,
                            std::map<std::string, std::string>& values);

}  // namespace starratings::starctl
