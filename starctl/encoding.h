// Whether bytes are the UTF-8 that we ask for, and what they are if not.
#pragma once

#include "absl/strings/string_view.h"
#include "starctl/bad_rows.h"

namespace starratings::starctl {

// Notes the first byte of each of the first lines that is not UTF-8, with what
// it would be in Windows-1252, and how to convert the file.
void CheckEncoding(absl::string_view text, BadRows& bad);

}  // namespace starratings::starctl
