#include "assessment-svc/upkeep/fsck.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/upkeep/fsck_passes.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

absl::Status RunPasses(RecordReader& reader, const FsckOptions& options, Findings& findings) {
  RETURN_IF_ERROR(reader.CheckDatabase([&](absl::string_view code, absl::string_view what) {
    findings.Add(code, "", std::string(what));
  }));
  ASSIGN_OR_RETURN(findings.report().head, reader.Head());
  RETURN_IF_ERROR(CheckCommits(reader, findings));
  RETURN_IF_ERROR(CheckItems(reader, options.digest_of, findings));
  RETURN_IF_ERROR(CheckProjection(reader, findings));
  return CheckRegister(reader, findings);
}

// `only_of_projection`: whether all faults are such.
absl::StatusOr<FsckReport> Look(absl::string_view uri, const FsckOptions& options,
                                bool& only_of_projection) {
  FsckReport report;
  Findings findings(options.faults_most, report);
  absl::Status status;
  if (auto reader = OpenRecordReader(uri, options.store); reader.ok()) {
    status = RunPasses(**reader, options, findings);
  } else {
    status = reader.status();
  }
  if (absl::IsDataLoss(status)) {
    // Damaged so that it cannot be read to its end: a finding, and the last.
    findings.Add("DATABASE", "", absl::StrCat("the check ended early: ", status.message()));
    status = absl::OkStatus();
  }
  RETURN_IF_ERROR(status);
  only_of_projection = findings.only_of_projection();
  return report;
}

}  // namespace

absl::StatusOr<FsckReport> Fsck(absl::string_view uri, const FsckOptions& options) {
  bool only_of_projection = true;
  ASSIGN_OR_RETURN(FsckReport report, Look(uri, options, only_of_projection));
  if (!options.repair_projection || report.ok()) return report;
  // Nothing is made again from a log that is not whole: the report says what is
  // wrong, and a backup helps.
  if (!only_of_projection) return report;
  RETURN_IF_ERROR(RebuildProjection(uri, options.store));
  const int64_t repaired = report.faults_total;
  ASSIGN_OR_RETURN(report, Look(uri, options, only_of_projection));
  report.repaired = repaired;
  return report;
}

}  // namespace starratings::upkeep
