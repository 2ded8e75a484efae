// starctl diff: what changed between two revisions.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "starctl/commands.h"
#include "starctl/diff.h"
#include "starctl/json.h"
#include "starctl/pages.h"
#include "starctl/phrases.h"
#include "starctl/revisions.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::EvidenceService;
using evidence::v1::RecordedItem;
using evidence::v1::Snapshot;

// The organisations, and the codes, that one ListEvidence may name.
constexpr size_t kNamesMost = 1'000;

constexpr std::array kKinds = {Change::Kind::kAdded, Change::Kind::kChanged,
                               Change::Kind::kWithdrawn, Change::Kind::kChangedBack,
                               Change::Kind::kSaidAgain};

// Calls `take` with each item of a message, and its source.
template <typename Message, typename Take>
void ForEachStatement(const Message& message, Take take) {
  std::map<std::string, const evidence::v1::Source*> sources;
  for (const auto& source : message.sources()) sources[source.id()] = &source;
  for (const RecordedItem& said : message.items()) {
    const auto source = sources.find(said.item().source_id());
    take(Statement{said, source == sources.end() ? evidence::v1::Source() : *source->second});
  }
}

// Reads what was said after `from` and until `to`. A stream that breaks goes on
// where it got to; one that gets nowhere ends it.
absl::Status FollowLog(Session& session, const DiffOptions& options, const Snapshot& from,
                       const Snapshot& to, Diff& diff) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::WatchEvidenceRequest request;
  request.set_after(from.token());
  request.set_until(to.token());
  request.set_period(options.period);
  request.mutable_organisations()->Assign(options.organisations.begin(),
                                          options.organisations.end());
  request.mutable_codes()->Assign(options.codes.begin(), options.codes.end());
  while (true) {
    grpc::ClientContext context;
    session.Prepare(context);
    const auto stream = assessment->evidence->WatchEvidence(&context, request);
    const std::string after = request.after();
    assessment::v1::WatchEvidenceResponse message;
    while (stream->Read(&message)) {
      ForEachStatement(message, [&diff](Statement statement) { diff.Said(std::move(statement)); });
      if (message.has_snapshot()) request.set_after(message.snapshot().token());
    }
    const absl::Status ended = serving::FromGrpcStatus(stream->Finish());
    if (ended.ok() || !IsWorthRepeating(ended) || request.after() == after) return ended;
  }
}

// Reads what was held at `from` of the items that something was said of.
absl::Status ReadHeld(Session& session, const DiffOptions& options, const Snapshot& from,
                      Diff& diff) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListEvidenceRequest request;
  request.set_period(options.period);
  request.mutable_freshness()->set_exactly(from.token());
  const std::vector<std::string> codes = diff.Codes();
  if (codes.size() <= kNamesMost) request.mutable_codes()->Assign(codes.begin(), codes.end());
  const std::vector<std::string> organisations = diff.Organisations();
  for (auto next = organisations.begin(); next != organisations.end();) {
    const auto end =
        next + std::min<std::ptrdiff_t>(kNamesMost, std::distance(next, organisations.end()));
    request.mutable_organisations()->Assign(next, end);
    next = end;
    RETURN_IF_ERROR(ForEachPage(
        session, *assessment->evidence, &EvidenceService::Stub::ListEvidence, request,
        [&diff](const assessment::v1::ListEvidenceResponse& response) {
          ForEachStatement(response,
                           [&diff](Statement statement) { diff.Held(std::move(statement)); });
        }));
  }
  return absl::OkStatus();
}

// `12.5`, and the day it was observed if that is what changed.
std::string SideText(const Change& change, const Statement& side) {
  const auto& item = side.said.item();
  std::string text = SaidText(item);
  if (change.before &&
      change.before->said.item().observed_on() != change.after.said.item().observed_on()) {
    absl::StrAppend(&text, item.observed_on().empty()
                               ? " (no day)"
                               : absl::StrCat(" (", item.observed_on(), ")"));
  }
  return text;
}

bool IsDifference(const Change& change) {
  return change.kind != Change::Kind::kChangedBack && change.kind != Change::Kind::kSaidAgain;
}

