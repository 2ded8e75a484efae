// Evidence in batches, each with a request id that follows from what it says:
// an import that is repeated, or goes on after an interruption, changes nothing
// that is there already.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "starctl/import_rows.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::starctl {

inline constexpr size_t kItemsMost = 10'000;
// The record takes 3 MiB; this leaves room for the reason and the lengths.
inline constexpr size_t kBatchBytesMost = (3 << 20) - (64 << 10);

struct Batch {
  assessment::v1::SubmitEvidenceRequest request;
  std::vector<int> lines;  // Of each item.
};

// Items in the order of the file. `file_sha256` is of the whole file.
std::vector<Batch> MakeBatches(std::vector<ImportItem> items, size_t items_most,
                               absl::string_view reason, absl::string_view file_sha256);

// The text of a service's error with each `items[3]` replaced by the place in
// the file.
std::string PointToLines(absl::string_view text, absl::string_view file,
                         const std::vector<int>& lines);

// The same for the whole error.
absl::Status PointToLines(const absl::Status& error, absl::string_view file,
                          const std::vector<int>& lines);

}  // namespace starratings::starctl
