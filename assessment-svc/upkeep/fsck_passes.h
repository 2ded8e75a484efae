// The passes of fsck, each over one ordered stream of rows.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/upkeep/fsck.h"
#include "assessment-svc/upkeep/rows.h"

namespace starratings::upkeep {

// The codes of faults that RebuildProjection() can mend.
bool IsOfProjection(absl::string_view code);

// What the passes share.
class Findings {
 public:
  Findings(int64_t faults_most, FsckReport& report) : faults_most_(faults_most), report_(report) {}

  void Add(absl::string_view code, std::string where, std::string what);

  FsckReport& report() { return report_; }
  bool only_of_projection() const { return only_of_projection_; }

 private:
  const int64_t faults_most_;
  FsckReport& report_;
  bool only_of_projection_ = true;
};

// `sql` as a record of `schema` understands it: NULL is what its statements lack.
std::string OfSchema(const std::string& sql, int64_t schema);

// Revisions are dense up to the head, times never decrease, leaves are what the
// commits say.
absl::Status CheckCommits(RecordReader& reader, Findings& findings);

// Each commit has its items, and each item its digest and source.
absl::Status CheckItems(RecordReader& reader, ItemDigester digest_of, Findings& findings);

// The statements of each key are numbered as they were made, and the projection
// is the fold of the log.
absl::Status CheckProjection(RecordReader& reader, Findings& findings);

// Buckets, levels of codes, and the organisations of rounds.
absl::Status CheckRegister(RecordReader& reader, Findings& findings);

}  // namespace starratings::upkeep
