#include "common/digest/canonical.h"

#include <algorithm>
#include <cassert>

namespace starratings::digest {

void CanonicalWriter::Number(uint32_t field, int64_t value, Presence presence) {
  if (value == 0 && presence == Presence::kImplicit) return;
  Tag(field, kVarint);
  Varint(static_cast<uint64_t>(value));
}

void CanonicalWriter::Bool(uint32_t field, bool value, Presence presence) {
  Number(field, value ? 1 : 0, presence);
}

void CanonicalWriter::String(uint32_t field, absl::string_view text, Presence presence) {
  if (text.empty() && presence == Presence::kImplicit) return;
  Delimited(field, text);
}

void CanonicalWriter::Tag(uint32_t field, uint32_t wire_type) {
  assert(field >= last_field_ && field > 0);
  last_field_ = field;
  Varint((static_cast<uint64_t>(field) << 3) | wire_type);
}

void CanonicalWriter::Varint(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void CanonicalWriter::PutLengthBefore(size_t begin) {
  const size_t end = bytes_.size();
  Varint(end - begin);
  std::rotate(bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
              bytes_.begin() + static_cast<std::ptrdiff_t>(end), bytes_.end());
}

void CanonicalWriter::Delimited(uint32_t field, absl::string_view bytes) {
  Tag(field, kDelimited);
  Varint(bytes.size());
  bytes_.append(bytes.data(), bytes.size());
}

}  // namespace starratings::digest
