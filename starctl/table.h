// Tables for people: columns aligned by what a terminal shows, not by bytes.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace starratings::starctl {

// How many cells of a terminal `text` takes.
size_t WidthOf(absl::string_view text);

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Line breaks become spaces.
  void AddRow(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }

  // Title, rule and rows, a line each, without trailing space. A column that is
  // empty in every row is left out.
  std::string ToString(absl::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// `text` in lines of at most `width` cells, broken at spaces, each behind
// `indent`; the first behind `first` instead.
std::string Wrap(absl::string_view text, absl::string_view first, absl::string_view indent,
                 size_t width = 100);

}  // namespace starratings::starctl
