#include "starctl/table.h"

#include <utf8proc.h>

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

std::string Padded(const std::string& text, size_t width, Table::Align align) {
  const size_t own = WidthOf(text);
  const std::string space(width > own ? width - own : 0, ' ');
  return align == Table::Align::kLeft ? text + space : space + text;
}

void AppendLine(std::string line, std::string& out) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  absl::StrAppend(&out, line, "\n");
}

}  // namespace

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (used < 1) {
      ++at;
      ++width;
      continue;
    }
    at += static_cast<size_t>(used);
    width += static_cast<size_t>(std::max(utf8proc_charwidth(point), 0));
  }
  return width;
}

void Table::AddRow(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = OneLine(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::ToString(absl::string_view indent) const {
  std::vector<size_t> shown;
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t widest = 0;
    for (const auto& row : rows_) widest = std::max(widest, WidthOf(row[i]));
    if (widest == 0) continue;
    shown.push_back(i);
    widths.push_back(std::max(widest, WidthOf(columns_[i].title)));
  }
  std::string out;
  std::string titles(indent);
  std::string rule(indent);
  for (size_t i = 0; i < shown.size(); ++i) {
    const Column& column = columns_[shown[i]];
    absl::StrAppend(&titles, i == 0 ? "" : "  ", Padded(column.title, widths[i], column.align));
    absl::StrAppend(&rule, i == 0 ? "" : "  ", std::string(widths[i], '-'));
  }
  AppendLine(titles, out);
  AppendLine(rule, out);
  for (const auto& row : rows_) {
    std::string line(indent);
    for (size_t i = 0; i < shown.size(); ++i) {
      absl::StrAppend(&line, i == 0 ? "" : "  ",
                      Padded(row[shown[i]], widths[i], columns_[shown[i]].align));
    }
    AppendLine(line, out);
  }
  return out;
}

std::string Wrap(absl::string_view text, absl::string_view first, absl::string_view indent,
                 size_t width) {
  std::string out;
  std::string line(first);
  bool empty = true;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!empty && WidthOf(line) + 1 + WidthOf(word) > width) {
      AppendLine(std::move(line), out);
      line = std::string(indent);
      empty = true;
    }
    absl::StrAppend(&line, empty ? "" : " ", word);
    empty = false;
  }
  AppendLine(std::move(line), out);
  return out;
}

}  // namespace starratings::starctl
