// What texts and names may be: UTF-8 in normal form C, without control
// characters, compared by bytes.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::evidence {

// The period of facts that last until they change.
inline constexpr char kStanding[] = "standing";

// The code under which a list state is recorded.
inline constexpr char kListStateCode[] = "special_measures.list_state";

// Returns `text` in Unicode normal form C. Returns INVALID_ARGUMENT if it is
// not UTF-8.
absl::StatusOr<std::string> ToNfc(absl::string_view text);

// Each of these returns OK, or INVALID_ARGUMENT with a message that says what
// is required, to be put behind a field's path.

// UTF-8, normal form C, no control characters, between `least` and `most`
// bytes.
absl::Status CheckText(absl::string_view text, size_t least, size_t most);

// As CheckText, but line breaks and tabs are allowed.
absl::Status CheckLongText(absl::string_view text, size_t least, size_t most);

// An organisation's id: a text of 1 to 128 bytes without leading or trailing
// space.
absl::Status CheckOrganisationId(absl::string_view id);

// An item's instance: empty, or as an organisation's id.
absl::Status CheckInstance(absl::string_view instance);

// A code: `[a-z0-9_.]{1,64}`.
absl::Status CheckCode(absl::string_view code);

// A period's or round's id: `[a-z0-9_.-]{1,64}`.
absl::Status CheckSlug(absl::string_view id);

// A level's name: a text of 1 to 64 bytes, not `any`, without `|`.
absl::Status CheckLevel(absl::string_view level);

// A UUID: 8-4-4-4-12 hexadecimal digits.
absl::Status CheckUuid(absl::string_view id);

// A SHA-256: 64 lower-case hexadecimal digits.
absl::Status CheckSha256(absl::string_view digest);

}  // namespace starratings::evidence
