// CSV as people have it: RFC 4180, and what spreadsheets make of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::starctl {

struct CsvRow {
  int line = 0;                    // Where it begins, from 1.
  std::vector<std::string> cells;  // As many as the header has.
};

struct CsvFile {
  char separator = ',';
  int header_line = 1;
  std::vector<std::string> header;  // No name occurs twice.
  std::vector<CsvRow> rows;

  // The index of a column, if it is there.
  std::optional<size_t> Find(absl::string_view column) const;
};

// Reads `bytes`; `name` is the file's, for errors.
//
// Taken as they come: a byte order mark, a line `sep=;`, any line ends, comma,
// semicolon or tab (whichever the header has most of), quoted cells with line
// breaks, blank rows, a surplus of empty cells. Cells lose the space around
// them and are put into Unicode normal form C.
//
// Returns an error as BadRows makes it if the bytes are not UTF-8 (with a hint
// where they look like Windows-1252), a quote is not closed or stands within a
// cell, a row has not as many cells as the header, or the header has a name
// twice, none at all, or none above a column that is in use.
absl::StatusOr<CsvFile> ParseCsv(absl::string_view name, absl::string_view bytes);

// A whole file. Returns an error as BadFile() makes it if it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace starratings::starctl
