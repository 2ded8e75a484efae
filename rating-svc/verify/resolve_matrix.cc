// Matrices: their shape, and which row fills which cell.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "rating-svc/verify/replay.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

// More holes of a matrix than these are counted, not shown.
constexpr int kHolesShown = 10;

}  // namespace

void Resolver::Matrices() {
  for (int i = 0; i < message_.matrix_size(); ++i) {
    const scheme::v1::Matrix& message = message_.matrix(i);
    const Place at = place_.In("matrix", i);
    RuleId(message.id(), at);
    matrices_.emplace(message.id(), i);
    scheme::Matrix matrix;
    matrix.id = message.id();
    matrix.output = matrix_outputs_[static_cast<size_t>(i)];
    matrix.say = message.say();
    Say(message.say(), kWriterPlaces, message.id(), at);
    Shape(message, at, matrix);
    Fill(message, at, matrix);
    draft_.scheme.matrices.push_back(std::move(matrix));
    draft_.matrix_lines.push_back(at.line());
  }
}

// Leaves `cells` empty if the matrix has no shape.
void Resolver::Shape(const scheme::v1::Matrix& message, const Place& at, scheme::Matrix& matrix) {
  bool whole = Info(matrix.output).scale >= 0;
  if (message.from_size() == 0 || message.from_size() > kFromMost) {
    Fail(message.from_size() == 0 ? "FIELD_MISSING" : "LIMIT_EXCEEDED", message.id(), at,
         absl::StrCat("must read 1 to ", kFromMost, " values, and reads ", message.from_size()));
    whole = false;
  }
  if (message.row_size() > kRowsMost) {
    Fail("LIMIT_EXCEEDED", message.id(), at,
         absl::StrCat("has ", message.row_size(), " rows; at most ", kRowsMost));
    whole = false;
  }
  int64_t cells = 1;
  for (int i = 0; i < message.from_size(); ++i) {
    const int value = ValueNamed(message.from(i), message.id(), at.In("from", i));
    if (value >= 0 && Info(value).scale < 0) {
      Fail("TYPE_MISMATCH", message.id(), at.In("from", i),
           absl::StrCat("`", message.from(i), "` is not on a scale: put a band before it"));
    }
    if (std::find(matrix.from.begin(), matrix.from.end(), value) != matrix.from.end()) {
      Fail("NAME_TAKEN", message.id(), at.In("from", i), "the matrix reads a value twice");
    }
    matrix.from.push_back(value);
    whole = whole && value >= 0 && Info(value).scale >= 0;
    if (whole) cells *= LevelsOf(Info(value).scale);
    if (cells > kCellsMost) {
      Fail("LIMIT_EXCEEDED", message.id(), at,
           absl::StrCat("has more than ", kCellsMost, " cells"));
      return;
    }
  }
  if (!whole) return;
  matrix.cells.assign(static_cast<size_t>(cells), 0);
  matrix.row_of.assign(static_cast<size_t>(cells), kNoRow);
  matrix.stride.assign(matrix.from.size(), 1);
  for (size_t i = matrix.from.size() - 1; i > 0; --i) {
    matrix.stride[i - 1] =
        matrix.stride[i] * static_cast<uint32_t>(LevelsOf(Info(matrix.from[i]).scale));
  }
}

