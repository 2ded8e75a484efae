#include "assessment-svc/watch/ring.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::watch {

absl::Status CheckFollows(const Place& expected, const Part& part) {
  const Place found = part.begin();
  if (found == expected) return absl::OkStatus();
  return status::Error(
      absl::StatusCode::kDataLoss, "STORE_CORRUPT",
      absl::StrCat("the log must go on with item ", expected.item, " of revision ",
                   expected.revision, ", and goes on with item ", found.item, " of revision ",
                   found.revision),
      {{"revision", absl::StrCat(expected.revision)}, {"found", absl::StrCat(found.revision)}});
}

absl::Status Ring::Append(SharedPart part) {
  RETURN_IF_ERROR(CheckFollows(end_, *part));
  end_ = part->end();
  bytes_ += part->bytes();
  parts_.push_back(std::move(part));
  while (bytes_ > bytes_most_ && parts_.size() > 1) {
    bytes_ -= parts_.front()->bytes();
    parts_.pop_front();
  }
  return absl::OkStatus();
}

void Ring::SkipTo(int64_t after) {
  parts_.clear();
  bytes_ = 0;
  end_ = PlaceAfter(after);
}

std::vector<SharedPart> Ring::From(const Place& place, size_t most) const {
  const auto first =
      std::partition_point(parts_.begin(), parts_.end(),
                           [&place](const SharedPart& part) { return part->end() <= place; });
  const size_t there = static_cast<size_t>(std::distance(first, parts_.end()));
  return {first, std::next(first, static_cast<std::ptrdiff_t>(std::min(most, there)))};
}

}  // namespace starratings::watch
