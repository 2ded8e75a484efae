#include "rating-svc/verify/issues.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"

namespace starratings::verify {

Place Place::In(const char* field, int index) const {
  const google::protobuf::FieldDescriptor* const descriptor =
      type_ == nullptr ? nullptr : type_->FindFieldByName(field);
  assert(type_ == nullptr || descriptor != nullptr);
  if (descriptor == nullptr || tree_ == nullptr) return Place(nullptr, nullptr, line_);
  const int at = descriptor->is_repeated() ? index : -1;
  if (descriptor->is_repeated() && at < 0) return Place(nullptr, nullptr, line_);
  const int line = tree_->GetLocation(descriptor, at).line;
  const bool nested = descriptor->message_type() != nullptr && line >= 0;
  return Place(nested ? descriptor->message_type() : nullptr,
               nested ? tree_->GetTreeForNested(descriptor, at) : nullptr,
               line >= 0 ? line + 1 : line_);
}

void Issues::Add(absl::string_view code, absl::string_view rule_id, int line,
                 absl::string_view message, std::string counterexample) {
  if (issues_.size() >= kKept) {
    ++dropped_;
    return;
  }
  issues_.push_back({std::string(code), std::string(rule_id), line, std::string(message),
                     std::move(counterexample)});
}

bool Issues::OnlyTables() const {
  return dropped_ == 0 && std::all_of(issues_.begin(), issues_.end(), [](const Issue& issue) {
           return issue.code == "MATRIX_HOLE" || issue.code == "MATRIX_OVERLAP";
         });
}

std::vector<Issue> Issues::Take() {
  std::stable_sort(issues_.begin(), issues_.end(),
                   [](const Issue& a, const Issue& b) { return a.line < b.line; });
  if (dropped_ > 0) {
    issues_.push_back(
        {"LIMIT_EXCEEDED", "", 0, absl::StrCat("there are ", dropped_, " more issues"), ""});
  }
  return std::move(issues_);
}

}  // namespace starratings::verify