std::map<Change::Kind, int64_t> Count(const std::vector<Change>& changes) {
  std::map<Change::Kind, int64_t> counts;
  for (const Change::Kind kind : kKinds) counts[kind] = 0;
  for (const Change& change : changes) ++counts[change.kind];
  return counts;
}

std::string CountsText(const std::vector<Change>& changes) {
  std::map<Change::Kind, int64_t> counts = Count(changes);
  const auto differences = std::count_if(changes.begin(), changes.end(), IsDifference);
  std::string text =
      differences == 0 ? "nothing changed" : absl::StrCat(Counted(differences, "item"), " changed");
  std::vector<std::string> parts;
  for (const auto kind : {Change::Kind::kAdded, Change::Kind::kChanged, Change::Kind::kWithdrawn}) {
    if (counts[kind] > 0) parts.push_back(absl::StrCat(Thousands(counts[kind]), " ", NameOf(kind)));
  }
  if (!parts.empty()) absl::StrAppend(&text, " (", absl::StrJoin(parts, ", "), ")");
  if (const int64_t back = counts[Change::Kind::kChangedBack]; back > 0) {
    absl::StrAppend(&text, "; ", Thousands(back), " changed and changed back");
  }
  if (const int64_t again = counts[Change::Kind::kSaidAgain]; again > 0) {
    absl::StrAppend(&text, "; ", Thousands(again), " said again as before");
  }
  return text;
}

std::string DiffText(const Snapshot& from, const Snapshot& to, const std::vector<Change>& changes) {
  Table table({{"organisation"},
               {"period"},
               {"code"},
               {"instance"},
               {"change"},
               {"before"},
               {"after"},
               {"revision", Table::Align::kRight},
               {"time"},
               {"actor"},
               {"reason"}});
  for (const Change& change : changes) {
    if (!IsDifference(change)) continue;
    const RecordedItem& said = change.after.said;
    const auto& item = said.item();
    table.AddRow({item.organisation(), item.period(), item.code(), item.instance(),
                  NameOf(change.kind), change.before ? SideText(change, *change.before) : "",
                  SideText(change, change.after), absl::StrCat(said.revision()),
                  TimeText(said.recorded_at()), said.actor(), said.reason()});
  }
  return absl::StrCat(table.empty() ? "" : absl::StrCat(table.ToString(), "\n"), "revision ",
                      from.revision(), " to ", to.revision(), ": ", CountsText(changes));
}

std::string DiffJson(const Snapshot& from, const Snapshot& to, const std::vector<Change>& changes) {
  std::string out =
      absl::StrCat("{\"from\":", ToJson(from), ",\"to\":", ToJson(to), ",\"changes\":[");
  const auto side = [](const Statement* statement) {
    return statement == nullptr ? std::string("null")
                                : absl::StrCat("{\"item\":", ToJson(statement->said),
                                               ",\"source\":", ToJson(statement->source), "}");
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    absl::StrAppend(&out, i == 0 ? "" : ",",
                    "{\"change\":", ToJson(std::string(NameOf(change.kind))),
                    ",\"statements\":", change.statements,
                    ",\"before\":", side(change.before ? &*change.before : nullptr),
                    ",\"after\":", side(&change.after), "}");
  }
  std::vector<std::string> counts;
  for (const auto& [kind, count] : Count(changes)) {
    counts.push_back(absl::StrCat(ToJson(std::string(NameOf(kind))), ":", count));
  }
  return absl::StrCat(out, "],\"counts\":{", absl::StrJoin(counts, ","), "}}");
}

}  // namespace

absl::StatusOr<ExitCode> ShowDiff(Session& session, const DiffOptions& options) {
  ASSIGN_OR_RETURN(const Snapshot from, RevisionOf(session, "--from", options.from));
  ASSIGN_OR_RETURN(const Snapshot to, RevisionOf(session, "--to", options.to));
  if (from.revision() > to.revision()) {
    return BadUsage(absl::StrCat("--from must not be later than --to: it is revision ",
                                 from.revision(), ", and --to is ", to.revision()));
  }
  Diff diff;
  RETURN_IF_ERROR(FollowLog(session, options, from, to, diff));
  RETURN_IF_ERROR(ReadHeld(session, options, from, diff));
  const std::vector<Change> changes = diff.Changes();
  session.Print(session.json() ? DiffJson(from, to, changes) : DiffText(from, to, changes));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
