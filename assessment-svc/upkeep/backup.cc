#include "assessment-svc/upkeep/backup.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/uri.h"
#include "assessment-svc/upkeep/files.h"
#include "assessment-svc/upkeep/sqlite_rows.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

absl::Status CopyRecord(absl::string_view uri, const std::string& file) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  if (parsed.kind == store::StoreUri::Kind::kSqlite) return CopySqlite(parsed.path, file);
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store in memory cannot be copied");
}

}  // namespace

absl::StatusOr<BackupReport> Backup(absl::string_view uri, const std::string& file,
                                    const BackupOptions& options) {
  ASSIGN_OR_RETURN(NewFile copy, NewFile::Create(file));
  RETURN_IF_ERROR(CopyRecord(uri, copy.temporary()));
  BackupReport report;
  const std::string copied = "sqlite:" + copy.temporary();
  if (options.verify) {
    FsckOptions fsck;
    fsck.digest_of = options.digest_of;
    ASSIGN_OR_RETURN(report.fsck, Fsck(copied, fsck));
    report.head = report.fsck->head;
    if (!report.fsck->ok()) return report;
  } else {
    ASSIGN_OR_RETURN(const auto reader, OpenRecordReader(copied));
    ASSIGN_OR_RETURN(report.head, reader->Head());
  }
  ASSIGN_OR_RETURN(report.digest, DigestOfFile(copy.temporary()));
  report.bytes = static_cast<int64_t>(std::filesystem::file_size(copy.temporary()));
  RETURN_IF_ERROR(copy.Publish());
  return report;
}

}  // namespace starratings::upkeep
