// Small readings and writings of words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace starratings::starctl {

// yes, no, true, false, in any case.
std::optional<bool> FlagFromString(absl::string_view text);

// Every run of white space, line breaks included, as one space.
std::string OneLine(absl::string_view text);

// `1,350`.
std::string Thousands(int64_t number);

// `1 item`, `1,350 items`.
std::string Counted(int64_t number, absl::string_view noun);

// A new random UUID.
std::string NewUuid();

// A UUID made of the first bytes of the SHA-256 of `content`.
std::string UuidOf(absl::string_view content);

}  // namespace starratings::starctl
