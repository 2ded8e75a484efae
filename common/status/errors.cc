#include "common/status/errors.h"

#include <cassert>
#include <cstdint>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace starratings::status {
namespace {

constexpr char kPayloadUrl[] = "starratings/error-detail";

// The payload is a list of strings, each as `length:bytes`. It never leaves the
// process, so that its form may change at will.
class Packer {
 public:
  void Add(absl::string_view text) { absl::StrAppend(&packed_, text.size(), ":", text); }
  void AddCount(size_t count) { Add(absl::StrCat(count)); }
  absl::Cord Finish() && { return absl::Cord(std::move(packed_)); }

 private:
  std::string packed_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string packed) : packed_(std::move(packed)) {}

  std::string Next() {
    const size_t colon = packed_.find(':', position_);
    assert(colon != std::string::npos);
    size_t length = 0;
    const bool parsed =
        absl::SimpleAtoi(absl::string_view(packed_).substr(position_, colon - position_), &length);
    assert(parsed);
    static_cast<void>(parsed);
    position_ = colon + 1 + length;
    return packed_.substr(colon + 1, length);
  }

  size_t NextCount() {
    size_t count = 0;
    const bool parsed = absl::SimpleAtoi(Next(), &count);
    assert(parsed);
    static_cast<void>(parsed);
    return count;
  }

 private:
  std::string packed_;
  size_t position_ = 0;
};

absl::Cord Pack(const ErrorDetail& detail) {
  Packer packer;
  packer.Add(detail.reason);
  packer.AddCount(detail.metadata.size());
  for (const auto& [key, value] : detail.metadata) {
    packer.Add(key);
    packer.Add(value);
  }
  packer.AddCount(detail.fields.size());
  for (const FieldViolation& violation : detail.fields) {
    packer.Add(violation.field);
    packer.Add(violation.rule);
  }
  packer.AddCount(detail.preconditions.size());
  for (const PreconditionViolation& violation : detail.preconditions) {
    packer.Add(violation.type);
    packer.Add(violation.subject);
    packer.Add(violation.description);
  }
  packer.Add(detail.retry_after ? absl::StrCat(absl::ToInt64Milliseconds(*detail.retry_after))
                                : "");
  return std::move(packer).Finish();
}

}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   std::map<std::string, std::string> metadata) {
  ErrorDetail detail;
  detail.reason = std::string(reason);
  detail.metadata = std::move(metadata);
  return ErrorWithDetail(code, message, detail);
}

absl::Status ErrorWithDetail(absl::StatusCode code, absl::string_view message,
                             const ErrorDetail& detail) {
  assert(code != absl::StatusCode::kOk);
  absl::Status error(code, message);
  error.SetPayload(kPayloadUrl, Pack(detail));
  return error;
}

ErrorDetail DetailOf(const absl::Status& error) {
  ErrorDetail detail;
  const absl::optional<absl::Cord> payload = error.GetPayload(kPayloadUrl);
  if (!payload) return detail;
  Unpacker unpacker((std::string(*payload)));
  detail.reason = unpacker.Next();
  for (size_t left = unpacker.NextCount(); left > 0; --left) {
    std::string key = unpacker.Next();
    detail.metadata[std::move(key)] = unpacker.Next();
  }
  for (size_t left = unpacker.NextCount(); left > 0; --left) {
    std::string field = unpacker.Next();
    detail.fields.push_back({std::move(field), unpacker.Next()});
  }
  for (size_t left = unpacker.NextCount(); left > 0; --left) {
    std::string type = unpacker.Next();
    std::string subject = unpacker.Next();
    detail.preconditions.push_back({std::move(type), std::move(subject), unpacker.Next()});
  }
  int64_t milliseconds = 0;
  if (absl::SimpleAtoi(unpacker.Next(), &milliseconds)) {
    detail.retry_after = absl::Milliseconds(milliseconds);
  }
  return detail;
}

}  // namespace starratings::status
