#include "rating-svc/service/results.h"

#include "absl/strings/str_cat.h"
#include "common/status/field_errors.h"

namespace starratings::service {

absl::StatusOr<std::vector<size_t>> ResultsNamed(const scheme::Scheme& scheme,
                                                 const std::string& result) {
  std::vector<size_t> found;
  std::string known;
  for (size_t i = 0; i < scheme.results.size(); ++i) {
    const scheme::ValueInfo& info = scheme.values[static_cast<size_t>(scheme.results[i].value)];
    if (info.scale < 0) continue;
    absl::StrAppend(&known, known.empty() ? "" : ", ", info.name);
    if (result.empty() || info.name == result) found.push_back(i);
  }
  if (!found.empty()) return found;
  status::FieldErrors errors;
  errors.Add("result", known.empty()
                           ? absl::StrCat("must be left out, and the scheme another: no result of ",
                                          scheme.Name(), " is on a scale")
                           : absl::StrCat("must be a result of ", scheme.Name(),
                                          " that is on a scale: ", known));
  return errors.ToStatus();
}

}  // namespace starratings::service
