#include "starctl/csv.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"
#include "starctl/bad_rows.h"
#include "starctl/encoding.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

// Without the space around it, the space that does not break included.
absl::string_view Trim(absl::string_view text) {
  constexpr absl::string_view kNoBreak = "\xc2\xa0";
  while (true) {
    if (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' ||
                          text.front() == '\r')) {
      text.remove_prefix(1);
    } else if (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n' ||
                                 text.back() == '\r')) {
      text.remove_suffix(1);
    } else if (!absl::ConsumePrefix(&text, kNoBreak) && !absl::ConsumeSuffix(&text, kNoBreak)) {
      return text;
    }
  }
}

bool IsBlank(const CsvRow& row) {
  return std::all_of(row.cells.begin(), row.cells.end(),
                     [](const std::string& cell) { return cell.empty(); });
}

// Splits text into rows of cells. The text is UTF-8.
class Splitter {
 public:
  Splitter(absl::string_view text, char separator, int line, BadRows& bad)
      : text_(text), separator_(separator), line_(line), bad_(bad) {}

  // Returns false at the end of the text.
  bool Next(CsvRow& row) {
    if (at_ >= text_.size()) return false;
    row.line = line_;
    row.cells.clear();
    while (true) {
      row.cells.push_back(text_[at_] == '"' ? Quoted() : Plain());
      if (at_ >= text_.size()) return true;
      const char end = text_[at_];
      if (end != separator_) {
        EndLine();
        return true;
      }
      ++at_;
      if (at_ >= text_.size()) {
        row.cells.emplace_back();
        return true;
      }
    }
  }

 private:
  bool AtEnd() const {
    return at_ >= text_.size() || text_[at_] == separator_ || text_[at_] == '\n' ||
           text_[at_] == '\r';
  }

  // Steps over a line end: LF, CR LF, or CR alone.
  void EndLine() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  std::string Normal(absl::string_view raw) const {
    // The bytes were found to be UTF-8 before.
    return *evidence::ToNfc(Trim(raw));
  }

  std::string Plain() {
    const size_t begin = at_;
    bool quote = false;
    while (!AtEnd()) quote |= text_[at_++] == '"';
    if (quote) {
      bad_.Add(line_, "",
               "a quote must not stand within a cell, unless the whole cell is in "
               "quotes and each quote in it is doubled");
    }
    return Normal(text_.substr(begin, at_ - begin));
  }

  std::string Quoted() {
    const int opened = line_;
    std::string raw;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) {
        bad_.Add(opened, "", "the quote that opens here must be closed");
        return Normal(raw);
      }
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
      } else if (c == '\n' || (c == '\r' && !absl::StartsWith(text_.substr(at_), "\r\n"))) {
        ++line_;
      }
      if (c != '\r') raw.push_back(c);
      if (c == '\r' && !absl::StartsWith(text_.substr(at_), "\r\n")) raw.push_back('\n');
      ++at_;
    }
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (!AtEnd()) {
      bad_.Add(line_, "",
               "after a closing quote the next cell must begin; a quote within a cell "
               "is written twice");
      while (!AtEnd()) ++at_;
    }
    return Normal(raw);
  }

  absl::string_view text_;
  char separator_;
  int line_;
  BadRows& bad_;
  size_t at_ = 0;
};

// Whichever the header has most of, outside quotes.
char SeparatorOf(absl::string_view text) {
  size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

// Makes a row as long as the header. A surplus of empty cells is what
// spreadsheets leave behind; anything else shifts columns.
void Fit(CsvRow& row, size_t columns, BadRows& bad) {
  while (row.cells.size() > columns && row.cells.back().empty()) row.cells.pop_back();
  if (row.cells.size() != columns) {
    bad.Add(
        row.line, "",
        absl::StrCat("must have ", columns, " cells, as the header, and has ", row.cells.size()));
    row.cells.resize(columns);
  }
}

void CheckHeader(const CsvFile& file, BadRows& bad) {
  std::set<std::string> seen;
  for (size_t i = 0; i < file.header.size(); ++i) {
    const std::string& name = file.header[i];
    if (!name.empty() && !seen.insert(name).second) {
      bad.Add(file.header_line, name, "must not occur twice in the header");
    }
    if (!name.empty()) continue;
    const auto used = std::find_if(file.rows.begin(), file.rows.end(),
                                   [i](const CsvRow& row) { return !row.cells[i].empty(); });
    if (used != file.rows.end()) {
      bad.Add(file.header_line, "",
              absl::StrCat("column ", i + 1, " must have a name: line ", used->line,
                           " has a value there"));
    }
  }
}

// Excel's own way to name the separator.
char TakeSeparatorLine(absl::string_view& text, int& line) {
  if (text.size() < 5 || !absl::StartsWithIgnoreCase(text, "sep=") || text[4] == '\n') return 0;
  const char separator = text[4];
  absl::string_view rest = text.substr(5);
  const bool ended = absl::ConsumePrefix(&rest, "\r\n") || absl::ConsumePrefix(&rest, "\n") ||
                     absl::ConsumePrefix(&rest, "\r");
  if (!ended) return 0;
  text = rest;
  ++line;
  return separator;
}

}  // namespace

std::optional<size_t> CsvFile::Find(absl::string_view column) const {
  const auto found = std::find(header.begin(), header.end(), column);
  if (found == header.end()) return std::nullopt;
  return static_cast<size_t>(found - header.begin());
}

absl::StatusOr<CsvFile> ParseCsv(absl::string_view name, absl::string_view bytes) {
  absl::string_view text = bytes;
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  BadRows bad(name);
  CheckEncoding(text, bad);
  RETURN_IF_ERROR(bad.ToStatus());

  int line = 1;
  const char named = TakeSeparatorLine(text, line);
  CsvFile file;
  file.separator = named != 0 ? named : SeparatorOf(text);
  Splitter splitter(text, file.separator, line, bad);
  CsvRow row;
  bool more = splitter.Next(row);
  while (more && IsBlank(row)) more = splitter.Next(row);
  if (!more) return BadFile(name, "must have a header row, and is empty");
  file.header_line = row.line;
  file.header = row.cells;
  while (file.header.size() > 1 && file.header.back().empty()) file.header.pop_back();
  while (splitter.Next(row)) {
    if (IsBlank(row)) continue;
    Fit(row, file.header.size(), bad);
    file.rows.push_back(std::move(row));
  }
  CheckHeader(file, bad);
  RETURN_IF_ERROR(bad.ToStatus());
  return file;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return BadFile(path, "is a directory");
  std::ifstream in(path, std::ios::binary);
  if (!in) return BadFile(path, absl::StrCat("cannot be read: ", std::strerror(errno)));
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) return BadFile(path, "cannot be read to its end");
  return bytes;
}

}  // namespace starratings::starctl
