// starctl schemes diff: what changes from one scheme to another, over all
// evidence there can be, and for the organisations of a round.
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/wire/evidence_wire.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/verify/diff.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/progress.h"
#include "starctl/proven_scheme.h"
#include "starctl/round_sources.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using SchemePtr = std::shared_ptr<const scheme::Scheme>;
using verify::Shift;
using verify::SpaceDiff;

// Of one move; who comes after is counted.
constexpr size_t kNamesMost = 1'000;
// Of those, for people.
constexpr size_t kNamesShown = 20;

// Who moved from where to where.
struct Move {
  int64_t count = 0;
  std::vector<std::pair<std::string, std::string>> who;  // Id and name.
};

struct RoundDiff {
  std::string round;
  std::string date;
  int64_t revision = 0;
  int64_t organisations = 0;
  std::vector<std::string> notes;
  // (result's place in the scheme before, id, before, after).
  std::map<std::tuple<size_t, std::string, std::string, std::string>, Move> moves;
};

// The level or number of each result, or why there is none, by its id.
std::map<std::string, std::string> OutcomesOf(const rating::Rating& rating) {
  std::map<std::string, std::string> outcomes;
  for (const rating::ResultOutcome& result : rating.results) {
    outcomes[result.id] =
        result.not_rated
            ? absl::StrCat("not rated (", rating::ToString(result.not_rated->reason), ")")
        : result.number.empty() ? result.level
                                : result.number;
  }
  return outcomes;
}

void Count(const rating::Rating& before, const rating::Rating& after, RoundDiff& diff) {
  const std::map<std::string, std::string> then = OutcomesOf(before);
  const std::map<std::string, std::string> now = OutcomesOf(after);
  for (size_t i = 0; i < before.results.size(); ++i) {
    const std::string& id = before.results[i].id;
    const auto other = now.find(id);
    if (other == now.end()) continue;
    Move& move = diff.moves[{i, id, then.at(id), other->second}];
    ++move.count;
    if (then.at(id) != other->second && move.who.size() < kNamesMost) {
      move.who.emplace_back(before.organisation, before.name);
    }
  }
}

absl::StatusOr<RoundDiff> DiffRound(Session& session, const scheme::Scheme& before,
                                    const scheme::Scheme& after, const SchemeDiffOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  RoundDiff diff;
  diff.round = options.round;
  diff.date = current.round().date();
  ASSIGN_OR_RETURN(const evidence::Date date, evidence::Date::Parse(diff.date));
  for (const scheme::Scheme* const scheme : {&before, &after}) {
    if (scheme->InForceOn(date)) continue;
    diff.notes.push_back(absl::StrCat(scheme->Name(), " is not in force on ", diff.date,
                                      ": what it would have made of the round is shown all the "
                                      "same"));
  }
  FrozenDossiers dossiers(session, *assessment, options.round, absl::Seconds(options.retry_for_s));
  Progress progress("rating");
  while (true) {
    assessment::v1::RoundFileOrganisation one;
    ASSIGN_OR_RETURN(const bool more, dossiers.Next(one));
    if (!more) break;
    status::FieldErrors errors;
    const wire::SourcesById sources = wire::SourcesFromProto(one.sources(), "sources", errors);
    RETURN_IF_ERROR(errors.ToStatus());
    ASSIGN_OR_RETURN(const evidence::Dossier dossier,
                     wire::DossierFromProto(one.dossier(), sources));
    Count(rating::Rate(before, dossier, date), rating::Rate(after, dossier, date), diff);
    progress.Show(++diff.organisations, current.round().organisation_count());
  }
  diff.revision = dossiers.revision();
  return diff;
}

std::string Said(const std::string& level) { return level.empty() ? "not rated" : level; }

std::string SpaceText(const SpaceDiff& diff) {
  Table table({{"result"}, {"before"}, {"after"}, {"abstract cells", Table::Align::kRight}});
  std::string examples;
  for (const Shift& shift : diff.shifts) {
    table.AddRow({shift.result, Said(shift.before), Said(shift.after), shift.cells.ToString()});
    if (shift.example.empty()) continue;
    absl::StrAppend(&examples, "\n", shift.result, ", ", Said(shift.before), " before and ",
                    Said(shift.after), " after, for example:\n", shift.example);
  }
  std::string out = table.empty() ? "" : table.ToString();
  for (const std::string& note : diff.notes) absl::StrAppend(&out, Wrap(note, "note: ", "  "));
  return absl::StrCat(out, examples);
}

