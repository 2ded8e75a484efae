#include "starctl/mapping.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/evidence/evidence.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"
#include "nlohmann/json.hpp"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using Json = nlohmann::json;
using Texts = std::map<std::string, std::string>;

absl::StatusOr<std::string> TextOf(absl::string_view file, const Json& json,
                                   absl::string_view field) {
  if (!json.is_string()) return BadFile(file, absl::StrCat("`", field, "` must be a string"));
  auto normal = evidence::ToNfc(json.get_ref<const std::string&>());
  if (!normal.ok()) return BadFile(file, absl::StrCat("`", field, "` must be UTF-8"));
  return *std::move(normal);
}

absl::StatusOr<Texts> TextsOf(absl::string_view file, const Json& json, absl::string_view field) {
  if (!json.is_object()) {
    return BadFile(file, absl::StrCat("`", field, "` must be an object of strings"));
  }
  Texts texts;
  for (const auto& [key, value] : json.items()) {
    const auto name = evidence::ToNfc(key);
    if (!name.ok()) return BadFile(file, absl::StrCat("`", field, "` must be UTF-8"));
    ASSIGN_OR_RETURN(texts[*name], TextOf(file, value, absl::StrCat(field, ".", key)));
  }
  return texts;
}

absl::Status ReadField(absl::string_view file, const std::string& field, const Json& value,
                       Mapping& mapping) {
  if (field == "id_column") {
    ASSIGN_OR_RETURN(mapping.id_column, TextOf(file, value, field));
  } else if (field == "name_column") {
    ASSIGN_OR_RETURN(mapping.name_column, TextOf(file, value, field));
  } else if (field == "codes") {
    ASSIGN_OR_RETURN(mapping.codes, TextsOf(file, value, field));
  } else if (field == "constants") {
    ASSIGN_OR_RETURN(mapping.constants, TextsOf(file, value, field));
  } else if (field == "row_filter") {
    ASSIGN_OR_RETURN(mapping.row_filter, TextsOf(file, value, field));
  } else if (field == "missing") {
    ASSIGN_OR_RETURN(mapping.missing, TextsOf(file, value, field));
  } else {
    return BadFile(file, absl::StrCat("`", field,
                                      "` is not known; a mapping has id_column, name_column, "
                                      "codes, constants, row_filter and missing"));
  }
  return absl::OkStatus();
}

absl::Status Check(absl::string_view file, const Mapping& mapping) {
  if (mapping.id_column.empty()) {
    return BadFile(file, "`id_column` must name the column of the organisations' ids");
  }
  std::map<std::string, std::string> columns;
  for (const auto& [column, code] : mapping.codes) {
    const auto [other, fresh] = columns.emplace(code, column);
    if (!fresh) {
      return BadFile(file, absl::StrCat("`codes`: the columns `", other->second, "` and `", column,
                                        "` must not both be ", code));
    }
  }
  for (const auto& [cell, reason] : mapping.missing) {
    if (!evidence::MissingReasonFromString(reason)) {
      return BadFile(file, absl::StrCat("`missing`: `", reason,
                                        "` must be NOT_REPORTED, UNRELIABLE, SUPPRESSED, "
                                        "WITHDRAWN or NOT_APPLICABLE"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(absl::string_view name, absl::string_view text) {
  Json json;
  try {
    json = Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    return BadFile(name, absl::StrCat("is not JSON: ", error.what()));
  }
  if (!json.is_object()) return BadFile(name, "must be a JSON object");
  Mapping mapping;
  for (const auto& [field, value] : json.items()) {
    RETURN_IF_ERROR(ReadField(name, field, value, mapping));
  }
  RETURN_IF_ERROR(Check(name, mapping));
  return mapping;
}

absl::Status ApplyOverrides(absl::string_view flag, const std::vector<std::string>& overrides,
                            std::map<std::string, std::string>& values) {
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return BadUsage(absl::StrCat(flag, ": must be NAME=VALUE, and is `", text, "`"));
    }
    const auto name = evidence::ToNfc(text.substr(0, equals));
    const auto value = evidence::ToNfc(text.substr(equals + 1));
    if (!name.ok() || !value.ok()) return BadUsage(absl::StrCat(flag, ": must be UTF-8"));
    values[*name] = *value;
  }
  return absl::OkStatus();
}

}  // namespace starratings::starctl
