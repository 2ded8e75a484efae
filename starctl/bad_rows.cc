#include "starctl/bad_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "starctl/failure.h"

namespace starratings::starctl {

void BadRows::Add(int line, absl::string_view column, absl::string_view rule) {
  faults_.push_back({line, std::string(column), std::string(rule)});
}

void BadRows::AddIfError(int line, absl::string_view column, const absl::Status& status) {
  if (!status.ok()) Add(line, column, status.message());
}

absl::Status BadRows::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::vector<Fault> sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Fault& a, const Fault& b) { return a.line < b.line; });
  status::ErrorDetail detail;
  detail.reason = kBadFile;
  for (const Fault& fault : sorted) {
    if (detail.fields.size() == kPrinted) break;
    const std::string place = absl::StrCat(file_, ":", fault.line);
    detail.fields.push_back(
        {fault.column.empty() ? place : absl::StrCat(place, ": ", fault.column), fault.rule});
  }
  if (sorted.size() > kPrinted) {
    detail.fields.push_back({file_, absl::StrCat("and ", sorted.size() - kPrinted, " more")});
  }
  const std::string message = absl::StrCat(
      file_, ": ", sorted.size(), sorted.size() == 1 ? " fault" : " faults", "; nothing was sent");
  return status::ErrorWithDetail(absl::StatusCode::kInvalidArgument, message, detail);
}

}  // namespace starratings::starctl
