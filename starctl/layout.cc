#include "starctl/layout.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace starratings::starctl {
namespace {

std::optional<size_t> FieldOf(const Fields& fields, absl::string_view name) {
  const auto found = std::find(fields.names.begin(), fields.names.end(), name);
  if (found == fields.names.end()) return std::nullopt;
  return static_cast<size_t>(found - fields.names.begin());
}

// A column, and the field or other text that goes with it.
template <typename What>
using Columns = std::vector<std::pair<size_t, What>>;

Columns<std::string> FilterOf(const CsvFile& file, const Texts& row_filter, BadRows& bad) {
  Columns<std::string> filter;
  for (const auto& [column, wanted] : row_filter) {
    if (const auto index = file.Find(column)) {
      filter.emplace_back(*index, wanted);
    } else {
      bad.Add(file.header_line, column, "must be a column, since rows are chosen by it");
    }
  }
  return filter;
}

bool Counts(const CsvRow& row, const Columns<std::string>& filter) {
  return std::all_of(filter.begin(), filter.end(),
                     [&row](const auto& rule) { return row.cells[rule.first] == rule.second; });
}

void SetConstants(const Fields& fields, const Texts& constants, Entry& entry) {
  for (const auto& [name, value] : constants) {
    if (const auto field = FieldOf(fields, name)) {
      entry.Set(*field, value, fields.names[*field]);
    }
  }
}

// What a mapping may hold constant: one mapping serves to register
// organisations and to import, and a name that is neither's is a slip.
void CheckConstants(const CsvFile& file, const Texts& constants, BadRows& bad) {
  constexpr std::array<absl::string_view, 13> kKnown = {
      "period",        "instance",      "observed_on", "source",    "source_uri",
      "source_sha256", "reconstructed", "kind",        "authority", "expires_on",
      "region",        "from",          "to"};
  for (const auto& [name, value] : constants) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      bad.Add(file.header_line, name, "must not be a constant: there is no such field");
    }
  }
}

// An entry that knows what its fields are called, and the constants.
Entry Blank(int line, const Fields& fields, const Texts& constants) {
  Entry entry(line, fields.names.size());
  for (size_t i = 0; i < fields.names.size(); ++i) entry.Set(i, "", fields.names[i]);
  SetConstants(fields, constants, entry);
  return entry;
}

size_t Need(const CsvFile& file, absl::string_view column, BadRows& bad) {
  if (const auto index = file.Find(column)) return *index;
  bad.Add(file.header_line, column, "must be a column, since the mapping names it");
  return 0;
}

}  // namespace

void ReadLong(const CsvFile& file, const Fields& fields, const Texts& constants,
              const Texts& row_filter, BadRows& bad, const EntrySink& sink) {
  const size_t faults_before = bad.count();
  Columns<size_t> columns;
  for (size_t i = 0; i < file.header.size(); ++i) {
    if (const auto field = FieldOf(fields, file.header[i])) {
      columns.emplace_back(i, *field);
    } else if (!file.header[i].empty()) {
      bad.Add(file.header_line, file.header[i],
              absl::StrCat("must be one of the columns ", absl::StrJoin(fields.names, ", "),
                           "; a file with other columns needs --mapping"));
    }
  }
  for (const size_t needed : fields.needed) {
    const std::string& name = fields.names[needed];
    if (!file.Find(name) && !constants.contains(name)) {
      bad.Add(file.header_line, name, "must be a column of the file, or given by --constant");
    }
  }
  for (const auto& [name, value] : constants) {
    if (file.Find(name)) {
      bad.Add(file.header_line, name, "must not be both a column and a constant");
    } else if (!FieldOf(fields, name)) {
      bad.Add(file.header_line, name, "must not be a constant: there is no such field");
    }
  }
  const Columns<std::string> filter = FilterOf(file, row_filter, bad);
  if (bad.count() != faults_before) return;
  for (const CsvRow& row : file.rows) {
    if (!Counts(row, filter)) continue;
    Entry entry = Blank(row.line, fields, constants);
    for (const auto& [index, field] : columns) {
      entry.Set(field, row.cells[index], fields.names[field]);
    }
    sink(entry);
  }
}

void ReadWide(const CsvFile& file, const Fields& fields, const WideFields& places,
              const Mapping& mapping, BadRows& bad, const EntrySink& sink) {
  const size_t faults_before = bad.count();
  const size_t id = Need(file, mapping.id_column, bad);
  std::optional<size_t> name;
  if (places.name && !mapping.name_column.empty()) name = Need(file, mapping.name_column, bad);
  Columns<std::string> codes;
  if (places.code) {
    for (const auto& [column, code] : mapping.codes) {
      codes.emplace_back(Need(file, column, bad), code);
    }
    if (codes.empty()) bad.Add(file.header_line, "", "the mapping must name columns in `codes`");
  }
  CheckConstants(file, mapping.constants, bad);
  const Columns<std::string> filter = FilterOf(file, mapping.row_filter, bad);
  if (bad.count() != faults_before) return;
  for (const CsvRow& row : file.rows) {
    if (!Counts(row, filter)) continue;
    Entry entry = Blank(row.line, fields, mapping.constants);
    entry.Set(places.organisation, row.cells[id], mapping.id_column);
    if (places.name) {
      // Without names of their own, organisations are called by their ids.
      const size_t column = name ? *name : id;
      entry.Set(*places.name, row.cells[column], file.header[column]);
    }
    if (!places.code) sink(entry);
    for (const auto& [index, code] : codes) {
      const auto missing = mapping.missing.find(row.cells[index]);
      const bool absent = missing != mapping.missing.end();
      const std::string& column = file.header[index];
      entry.Set(*places.code, code, column);
      // Views, not strings: an entry keeps no copies.
      const absl::string_view none;
      entry.Set(*places.value, absent ? none : absl::string_view(row.cells[index]), column);
      entry.Set(*places.missing, absent ? absl::string_view(missing->second) : none, column);
      sink(entry);
    }
  }
}

}  // namespace starratings::starctl
