// A scheme's text: parsed strictly, and its digest. Says nothing of whether the
// scheme is any good; rating-svc/verify does.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/digest/sha256.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::wire {

// Where and why a text does not parse.
struct TextIssue {
  int line = 0;    // From 1.
  int column = 0;  // From 1.
  std::string message;
};

// Parses textproto into `message`. Unknown fields, repeated singular fields and
// anything else that is not right are issues. Notes in `tree`, if given, where
// each field stands.
std::vector<TextIssue> ParseText(absl::string_view text, google::protobuf::Message& message,
                                 google::protobuf::TextFormat::ParseInfoTree* tree = nullptr);

// The scheme in `text`. Returns INVALID_ARGUMENT, listing all issues as
// `line 3, column 5: ...`, if it does not parse, or lacks id or version.
absl::StatusOr<scheme::v1::Scheme> ParseScheme(absl::string_view text);

// The scheme's digest: of the parsed message, so that comments and layout do
// not count.
absl::StatusOr<digest::Digest> SchemeDigest(const scheme::v1::Scheme& scheme);

// `id@version`.
std::string SchemeName(const scheme::v1::Scheme& scheme);

}  // namespace starratings::wire
