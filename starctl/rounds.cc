#include "starctl/rounds.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/wire/scheme_text.h"
#include "starctl/phrases.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RegisterService;
using assessment::v1::Round;
using assessment::v1::RoundService;

std::string SelectorText(const assessment::v1::OrganisationSelector& selector) {
  std::vector<std::string> parts;
  if (selector.kinds_size() > 0) {
    parts.push_back(absl::StrCat("kind ", absl::StrJoin(selector.kinds(), " or ")));
  }
  if (selector.regions_size() > 0) {
    parts.push_back(absl::StrCat("region ", absl::StrJoin(selector.regions(), " or ")));
  }
  if (selector.organisations_size() > 0) {
    parts.push_back(Counted(selector.organisations_size(), "named organisation"));
  }
  return parts.empty() ? "all organisations" : absl::StrJoin(parts, "; ");
}

void AppendLine(absl::string_view name, absl::string_view value, std::string& out) {
  if (value.empty()) return;
  const size_t width = 15;
  absl::StrAppend(&out, "  ", name, std::string(width > name.size() ? width - name.size() : 1, ' '),
                  value, "\n");
}

}  // namespace

absl::StatusOr<assessment::v1::GetRoundResponse> GetRound(Session& session,
                                                          const std::string& round) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::GetRoundRequest request;
  request.set_round(round);
  assessment::v1::GetRoundResponse response;
  RETURN_IF_ERROR(
      session.Call(*assessment->rounds, &RoundService::Stub::GetRound, request, response));
  return response;
}

std::string RoundText(const Round& round) {
  std::string out =
      absl::StrCat("round ", round.id(), ": ", round.title(), ", ", Name(round.state()), "\n");
  AppendLine("scheme", SchemeText(round.scheme()), out);
  AppendLine("scheme digest", round.scheme().digest(), out);
  AppendLine("period", round.period(), out);
  AppendLine("date", round.date(), out);
  AppendLine("who", SelectorText(round.selector()), out);
  if (round.has_frozen()) {
    AppendLine("frozen",
               absl::StrCat("revision ", round.frozen().revision(), ", ",
                            Counted(round.organisation_count(), "organisation")),
               out);
  }
  AppendLine("refreshes", round.refreshes(), out);
  AppendLine("round digest", round.round_digest(), out);
  AppendLine("superseded by", round.superseded_by(), out);
  AppendLine("etag", round.etag(), out);
  Table acts(
      {{"act"}, {"revision", Table::Align::kRight}, {"actor"}, {"for"}, {"time"}, {"reason"}});
  for (const assessment::v1::RoundAct& act : round.acts()) {
    acts.AddRow({Name(act.state()), absl::StrCat(act.write().revision()), act.write().actor(),
                 act.write().on_behalf_of(), TimeText(act.write().time()), act.write().reason()});
  }
  if (!acts.empty()) absl::StrAppend(&out, "\n", acts.ToString("  "));
  return out;
}

absl::StatusOr<scheme::v1::Scheme> SchemeInRecord(Session& session, const std::string& scheme) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::GetSchemeTextRequest request;
  request.set_scheme(scheme);
  assessment::v1::GetSchemeTextResponse response;
  RETURN_IF_ERROR(session.Call(*assessment->registers, &RegisterService::Stub::GetSchemeText,
                               request, response));
  return wire::ParseScheme(response.text());
}

absl::StatusOr<scheme::v1::Scheme> SchemeOfRating(Session& session, const std::string& scheme) {
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::GetSchemeRequest request;
  request.set_scheme(scheme);
  rating::v1::GetSchemeResponse response;
  RETURN_IF_ERROR(session.Call(*rating->schemes, &rating::v1::SchemeService::Stub::GetScheme,
                               request, response));
  return wire::ParseScheme(response.text());
}

}  // namespace starratings::starctl
