// starctl import.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/evidence/text.h"
#include "common/wire/evidence_wire.h"
#include "starctl/commands.h"
#include "starctl/import_batches.h"
#include "starctl/import_rows.h"
#include "starctl/import_sender.h"
#include "starctl/input.h"
#include "starctl/json.h"
#include "starctl/pages.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RegisterService;

constexpr size_t kIdsMost = 1'000;  // In one selector here; a page holds them all.

// The organisations that the file speaks of, if they can be ids at all.
std::set<std::string> OrganisationsIn(const Input& input) {
  std::set<std::string> ids;
  BadRows ignored(input.path);
  const auto field = static_cast<size_t>(ImportField::kOrganisation);
  ForEachEntry(input, ImportFields(), ImportWideFields(), ignored, [&](const Entry& entry) {
    std::string id(entry.text(field));
    if (evidence::CheckOrganisationId(id).ok()) ids.insert(std::move(id));
  });
  return ids;
}

absl::Status ReadOrganisations(Session& session, RegisterService::Stub& stub,
                               const std::set<std::string>& ids, Registered& registered) {
  std::vector<std::string> left(ids.begin(), ids.end());
  while (!left.empty()) {
    assessment::v1::ListOrganisationsRequest request;
    for (size_t i = 0; i < kIdsMost && !left.empty(); ++i) {
      request.mutable_selector()->add_organisations(left.back());
      left.pop_back();
    }
    RETURN_IF_ERROR(ForEachPage(session, stub, &RegisterService::Stub::ListOrganisations,
                                std::move(request), [&registered](const auto& page) {
                                  for (const auto& organisation : page.organisations()) {
                                    registered.organisations.insert(organisation.id());
                                  }
                                }));
  }
  return absl::OkStatus();
}

absl::StatusOr<Registered> ReadRegister(Session& session, RegisterService::Stub& stub,
                                        const std::set<std::string>& organisations) {
  Registered registered;
  RETURN_IF_ERROR(ReadOrganisations(session, stub, organisations, registered));
  RETURN_IF_ERROR(ForEachPage(session, stub, &RegisterService::Stub::ListPeriods,
                              assessment::v1::ListPeriodsRequest(),
                              [&registered](const auto& page) {
                                for (const auto& period : page.periods()) {
                                  registered.periods.insert(period.id());
                                }
                              }));
  status::FieldErrors errors;
  RETURN_IF_ERROR(ForEachPage(session, stub, &RegisterService::Stub::ListCodes,
                              assessment::v1::ListCodesRequest(), [&](const auto& page) {
                                for (const auto& code : page.codes()) {
                                  registered.codes.emplace(
                                      code.id(), wire::CodeFromProto(code, "codes.", errors));
                                }
                              }));
  RETURN_IF_ERROR(errors.ToStatus());
  return registered;
}

// Says how far an import got that did not get to its end.
absl::Status Interrupted(const absl::Status& error, const ImportOutcome& outcome) {
  if (error.ok() || outcome.batches == 0) return error;
  absl::Status told(error.code(),
                    absl::StrCat(error.message(), "; the ", Counted(outcome.items, "item"),
                                 " before that are recorded: the same command goes on from there"));
  error.ForEachPayload(
      [&told](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  return told;
}

void Print(const Session& session, const ImportOptions& options, const ImportOutcome& outcome) {
  if (session.json()) {
    session.Print(absl::StrCat("{\"items\":", outcome.items, ",\"batches\":", outcome.batches,
                               ",\"replayed\":", outcome.replayed,
                               ",\"dry_run\":", options.dry_run ? "true" : "false",
                               ",\"snapshot\":", ToJson(outcome.last), "}"));
    return;
  }
  const std::string what =
      absl::StrCat(Counted(outcome.items, "item"), " in ", Counted(outcome.batches, "batch"));
  if (options.dry_run) {
    session.Print(absl::StrCat("would import ", what, "; nothing was recorded"));
    return;
  }
  std::string line = absl::StrCat("imported ", what);
  if (outcome.replayed > 0) {
    const bool all = outcome.replayed == outcome.batches;
    absl::StrAppend(&line, ", ", all ? "all" : Counted(outcome.replayed, "batch"),
                    " recorded before");
  }
  if (outcome.batches > 0) absl::StrAppend(&line, "; revision ", outcome.last.revision());
  session.Print(line);
}

}  // namespace

absl::StatusOr<ExitCode> ImportEvidence(Session& session, const ImportOptions& options) {
  ASSIGN_OR_RETURN(const Input input, ReadInput(options.input));
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  Registered registered;
  RETURN_IF_ERROR(Retrying(absl::Seconds(options.retry_for_s), [&]() -> absl::Status {
    ASSIGN_OR_RETURN(registered,
                     ReadRegister(session, *assessment->registers, OrganisationsIn(input)));
    return absl::OkStatus();
  }));
  BadRows bad(input.path);
  ItemReader reader(registered, bad);
  ForEachEntry(input, ImportFields(), ImportWideFields(), bad,
               [&reader](const Entry& entry) { reader.Add(entry); });
  RETURN_IF_ERROR(bad.ToStatus());

  std::vector<ImportItem> items = reader.TakeItems();
  const auto total = static_cast<int64_t>(items.size());
  if (items.empty()) return BadFile(input.path, "has no row to import");
  std::vector<Batch> batches = MakeBatches(std::move(items), static_cast<size_t>(options.batch),
                                           options.reason, input.sha256);
  ImportSender sender(session, *assessment->evidence, options.input.file, batches,
                      absl::Seconds(options.retry_for_s));
  ImportOutcome outcome;
  // One batch is checked and recorded at once; of several, the first must not
  // be there when the last is refused.
  if (options.dry_run || batches.size() > 1) RETURN_IF_ERROR(sender.Validate());
  if (options.dry_run) {
    outcome.items = total;
    outcome.batches = static_cast<int64_t>(batches.size());
  } else {
    RETURN_IF_ERROR(Interrupted(sender.Send(outcome), outcome));
  }
  Print(session, options, outcome);
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
