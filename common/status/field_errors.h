// Gathers everything wrong with a request, so that a caller can mend it in one
// go. A request is checked to the end before any of it is acted upon.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/status/errors.h"

namespace starratings::status {

class FieldErrors {
 public:
  // More than these are counted, not kept: an answer must fit the 8 KiB that
  // gRPC clients take of trailers, with message and details saying it twice.
  static constexpr size_t kKept = 50;
  static constexpr size_t kBytesKept = 2'000;

  // Notes that `field` breaks `rule`. Write the path as the caller sees it,
  // `items[3].value.decimal`, and the rule as what is required: "must be ...".
  void Add(absl::string_view field, absl::string_view rule);

  // Notes the message of `status` as the rule, unless it is OK. The field is
  // `path` and `name` in one, which need not be put together otherwise.
  void AddIfError(absl::string_view field, const absl::Status& status);
  void AddIfError(absl::string_view path, absl::string_view name, const absl::Status& status);

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }

  // OK if nothing was added; otherwise INVALID_ARGUMENT, reason INVALID_FIELDS,
  // listing each error.
  absl::Status ToStatus() const;

 private:
  std::vector<FieldViolation> violations_;
  size_t bytes_ = 0;  // Of the violations.
  size_t count_ = 0;
};

}  // namespace starratings::status
