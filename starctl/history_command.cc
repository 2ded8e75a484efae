// starctl history: who said what when, and why.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/notes.h"
#include "starctl/pages.h"
#include "starctl/phrases.h"
#include "starctl/session.h"
#include "starctl/table.h"

namespace starratings::starctl {
namespace {

using assessment::v1::EvidenceService;
using assessment::v1::ListEvidenceRevisionsResponse;
using evidence::v1::EvidenceItem;
using evidence::v1::RecordedItem;

// Enough of a SHA-256 to tell documents apart; JSON has all of it.
constexpr size_t kDigestDigits = 12;

// The items there ever were, in the order of (period, instance).
absl::StatusOr<std::vector<EvidenceItem>> ItemsOf(Session& session, const HistoryOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListEvidenceRequest request;
  request.add_organisations(options.organisation);
  request.add_codes(options.code);
  request.set_period(options.period);
  std::vector<EvidenceItem> items;
  RETURN_IF_ERROR(ForEachPage(session, *assessment->evidence, &EvidenceService::Stub::ListEvidence,
                              request, [&](const assessment::v1::ListEvidenceResponse& response) {
                                for (const RecordedItem& held : response.items()) {
                                  const EvidenceItem& item = held.item();
                                  if (options.instance && item.instance() != *options.instance) {
                                    continue;
                                  }
                                  items.push_back(item);
                                }
                              }));
  return items;
}

// All that was said of one item, newest first, as one reply. Sources are
// numbered anew on every page.
absl::StatusOr<ListEvidenceRevisionsResponse> HistoryOf(Session& session,
                                                        const EvidenceItem& item) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListEvidenceRevisionsRequest request;
  request.mutable_key()->set_organisation(item.organisation());
  request.mutable_key()->set_period(item.period());
  request.mutable_key()->set_code(item.code());
  request.mutable_key()->set_instance(item.instance());
  ListEvidenceRevisionsResponse history;
  int page = 0;
  RETURN_IF_ERROR(
      ForEachPage(session, *assessment->evidence, &EvidenceService::Stub::ListEvidenceRevisions,
                  request, [&](const ListEvidenceRevisionsResponse& response) {
                    const std::string prefix = page++ == 0 ? "" : absl::StrCat("p", page, ".");
                    for (const auto& source : response.sources()) {
                      auto& added = *history.add_sources();
                      added = source;
                      added.set_id(prefix + source.id());
                    }
                    for (const RecordedItem& said : response.items()) {
                      RecordedItem& added = *history.add_items();
                      added = said;
                      added.mutable_item()->set_source_id(prefix + said.item().source_id());
                    }
                  }));
  return history;
}

// Adds what was said of one item, oldest first.
void AddRows(const ListEvidenceRevisionsResponse& history, Table& table, Notes& notes) {
  std::map<std::string, evidence::v1::Source> sources;
  for (const auto& source : history.sources()) {
    auto& shown = sources[source.id()];
    shown = source;
    if (source.sha256().size() > kDigestDigits) {
      shown.set_sha256(absl::StrCat(source.sha256().substr(0, kDigestDigits), "..."));
    }
  }
  std::string before;
  for (int i = history.items_size() - 1; i >= 0; --i) {
    const RecordedItem& said = history.items(i);
    const auto& item = said.item();
    const auto source = sources.find(item.source_id());
    std::string value = SaidText(item);
    table.AddRow({item.period(), item.instance(), absl::StrCat(said.revision()),
                  TimeText(said.recorded_at()), said.actor(), value, before, item.observed_on(),
                  said.reason(), source == sources.end() ? "" : notes.MarkOf(source->second)});
    before = std::move(value);
  }
}

// `adults.serving of cornwall in 2001-02`.
std::string SubjectOf(const HistoryOptions& options) {
  return absl::StrCat(options.code, " of ", options.organisation,
                      options.period.empty() ? "" : " in " + options.period,
                      options.instance ? absl::StrCat(", instance `", *options.instance, "`") : "");
}

}  // namespace

absl::StatusOr<ExitCode> ShowHistory(Session& session, const HistoryOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<EvidenceItem> items, ItemsOf(session, options));
  if (items.empty()) {
    if (!session.json()) {
      session.Print(absl::StrCat("nothing was ever recorded on ", SubjectOf(options)));
    }
    return ExitCode::kNo;
  }
  Table table({{"period"},
               {"instance"},
               {"revision", Table::Align::kRight},
               {"time"},
               {"actor"},
               {"value"},
               {"before"},
               {"observed"},
               {"reason"},
               {"source"}});
  Notes notes;
  for (const EvidenceItem& item : items) {
    ASSIGN_OR_RETURN(const ListEvidenceRevisionsResponse history, HistoryOf(session, item));
    if (session.json()) session.Print(ToJson(history));
    AddRows(history, table, notes);
  }
  if (session.json()) return ExitCode::kOk;
  session.Print(
      absl::StrCat(SubjectOf(options), "\n\n", table.ToString("  "), "\n", notes.ToString()));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
