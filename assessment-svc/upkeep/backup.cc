#include "assessment-svc/upkeep/backup.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "assessment-svc/store/uri.h"
#include "assessment-svc/upkeep/files.h"
#include "assessment-svc/upkeep/migrate.h"
#include "assessment-svc/upkeep/sqlite_rows.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

// The rows of one moment in a new record of the same identity.
absl::Status CarryRecord(absl::string_view uri, const store::StoreOptions& options,
                         const std::string& file) {
  const std::string copy = "sqlite:" + file;
  RETURN_IF_ERROR(Migrate(copy).status());
  ASSIGN_OR_RETURN(const auto reader, OpenRecordReader(uri, options));
  ASSIGN_OR_RETURN(const RecordHead head, reader->Head());
  {
    ASSIGN_OR_RETURN(const auto writer, OpenRecordWriter(copy));
    RETURN_IF_ERROR(CarryRows(*reader, head.schema, *writer));
    RETURN_IF_ERROR(writer->Finish(head.identity, head.revision));
  }
  return MakeOneFile(file);
}

absl::Status CopyRecord(absl::string_view uri, const store::StoreOptions& options,
                        const std::string& file) {
  ASSIGN_OR_RETURN(const store::StoreUri parsed, store::ParseStoreUri(uri));
  switch (parsed.kind) {
    case store::StoreUri::Kind::kSqlite:
      return CopySqlite(parsed.path, file);
    case store::StoreUri::Kind::kPostgres:
      return CarryRecord(uri, options, file);
    case store::StoreUri::Kind::kMemory:
      break;
  }
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI",
                       "a store in memory cannot be copied");
}

}  // namespace

absl::StatusOr<BackupReport> Backup(absl::string_view uri, const std::string& file,
                                    const BackupOptions& options) {
  ASSIGN_OR_RETURN(NewFile copy, NewFile::Create(file));
  RETURN_IF_ERROR(CopyRecord(uri, options.store, copy.temporary()));
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
