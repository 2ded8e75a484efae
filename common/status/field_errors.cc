#include "common/status/field_errors.h"

#include "absl/strings/str_cat.h"

namespace starratings::status {

void FieldErrors::Add(absl::string_view field, absl::string_view rule) {
  ++count_;
  bytes_ += field.size() + rule.size();
  const bool fits = violations_.size() < kKept && bytes_ <= kBytesKept;
  if (fits) violations_.push_back({std::string(field), std::string(rule)});
}

void FieldErrors::AddIfError(absl::string_view field, const absl::Status& status) {
  if (!status.ok()) Add(field, status.message());
}

void FieldErrors::AddIfError(absl::string_view path, absl::string_view name,
                             const absl::Status& status) {
  if (!status.ok()) Add(absl::StrCat(path, name), status.message());
}

absl::Status FieldErrors::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::string message;
  for (const FieldViolation& violation : violations_) {
    absl::StrAppend(&message, message.empty() ? "" : "\n", violation.field, ": ", violation.rule);
  }
  if (count_ > violations_.size()) {
    absl::StrAppend(&message, "\nand ", count_ - violations_.size(), " more");
  }
  ErrorDetail detail;
  detail.reason = "INVALID_FIELDS";
  detail.metadata["count"] = absl::StrCat(count_);
  detail.fields = violations_;
  return ErrorWithDetail(absl::StatusCode::kInvalidArgument, message, detail);
}

}  // namespace starratings::status
