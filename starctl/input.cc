#include "starctl/input.h"

#include "common/digest/sha256.h"
#include "common/status/status_macros.h"

namespace starratings::starctl {

absl::StatusOr<Input> ReadInput(const FileOptions& options) {
  Input input;
  input.path = options.file;
  if (!options.mapping.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(options.mapping));
    ASSIGN_OR_RETURN(input.mapping, ParseMapping(options.mapping, text));
  }
  Texts& constants = input.mapping ? input.mapping->constants : input.constants;
  Texts& row_filter = input.mapping ? input.mapping->row_filter : input.row_filter;
  RETURN_IF_ERROR(ApplyOverrides("--constant", options.constants, constants));
  RETURN_IF_ERROR(ApplyOverrides("--where", options.where, row_filter));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  input.sha256 = digest::ToHex(digest::Sha256(bytes));
  ASSIGN_OR_RETURN(input.csv, ParseCsv(options.file, bytes));
  return input;
}

void ForEachEntry(const Input& input, const Fields& fields, const WideFields& places, BadRows& bad,
                  const EntrySink& sink) {
  if (input.mapping) {
    ReadWide(input.csv, fields, places, *input.mapping, bad, sink);
  } else {
    ReadLong(input.csv, fields, input.constants, input.row_filter, bad, sink);
  }
}

}  // namespace starratings::starctl
