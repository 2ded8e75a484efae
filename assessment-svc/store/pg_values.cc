// Parameters and results in PostgreSQL's binary formats: big-endian numbers,
// bytes as they are, arrays with a header.
#include <libpq-fe.h>

#include "assessment-svc/store/pg_connection.h"

namespace starratings::store {
namespace {

// From PostgreSQL's catalogue of types; they never change.
enum Oid_ : uint32_t {
  kBytea = 17,
  kInt8 = 20,
  kText = 25,
  kByteaArray = 1001,
  kInt8Array = 1016,
  kTextArray = 1009,
};

void AppendInt(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

std::string Int8(int64_t value) {
  std::string bytes;
  AppendInt(static_cast<uint64_t>(value), 8, bytes);
  return bytes;
}

// Dimensions, whether there are NULLs, the type; then the one dimension's size
// and lower bound.
std::string ArrayHeader(uint32_t type, size_t size) {
  std::string bytes;
  AppendInt(size == 0 ? 0 : 1, 4, bytes);
  AppendInt(1, 4, bytes);
  AppendInt(type, 4, bytes);
  if (size == 0) return bytes;
  AppendInt(size, 4, bytes);
  AppendInt(1, 4, bytes);
  return bytes;
}

void AppendElement(absl::string_view element, std::string& out) {
  AppendInt(element.size(), 4, out);
  out.append(element.data(), element.size());
}

void AppendNull(std::string& out) { out.append(4, '\xff'); }

template <typename Texts>
std::string ArrayOf(uint32_t type, const Texts& texts) {
  std::string bytes = ArrayHeader(type, texts.size());
  for (const auto& text : texts) AppendElement(text, bytes);
  return bytes;
}

void AppendIntElement(int64_t value, std::string& out) {
  AppendInt(8, 4, out);
  AppendInt(static_cast<uint64_t>(value), 8, out);
}

int64_t ReadInt(const char* bytes, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  switch (size) {
    case 2:
      return static_cast<int16_t>(value);
    case 4:
      return static_cast<int32_t>(value);
    default:
      return static_cast<int64_t>(value);
  }
}

}  // namespace

PgParams& PgParams::Add(int64_t value) {
  values_.push_back({kInt8, Int8(value)});
  return *this;
}

PgParams& PgParams::Add(absl::string_view text) {
  values_.push_back({kText, std::string(text)});
  return *this;
}

PgParams& PgParams::Add(std::optional<int64_t> value) {
  if (value) return Add(*value);
  values_.push_back({kInt8, std::nullopt});
  return *this;
}

PgParams& PgParams::AddBytes(absl::string_view bytes) {
  values_.push_back({kBytea, std::string(bytes)});
  return *this;
}

PgParams& PgParams::AddInts(std::span<const int64_t> values) {
  std::string bytes = ArrayHeader(kInt8, values.size());
  bytes.reserve(bytes.size() + 12 * values.size());
  for (const int64_t value : values) AppendIntElement(value, bytes);
  values_.push_back({kInt8Array, std::move(bytes)});
  return *this;
}

PgParams& PgParams::AddOptionalInts(std::span<const std::optional<int64_t>> values) {
  std::string bytes = ArrayHeader(kInt8, values.size());
  bytes.reserve(bytes.size() + 12 * values.size());
  for (const std::optional<int64_t>& value : values) {
    if (value) {
      AppendIntElement(*value, bytes);
    } else {
      AppendNull(bytes);
    }
  }
  values_.push_back({kInt8Array, std::move(bytes)});
  return *this;
}

PgParams& PgParams::AddTexts(std::span<const std::string> texts) {
  values_.push_back({kTextArray, ArrayOf(kText, texts)});
  return *this;
}

PgParams& PgParams::AddOptionalTexts(std::span<const std::optional<absl::string_view>> texts) {
  std::string bytes = ArrayHeader(kText, texts.size());
  for (const std::optional<absl::string_view>& text : texts) {
    if (text) {
      AppendElement(*text, bytes);
    } else {
      AppendNull(bytes);
    }
  }
  values_.push_back({kTextArray, std::move(bytes)});
  return *this;
}

PgParams& PgParams::AddByteses(std::span<const absl::string_view> values) {
  values_.push_back({kByteaArray, ArrayOf(kBytea, values)});
  return *this;
}

// Signature, flags, and the length of an extension: there is none.
PgCopyRows::PgCopyRows() : bytes_("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19) {}

void PgCopyRows::BeginRow(int fields) { AppendInt(static_cast<uint64_t>(fields), 2, bytes_); }

void PgCopyRows::Add(int64_t value) { AppendIntElement(value, bytes_); }

void PgCopyRows::Add(absl::string_view bytes) { AppendElement(bytes, bytes_); }

void PgCopyRows::Add(const std::optional<int64_t>& value) {
  value ? Add(*value) : AppendNull(bytes_);
}

void PgCopyRows::Add(const std::optional<absl::string_view>& text) {
  text ? Add(*text) : AppendNull(bytes_);
}

void PgCopyRows::End() { bytes_.append(2, '\xff'); }

void PgResult::Clear(pg_result* result) { PQclear(result); }

int PgResult::rows() const { return PQntuples(result_.get()); }

int64_t PgResult::affected() const {
  const absl::string_view count = PQcmdTuples(result_.get());
  int64_t number = 0;
  for (const char c : count) number = 10 * number + (c - '0');
  return number;
}

bool PgResult::IsNull(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) == 1;
}

int64_t PgResult::Int(int row, int column) const {
  if (IsNull(row, column)) return 0;
  const int size = PQgetlength(result_.get(), row, column);
  return ReadInt(PQgetvalue(result_.get(), row, column), size);
}

std::optional<int64_t> PgResult::OptionalInt(int row, int column) const {
  return IsNull(row, column) ? std::nullopt : std::optional(Int(row, column));
}

absl::string_view PgResult::View(int row, int column) const {
  if (IsNull(row, column)) return "";
  return absl::string_view(PQgetvalue(result_.get(), row, column),
                           static_cast<size_t>(PQgetlength(result_.get(), row, column)));
}

}  // namespace starratings::store
