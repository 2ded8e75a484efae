// starctl explain, dossier and store migrate.
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "assessment-svc/upkeep/migrate.h"
#include "starctl/by.h"
#include "starctl/commands.h"
#include "starctl/explanation.h"
#include "starctl/json.h"
#include "starctl/notes.h"
#include "starctl/phrases.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

std::string DossierText(const assessment::v1::GetDossierResponse& response) {
  const auto& dossier = response.dossier();
  std::map<std::string, const evidence::v1::Source*> sources;
  for (const auto& source : response.sources()) sources[source.id()] = &source;
  Table table({{"code"},
               {"period"},
               {"instance"},
               {"value"},
               {"observed"},
               {"revision", Table::Align::kRight},
               {"actor"},
               {"etag"},
               {"source"}});
  Notes notes;
  int64_t reconstructed = 0;
  for (const auto& recorded : dossier.items()) {
    const auto& item = recorded.item();
    const auto source = sources.find(item.source_id());
    std::string mark;
    if (source != sources.end()) {
      mark = notes.MarkOf(*source->second);
      reconstructed += source->second->reconstructed() ? 1 : 0;
    }
    table.AddRow({item.code(), item.period(), item.instance(), SaidText(item), item.observed_on(),
                  absl::StrCat(recorded.revision()), recorded.actor(), recorded.etag(), mark});
  }
  std::string out = absl::StrCat(
      dossier.organisation().name(), " (", dossier.organisation().id(), "), ", dossier.period(),
      ", revision ", response.snapshot().revision(), "\n", Counted(dossier.items_size(), "item"),
      ", ", reconstructed, " of them reconstructed: nobody published them\n");
  if (!table.empty()) {
    absl::StrAppend(&out, "\n", table.ToString("  "), "\n", notes.ToString());
  }
  return out;
}

}  // namespace

absl::StatusOr<ExitCode> Explain(Session& session, const BySchemeOptions& options) {
  ASSIGN_OR_RETURN(const auto response,
                   RateOrganisation(session, options, rating::v1::TRACE_DETAIL_FULL));
  session.Print(session.json() ? ToJson(response) : ExplanationText(response.rating()));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ShowDossier(Session& session, const DossierOptions& options) {
  assessment::v1::GetDossierRequest request;
  request.set_organisation(options.organisation);
  request.set_period(options.period);
  if (!options.token.empty()) request.mutable_freshness()->set_exactly(options.token);
  if (!options.round.empty()) {
    if (!options.token.empty()) return BadUsage("--round and --token must not both be given");
    ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
    if (options.period.empty()) request.set_period(current.round().period());
    if (current.round().has_frozen()) {
      request.mutable_freshness()->set_exactly(current.round().frozen().token());
    }
  }
  if (request.period().empty()) return BadUsage("--period or --round must be given");
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::GetDossierResponse response;
  RETURN_IF_ERROR(session.Call(*assessment->evidence,
                               &assessment::v1::EvidenceService::Stub::GetDossier, request,
                               response));
  session.Print(session.json() ? ToJson(response) : DossierText(response));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> MigrateStore(Session& session, const StoreOptions& options) {
  const auto report = upkeep::Migrate(options.store, {options.password_file});
  if (!report.ok() && report.status().code() == absl::StatusCode::kInvalidArgument) {
    return BadUsage(absl::StrCat("--store: ", report.status().message()));
  }
  RETURN_IF_ERROR(report.status());
  if (session.json()) {
    const auto quoted = [](std::string* out, const std::string& name) {
      out->append(ToJson(name));
    };
    session.Print(absl::StrCat("{\"store\":", ToJson(report->store), ",\"before\":", report->before,
                               ",\"after\":", report->after, ",\"applied\":[",
                               absl::StrJoin(report->applied, ",", quoted), "]}"));
    return ExitCode::kOk;
  }
  session.Print(absl::StrCat("record ", report->store, ": schema ", report->after,
                             report->applied.empty()
                                 ? ", nothing to do"
                                 : absl::StrCat(", was ", report->before, "; applied ",
                                                absl::StrJoin(report->applied, ", "))));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
