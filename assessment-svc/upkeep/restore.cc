#include "assessment-svc/upkeep/restore.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

// The clock is in it because the record may have been restored before from the
// same backup: counting on from there would give a number that is taken.
int64_t NextIncarnation(int64_t incarnation) {
  return std::max(incarnation + 1, absl::ToUnixSeconds(absl::Now()));
}

}  // namespace

absl::StatusOr<RestoreReport> Restore(const std::string& file, absl::string_view uri,
                                      ItemDigester digest_of, const store::StoreOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return status::Error(absl::StatusCode::kNotFound, "FILE_MISSING",
                         absl::StrCat(file, ": there is no such file"));
  }
  RestoreReport report;
  const std::string backup = "sqlite:" + file;
  FsckOptions fsck;
  fsck.digest_of = digest_of;
  ASSIGN_OR_RETURN(report.fsck, Fsck(backup, fsck));
  report.backup = report.fsck.head;
  if (!report.fsck.ok()) return report;

  ASSIGN_OR_RETURN(const MigrateReport made, Migrate(uri, options));
  report.schema = made.after;
  ASSIGN_OR_RETURN(const auto writer, OpenRecordWriter(uri, options));
  ASSIGN_OR_RETURN(const auto reader, OpenRecordReader(backup));
  RETURN_IF_ERROR(CarryRows(*reader, report.backup.schema, *writer));
  report.restored = {report.backup.identity.store,
                     NextIncarnation(report.backup.identity.incarnation)};
  RETURN_IF_ERROR(writer->Finish(report.restored, report.backup.revision));
  return report;
}

absl::StatusOr<CopyReport> Copy(absl::string_view from, const store::StoreOptions& from_options,
                                absl::string_view to, const store::StoreOptions& to_options,
                                ItemDigester digest_of) {
  CopyReport report;
  ASSIGN_OR_RETURN(const auto reader, OpenRecordReader(from, from_options));
  ASSIGN_OR_RETURN(report.head, reader->Head());
  ASSIGN_OR_RETURN(const MigrateReport made, Migrate(to, to_options));
  report.schema = made.after;
  ASSIGN_OR_RETURN(const auto writer, OpenRecordWriter(to, to_options));
  RETURN_IF_ERROR(CarryRows(*reader, report.head.schema, *writer));
  ASSIGN_OR_RETURN(const auto now, OpenRecordReader(from, from_options));
  ASSIGN_OR_RETURN(const RecordHead moved, now->Head());
  if (moved.revision != report.head.revision) {
    return status::Error(absl::StatusCode::kFailedPrecondition, "STORE_IN_USE",
                         "the record was written to while it was copied: stop the services first");
  }
  RETURN_IF_ERROR(writer->Finish(report.head.identity, report.head.revision));
  FsckOptions fsck;
  fsck.digest_of = digest_of;
  fsck.store = to_options;
  ASSIGN_OR_RETURN(report.fsck, Fsck(to, fsck));
  return report;
}

}  // namespace starratings::upkeep
