// A file of the user's, read and understood as far as that goes without a
// service.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "starctl/bad_rows.h"
#include "starctl/csv.h"
#include "starctl/layout.h"
#include "starctl/mapping.h"
#include "starctl/options.h"

namespace starratings::starctl {

struct Input {
  std::string path;
  std::string sha256;  // Of the whole file, in hexadecimal.
  CsvFile csv;
  std::optional<Mapping> mapping;  // Of a wide file; overridden already.
  Texts constants;                 // Of a long one.
  Texts row_filter;                // Of a long one.
};

// Returns errors as ReadFile(), ParseCsv(), ParseMapping() and ApplyOverrides()
// make them.
absl::StatusOr<Input> ReadInput(const FileOptions& options);

// Calls `sink` for each entry, long or wide.
void ForEachEntry(const Input& input, const Fields& fields, const WideFields& places, BadRows& bad,
                  const EntrySink& sink);

}  // namespace starratings::starctl
