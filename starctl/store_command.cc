// starctl store fsck, backup, restore and copy: care of the record's database.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "assessment-svc/upkeep/backup.h"
#include "assessment-svc/upkeep/fsck.h"
#include "assessment-svc/upkeep/restore.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/token.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/session.h"

namespace starratings::starctl {
namespace {

using upkeep::Fault;
using upkeep::FsckReport;
using upkeep::RecordHead;

// What a wrong argument is called here.
absl::Status Explain(const absl::Status& error, absl::string_view flag) {
  const std::string reason = status::DetailOf(error).reason;
  if (reason == "STORE_URI") return BadUsage(absl::StrCat(flag, ": ", error.message()));
  for (const char* of_files : {"FILE_EXISTS", "FILE_REFUSED", "FILE_MISSING"}) {
    if (reason == of_files) {
      return status::Error(absl::StatusCode::kInvalidArgument, kBadFile, error.message());
    }
  }
  return error;
}

std::string TokenOf(const RecordHead& head) {
  return wire::EncodeToken({head.identity.store, head.identity.incarnation, head.revision});
}

// The members of an object, without its braces.
std::string HeadJson(const RecordHead& head) {
  return absl::StrCat("\"store\":", ToJson(head.identity.store), ",\"incarnation\":\"",
                      head.identity.incarnation, "\",\"schema\":", head.schema, ",\"revision\":\"",
                      head.revision, "\",\"token\":", ToJson(TokenOf(head)));
}

std::string HeadText(const RecordHead& head) {
  return absl::StrCat("record ", head.identity.store, ", incarnation ", head.identity.incarnation,
                      ", schema ", head.schema, ", revision ", head.revision, "\ntoken ",
                      TokenOf(head));
}

std::string FsckJson(const FsckReport& report) {
  const auto fault = [](std::string* out, const Fault& found) {
    absl::StrAppend(out, "{\"code\":", ToJson(found.code), ",\"where\":", ToJson(found.where),
                    ",\"what\":", ToJson(found.what), "}");
  };
  return absl::StrCat("{", HeadJson(report.head), ",\"commits\":\"", report.commits,
                      "\",\"noncesErased\":\"", report.nonces_erased, "\",\"items\":\"",
                      report.items, "\",\"keys\":\"", report.keys, "\",\"attemptsStaged\":\"",
                      report.attempts_staged, "\",\"repaired\":\"", report.repaired,
                      "\",\"faultsTotal\":\"", report.faults_total, "\",\"faults\":[",
                      absl::StrJoin(report.faults, ",", fault), "]}");
}

// A line for each fault, and what they come to.
std::string FaultsText(const FsckReport& report) {
  std::string text;
  for (const Fault& fault : report.faults) {
    absl::StrAppend(&text, fault.code, " ", fault.where, fault.where.empty() ? "" : ": ",
                    fault.what, "\n");
  }
  const int64_t more = report.faults_total - std::ssize(report.faults);
  if (more > 0) absl::StrAppend(&text, "and ", more, " more\n");
  return text;
}

std::string FsckText(const FsckReport& report) {
  std::string text =
      absl::StrCat(HeadText(report.head), "\n", report.commits, " commits (", report.nonces_erased,
                   " nonces erased), ", report.items, " items under ", report.keys, " keys, ",
                   report.attempts_staged, " staged attempts\n", FaultsText(report));
  if (report.repaired > 0) {
    absl::StrAppend(&text, "made again from the log, with ", report.repaired, " faults before\n");
  }
  return absl::StrCat(text,
                      report.ok() ? "no faults" : absl::StrCat(report.faults_total, " faults"));
}

// Says what is wrong with what should have been copied.
ExitCode Damaged(Session& session, const FsckReport& report, absl::string_view what) {
  session.Print(session.json()
                    ? FsckJson(report)
                    : absl::StrCat(FaultsText(report), report.faults_total, " faults: ", what));
  return ExitCode::kDamaged;
}

}  // namespace

absl::StatusOr<ExitCode> CheckStore(Session& session, const StoreOptions& options) {
  upkeep::FsckOptions fsck;
  fsck.store.password_file = options.password_file;
  fsck.digest_of = &wire::ItemDigest;
  fsck.faults_most = options.faults;
  fsck.repair_projection = options.repair_projection;
  const auto report = upkeep::Fsck(options.store, fsck);
  if (!report.ok()) return Explain(report.status(), "--store");
  session.Print(session.json() ? FsckJson(*report) : FsckText(*report));
  return report->ok() ? ExitCode::kOk : ExitCode::kDamaged;
}

absl::StatusOr<ExitCode> BackUpStore(Session& session, const StoreOptions& options) {
  upkeep::BackupOptions backup;
  backup.store.password_file = options.password_file;
  backup.digest_of = &wire::ItemDigest;
  backup.verify = !options.no_verify;
  const auto report = upkeep::Backup(options.store, options.file, backup);
  if (!report.ok()) return Explain(report.status(), "--store");
  if (report->fsck && !report->fsck->ok()) {
    return Damaged(session, *report->fsck, "the copy was not kept (see --no-verify)");
  }
  const std::string sha256 = digest::ToHex(report->digest);
  session.Print(session.json()
                    ? absl::StrCat("{", HeadJson(report->head), ",\"file\":", ToJson(options.file),
                                   ",\"bytes\":\"", report->bytes, "\",\"sha256\":\"", sha256,
                                   "\",\"verified\":", backup.verify ? "true" : "false", "}")
                    : absl::StrCat(HeadText(report->head), "\nsha256 ", sha256, "\n", report->bytes,
                                   " bytes", backup.verify ? ", verified" : ", not verified"));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RestoreStore(Session& session, const StoreOptions& options) {
  const auto report =
      upkeep::Restore(options.file, options.store, &wire::ItemDigest, {options.password_file});
  if (!report.ok()) return Explain(report.status(), "--to");
  if (!report->fsck.ok()) {
    return Damaged(session, report->fsck, "nothing was restored; take another backup");
  }
  const int64_t before = report->backup.identity.incarnation;
  RecordHead head = report->backup;
  head.identity = report->restored;
  head.schema = report->schema;
  session.Print(session.json()
                    ? absl::StrCat("{", HeadJson(head), ",\"incarnationBefore\":\"", before, "\"}")
                    : absl::StrCat(HeadText(head), "\nincarnation was ", before,
                                   ": tokens from before are refused (STORE_RESTORED)"));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> CopyStore(Session& session, const StoreOptions& options) {
  const auto report = upkeep::Copy(options.from, {options.from_password_file}, options.store,
                                   {options.password_file}, &wire::ItemDigest);
  if (!report.ok()) return Explain(report.status(), "--from, --to");
  if (!report->fsck.ok()) {
    return Damaged(session, report->fsck, "the copy is as damaged as the record; do not use it");
  }
  RecordHead head = report->head;
  head.schema = report->schema;
  session.Print(session.json() ? absl::StrCat("{", HeadJson(head), "}")
                               : absl::StrCat(HeadText(head),
                                              "\nchecked; start the services on the copy, and "
                                              "never again on the old record"));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
