// starctl rounds: the acts, and what there is.
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/pages.h"
#include "starctl/phrases.h"
#include "starctl/published.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RoundService;
using rating::v1::RatingService;

// A reply of an act, which has the round as it is now.
template <typename Response>
void PrintRound(const Session& session, const Response& response) {
  session.Print(session.json() ? ToJson(response) : RoundText(response.round()));
}

// The request of an act on a round: its etag is read now, unless it was given.
template <typename Request>
absl::Status Fill(Session& session, const RoundActOptions& options, Request& request) {
  request.set_request_id(NewUuid());
  request.set_round(options.round);
  request.set_etag(options.etag);
  if (!options.etag.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  request.set_etag(current.round().etag());
  return absl::OkStatus();
}

// Tells whoever freezes a round of evidence that is still on its way.
void WarnOfImports(const assessment::v1::FreezeRoundResponse& response) {
  for (const assessment::v1::ImportUnderWay& import : response.imports()) {
    const std::string total = import.items_total() == 0 ? "an unknown number of items"
                                                        : Counted(import.items_total(), "item");
    const std::string warning =
        absl::StrCat("starctl: warning: ", import.actor(), " is importing `", import.title(),
                     "`: at least ", Thousands(import.items()), " of ", total,
                     " are recorded; what was not at the freeze is not in the round\n");
    std::fputs(warning.c_str(), stderr);
  }
}

// What may be done again under its request id, and is.
constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

absl::StatusOr<ExitCode> CreateRound(Session& session, const CreateRoundOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::CreateRoundRequest request;
  request.set_request_id(NewUuid());
  request.set_reason(options.reason);
  request.set_round(options.round);
  request.set_title(options.title);
  request.set_period(options.period);
  request.set_date(options.date);
  request.set_scheme(options.scheme);
  request.set_refreshes(options.refreshes);
  auto& selector = *request.mutable_selector();
  for (const std::string& kind : options.kinds) selector.add_kinds(kind);
  for (const std::string& region : options.regions) selector.add_regions(region);
  for (const std::string& organisation : options.organisations) {
    selector.add_organisations(organisation);
  }
  assessment::v1::CreateRoundResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*assessment->rounds, &RoundService::Stub::CreateRound, request, response);
  }));
  PrintRound(session, response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> FreezeRound(Session& session, const RoundActOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  assessment::v1::FreezeRoundRequest request;
  request.set_request_id(NewUuid());
  request.set_reason(options.reason);
  request.set_round(options.round);
  request.set_etag(options.etag.empty() ? current.round().etag() : options.etag);
  request.set_token(options.token.empty() ? current.snapshot().token() : options.token);
  assessment::v1::FreezeRoundResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*assessment->rounds, &RoundService::Stub::FreezeRound, request, response);
  }));
  WarnOfImports(response);
  PrintRound(session, response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RecordRound(Session& session, const RoundActOptions& options) {
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::RecordRoundRequest request;
  RETURN_IF_ERROR(Fill(session, options, request));
  rating::v1::RecordRoundResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*rating->ratings, &RatingService::Stub::RecordRound, request, response);
  }));
  if (session.json()) {
    session.Print(ToJson(response));
    return ExitCode::kOk;
  }
  ASSIGN_OR_RETURN(const scheme::v1::Scheme scheme,
                   SchemeOfRating(session, response.summary().scheme().digest()));
  session.Print(absl::StrCat("recorded ", Counted(response.summary().count(), "rating"),
                             " of round ", options.round, "; revision ",
                             response.snapshot().revision(), "\n",
                             SummaryText(WorstFirst(response.summary(), scheme)), "\nround digest ",
                             response.summary().round_digest()));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> PublishRound(Session& session, const RoundActOptions& options) {
  if (options.digest.empty() == !options.yes) {
    return BadUsage(
        "either --digest HEX (the round digest that was checked) or --yes (whatever "
        "is recorded) must be given, and not both");
  }
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  assessment::v1::PublishRoundRequest request;
  request.set_request_id(NewUuid());
  request.set_reason(options.reason);
  request.set_round(options.round);
  request.set_etag(options.etag.empty() ? current.round().etag() : options.etag);
  request.set_round_digest(options.yes ? current.round().round_digest() : options.digest);
  // The service says better than a field rule why a round cannot be published.
  if (options.yes && current.round().round_digest().empty()) {
    request.set_round_digest(std::string(64, '0'));
  } else if (options.yes && !session.json()) {
    session.Print(absl::StrCat("publishing ",
                               Counted(current.round().organisation_count(), "rating"),
                               " with the round digest ", current.round().round_digest()));
  }
  assessment::v1::PublishRoundResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*assessment->rounds, &RoundService::Stub::PublishRound, request, response);
  }));
  PrintRound(session, response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> WithdrawRound(Session& session, const RoundActOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::WithdrawRoundRequest request;
  RETURN_IF_ERROR(Fill(session, options, request));
  request.set_reason(options.reason);
  assessment::v1::WithdrawRoundResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*assessment->rounds, &RoundService::Stub::WithdrawRound, request, response);
  }));
  PrintRound(session, response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ShowRound(Session& session, const std::string& round) {
  ASSIGN_OR_RETURN(const auto response, GetRound(session, round));
  PrintRound(session, response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ListRounds(Session& session) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListRoundsResponse all;
  RETURN_IF_ERROR(ForEachPage(session, *assessment->rounds, &RoundService::Stub::ListRounds,
                              assessment::v1::ListRoundsRequest(), [&all](auto& page) {
                                page.clear_next_page_token();
                                all.MergeFrom(page);
                              }));
  if (session.json()) {
    session.Print(ToJson(all));
    return ExitCode::kOk;
  }
  Table table({{"round"},
               {"title"},
               {"state"},
               {"period"},
               {"date"},
               {"scheme"},
               {"organisations", Table::Align::kRight}});
  for (const assessment::v1::Round& round : all.rounds()) {
    table.AddRow({round.id(), round.title(), Name(round.state()), round.period(), round.date(),
                  SchemeText(round.scheme()),
                  round.organisation_count() == 0 ? "" : Thousands(round.organisation_count())});
  }
  session.Print(table.empty() ? "no rounds" : table.ToString());
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
