// From the rows of a file to the fields that we know, whether the file is long
// (one item a row, columns named as the fields) or wide (one column a code, with
// a mapping).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "starctl/bad_rows.h"
#include "starctl/csv.h"
#include "starctl/mapping.h"

namespace starratings::starctl {

// One thing that a file says: the fields that were asked for, as text.
class Entry {
 public:
  Entry(int line, size_t fields) : line_(line), fields_(fields) {}

  int line() const { return line_; }
  // Empty if neither a column nor a constant has it.
  absl::string_view text(size_t field) const { return fields_[field].first; }
  // What to call the field in an error: the column it came from.
  absl::string_view column(size_t field) const { return fields_[field].second; }
  void Set(size_t field, absl::string_view text, absl::string_view column) {
    fields_[field] = {text, column};
  }

 private:
  int line_;
  std::vector<std::pair<absl::string_view, absl::string_view>> fields_;
};

// What is done with each entry.
using EntrySink = std::function<void(const Entry&)>;

// What a kind of file may say.
struct Fields {
  std::vector<std::string> names;
  std::vector<size_t> needed;  // Must come from a column or a constant.
};

// What the command line adds: constants for what the file has no column for,
// and which rows count.
using Texts = std::map<std::string, std::string>;

// Reads a long file. Notes a column that is not one of the fields, a field that
// is needed and not there, a constant that is no field or that a column gives
// as well, and a filter on a column that is not there.
void ReadLong(const CsvFile& file, const Fields& fields, const Texts& constants,
              const Texts& row_filter, BadRows& bad, const EntrySink& sink);

// The places of the fields that a wide file is about.
struct WideFields {
  size_t organisation;
  std::optional<size_t> name;
  // Set if there is one entry for each column of a code, else there is one for
  // each row.
  std::optional<size_t> code;
  std::optional<size_t> value;
  std::optional<size_t> missing;
};

// Reads a wide file; other columns than those of the mapping are nobody's
// business. Notes a column of the mapping that is not there.
void ReadWide(const CsvFile& file, const Fields& fields, const WideFields& places,
              const Mapping& mapping, BadRows& bad, const EntrySink& sink);

}  // namespace starratings::starctl
