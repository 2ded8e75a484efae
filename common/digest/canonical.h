// Writes the canonical form of a message (docs/digests.md): protobuf's wire
// format, with what protobuf leaves open decided. Fields stand in the order of
// their numbers; a field with its default value is left out, unless its
// presence says something (a member of a oneof).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace starratings::digest {

// Whether a field with its default value is written.
enum class Presence { kImplicit, kExplicit };

class CanonicalWriter {
 public:
  // Each call's `field` must not be less than the one before.

  void Number(uint32_t field, int64_t value, Presence presence = Presence::kImplicit);
  void Bool(uint32_t field, bool value, Presence presence = Presence::kImplicit);
  // `text` must be in normal form C.
  void String(uint32_t field, absl::string_view text, Presence presence = Presence::kImplicit);
  // A message that is there, even if it is empty. `write` writes its fields, into the
  // writer that it is given.
  template <typename Write>
  void Message(uint32_t field, Write write) {
    Tag(field, kDelimited);
    const size_t begin = bytes_.size();
    last_field_ = 0;
    write(*this);
    last_field_ = field;
    PutLengthBefore(begin);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kVarint = 0;
  static constexpr uint32_t kDelimited = 2;

  void Tag(uint32_t field, uint32_t wire_type);
  void Varint(uint64_t value);
  void Delimited(uint32_t field, absl::string_view bytes);
  // Of what was written from `begin` on.
  void PutLengthBefore(size_t begin);

  std::string bytes_;
  uint32_t last_field_ = 0;
};

}  // namespace starratings::digest