void Resolver::Fill(const scheme::v1::Matrix& message, const Place& at, scheme::Matrix& matrix) {
  const std::vector<scheme::Citation> common = Cite(message.citation(), message.id(), at);
  if (matrix.cells.empty()) return;
  // The cells that two rows fill, by these rows: a pair is one mistake.
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> overlaps;
  for (int i = 0; i < message.row_size(); ++i) {
    const scheme::v1::Row& row = message.row(i);
    const Place place = at.In("row", i);
    const int then =
        LevelNamed(Info(matrix.output).scale, row.then(), message.id(), place.In("then"));
    const int citations = row.citation_size() + message.citation_size();
    const scheme::Basis basis = Ground(row.basis(), citations, message.id(), place);
    std::vector<scheme::Citation> own = Cite(row.citation(), message.id(), place);
    matrix.rows.push_back({basis, own.empty() ? common : std::move(own), place.line()});
    const auto when = When(row, place, matrix);
    if (!when || then < 0) continue;
    std::vector<uint32_t> cells = {0};
    for (const std::vector<uint32_t>& offsets : *when) {
      std::vector<uint32_t> next;
      next.reserve(cells.size() * offsets.size());
      for (const uint32_t cell : cells) {
        for (const uint32_t offset : offsets) next.push_back(cell + offset);
      }
      cells = std::move(next);
    }
    for (const uint32_t cell : cells) {
      const auto index = static_cast<uint32_t>(i);
      if (matrix.row_of[cell] != kNoRow) {
        overlaps.emplace(std::pair(matrix.row_of[cell], index), cell);
        continue;
      }
      matrix.row_of[cell] = index;
      matrix.cells[cell] = static_cast<uint8_t>(then);
    }
    if (overlaps.size() > Issues::kKept) break;  // A hostile table: enough was seen.
  }
  for (const auto& [rows, cell] : overlaps) {
    Fail("MATRIX_OVERLAP", message.id(), at.In("row", static_cast<int>(rows.second)),
         absl::StrCat("the rows of lines ", matrix.rows[rows.first].line, " and ",
                      matrix.rows[rows.second].line, " both match ",
                      CellName(draft_.scheme, matrix, cell)));
  }
  if (overlaps.size() <= Issues::kKept) FindHoles(matrix, at);
}

// For each value the matrix reads, what the row's levels add to the cell.
std::optional<std::vector<std::vector<uint32_t>>> Resolver::When(const scheme::v1::Row& row,
                                                                 const Place& at,
                                                                 const scheme::Matrix& matrix) {
  if (static_cast<size_t>(row.when_size()) != matrix.from.size()) {
    Fail("ROW_MALFORMED", matrix.id, at,
         absl::StrCat("the row has ", row.when_size(), " `when` for ", matrix.from.size(),
                      " values that the matrix reads"));
    return std::nullopt;
  }
  std::vector<std::vector<uint32_t>> when(matrix.from.size());
  bool whole = true;
  for (int i = 0; i < row.when_size(); ++i) {
    const auto at_value = static_cast<size_t>(i);
    const int scale = Info(matrix.from[at_value]).scale;
    const uint32_t stride = matrix.stride[at_value];
    if (row.when(i) == "any") {
      for (int level = 0; level < LevelsOf(scale); ++level) {
        when[at_value].push_back(stride * static_cast<uint32_t>(level));
      }
      continue;
    }
    const std::vector<std::string> names = absl::StrSplit(row.when(i), '|');
    for (const std::string& name : names) {
      const int level = LevelNamed(scale, name, matrix.id, at.In("when", i));
      whole = whole && level >= 0;
      if (level < 0) continue;
      const uint32_t offset = stride * static_cast<uint32_t>(level);
      if (std::find(when[at_value].begin(), when[at_value].end(), offset) != when[at_value].end()) {
        Fail("ROW_MALFORMED", matrix.id, at.In("when", i),
             absl::StrCat("the level `", name, "` stands twice"));
        whole = false;
      }
      when[at_value].push_back(offset);
    }
  }
  if (!whole) return std::nullopt;
  return when;
}

void Resolver::FindHoles(const scheme::Matrix& matrix, const Place& at) {
  int holes = 0;
  for (uint32_t cell = 0; cell < matrix.row_of.size(); ++cell) {
    if (matrix.row_of[cell] != kNoRow || ++holes > kHolesShown) continue;
    issues_.Add("MATRIX_HOLE", matrix.id, at.line(),
                absl::StrCat("no row matches ", CellName(draft_.scheme, matrix, cell)),
                CellCase(draft_.scheme, matrix, cell));
  }
  if (holes > kHolesShown) {
    Fail("MATRIX_HOLE", matrix.id, at,
         absl::StrCat("no row matches ", holes - kHolesShown, " more combinations"));
  }
}

}  // namespace starratings::verify
