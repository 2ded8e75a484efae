#include "common/wire/canonical_message.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest/canonical.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"
#include "google/protobuf/descriptor.h"

namespace starratings::wire {
namespace {

using digest::CanonicalWriter;
using digest::Presence;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Write(const Message& message, CanonicalWriter& writer);

// Writes one value of `field`; `index` is -1 where the field is not repeated.
absl::Status WriteField(const Message& message, const FieldDescriptor& field, int index,
                        CanonicalWriter& writer) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = index >= 0;
  const auto number = static_cast<uint32_t>(field.number());
  // An element of a list counts even if it is 0 or empty.
  const Presence presence =
      repeated || field.has_presence() ? Presence::kExplicit : Presence::kImplicit;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      writer.Number(number,
                    repeated ? reflection.GetRepeatedInt32(message, &field, index)
                             : reflection.GetInt32(message, &field),
                    presence);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT64:
      writer.Number(number,
                    repeated ? reflection.GetRepeatedInt64(message, &field, index)
                             : reflection.GetInt64(message, &field),
                    presence);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      writer.Number(number,
                    repeated ? reflection.GetRepeatedEnumValue(message, &field, index)
                             : reflection.GetEnumValue(message, &field),
                    presence);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      writer.Bool(number,
                  repeated ? reflection.GetRepeatedBool(message, &field, index)
                           : reflection.GetBool(message, &field),
                  presence);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text =
          repeated ? reflection.GetRepeatedStringReference(message, &field, index, &scratch)
                   : reflection.GetStringReference(message, &field, &scratch);
      ASSIGN_OR_RETURN(const std::string normal, evidence::ToNfc(text));
      writer.String(number, normal, presence);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      absl::Status written;
      writer.Message(number, [&](CanonicalWriter& inner) {
        written = Write(repeated ? reflection.GetRepeatedMessage(message, &field, index)
                                 : reflection.GetMessage(message, &field),
                        inner);
      });
      return written;
    }
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(field.full_name(), ": has a type without a canonical form"));
  }
}

absl::Status Write(const Message& message, CanonicalWriter& writer) {
  const Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(message.GetDescriptor()->full_name(), ": must not hold unknown fields"));
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);  // Those that are set, by number.
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->full_name(), ": a map has no canonical form"));
    }
    if (!field->is_repeated()) {
      RETURN_IF_ERROR(WriteField(message, *field, -1, writer));
      continue;
    }
    const int size = reflection.FieldSize(message, field);
    for (int i = 0; i < size; ++i) RETURN_IF_ERROR(WriteField(message, *field, i, writer));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CanonicalBytes(const Message& message) {
  CanonicalWriter writer;
  RETURN_IF_ERROR(Write(message, writer));
  return writer.bytes();
}

absl::StatusOr<digest::Digest> CanonicalDigest(const Message& message) {
  ASSIGN_OR_RETURN(const std::string bytes, CanonicalBytes(message));
  return digest::Sha256(bytes);
}

}  // namespace starratings::wire
