// Messages as JSON, for programs: field names as in the protos, fields that are
// not set included, 64-bit numbers as strings (as JSON's mapping of protobuf
// has it).
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace starratings::starctl {

std::string ToJson(const google::protobuf::Message& message);

// `text` in quotes.
std::string ToJson(const std::string& text);

}  // namespace starratings::starctl
