// The canonical form of any message (docs/digests.md), and its digest.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/digest/sha256.h"
#include "google/protobuf/message.h"

namespace starratings::wire {

// The canonical form of `message`; its strings are put into normal form C.
// Returns INVALID_ARGUMENT if it holds an unknown field, a map or text that is
// not UTF-8.
absl::StatusOr<std::string> CanonicalBytes(const google::protobuf::Message& message);

// SHA-256 of the canonical form.
absl::StatusOr<digest::Digest> CanonicalDigest(const google::protobuf::Message& message);

}  // namespace starratings::wire