std::string RoundText(const RoundDiff& diff) {
  std::string out = absl::StrCat("\nround ", diff.round, ", revision ", diff.revision, ", ",
                                 Counted(diff.organisations, "organisation"), "\n");
  for (const std::string& note : diff.notes) absl::StrAppend(&out, Wrap(note, "note: ", "  "));
  Table table({{"result"}, {"before"}, {"after"}, {"organisations", Table::Align::kRight}});
  std::string names;
  for (const auto& [place, move] : diff.moves) {
    const auto& [result_at, result, before, after] = place;
    table.AddRow({result, before, after, Thousands(move.count)});
    if (before == after) continue;
    std::vector<std::string> shown;
    for (const auto& [id, name] : move.who) {
      if (shown.size() == kNamesShown) break;
      shown.push_back(name);
    }
    const int64_t rest = move.count - static_cast<int64_t>(shown.size());
    if (rest > 0) shown.push_back(absl::StrCat("and ", Thousands(rest), " more"));
    absl::StrAppend(&names, Wrap(absl::StrJoin(shown, ", "),
                                 absl::StrCat(result, ", ", before, " to ", after, ": "), "  "));
  }
  return absl::StrCat(out, table.empty() ? "" : table.ToString(),
                      names.empty() ? "nobody moves\n" : "\n" + names);
}

std::string ListJson(const std::vector<std::string>& texts) {
  return absl::StrCat(
      "[",
      absl::StrJoin(texts, ",",
                    [](std::string* out, const std::string& text) { out->append(ToJson(text)); }),
      "]");
}

std::string RefJson(const scheme::Scheme& scheme) {
  return absl::StrCat("{\"id\":", ToJson(scheme.id), ",\"version\":", ToJson(scheme.version),
                      ",\"digest\":", ToJson(scheme.digest), "}");
}

std::string SpaceJson(const SpaceDiff& diff) {
  const auto one = [](std::string* out, const Shift& shift) {
    absl::StrAppend(out, "{\"result\":", ToJson(shift.result), ",\"before\":", ToJson(shift.before),
                    ",\"after\":", ToJson(shift.after),
                    ",\"cells\":", ToJson(shift.cells.ToString()),
                    ",\"example\":", ToJson(shift.example), "}");
  };
  return absl::StrCat("{\"complete\":", diff.complete ? "true" : "false",
                      ",\"notes\":", ListJson(diff.notes), ",\"shifts\":[",
                      absl::StrJoin(diff.shifts, ",", one), "]}");
}

std::string RoundJson(const RoundDiff& diff) {
  std::vector<std::string> moves;
  for (const auto& [place, move] : diff.moves) {
    std::vector<std::string> who;
    for (const auto& [id, name] : move.who) who.push_back(id);
    moves.push_back(absl::StrCat(
        "{\"result\":", ToJson(std::get<1>(place)), ",\"before\":", ToJson(std::get<2>(place)),
        ",\"after\":", ToJson(std::get<3>(place)), ",\"count\":", move.count,
        ",\"organisations\":", ListJson(who), "}"));
  }
  return absl::StrCat("{\"round\":", ToJson(diff.round), ",\"date\":", ToJson(diff.date),
                      ",\"revision\":", diff.revision, ",\"organisations\":", diff.organisations,
                      ",\"notes\":", ListJson(diff.notes), ",\"moves\":[",
                      absl::StrJoin(moves, ","), "]}");
}

}  // namespace

absl::StatusOr<ExitCode> DiffSchemes(Session& session, const SchemeDiffOptions& options) {
  ASSIGN_OR_RETURN(const SchemePtr before, ProvenScheme(session, options.before));
  ASSIGN_OR_RETURN(const SchemePtr after, ProvenScheme(session, options.after));
  const SpaceDiff space = verify::DiffSpace(*before, *after);
  std::string round_json;
  std::string round_text;
  if (!options.round.empty()) {
    ASSIGN_OR_RETURN(const RoundDiff round, DiffRound(session, *before, *after, options));
    round_json = absl::StrCat(",\"round\":", RoundJson(round));
    round_text = RoundText(round);
  }
  if (session.json()) {
    session.Print(absl::StrCat("{\"before\":", RefJson(*before), ",\"after\":", RefJson(*after),
                               ",\"space\":", SpaceJson(space), round_json, "}"));
  } else {
    session.Print(absl::StrCat("from ", before->Name(), " to ", after->Name(),
                               ", over all evidence\n", SpaceText(space), round_text));
  }
  return space.complete ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace starratings::starctl
