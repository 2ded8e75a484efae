// starctl ratings and special-measures: what was published.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "starctl/by.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/pages.h"
#include "starctl/phrases.h"
#include "starctl/published.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::ListPublishedRatingsResponse;
using assessment::v1::RoundService;

absl::StatusOr<ListPublishedRatingsResponse> ReadPublished(Session& session,
                                                           const std::string& round) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListPublishedRatingsRequest request;
  request.set_round(round);
  ListPublishedRatingsResponse all;
  RETURN_IF_ERROR(ForEachPage(session, *assessment->rounds,
                              &RoundService::Stub::ListPublishedRatings, std::move(request),
                              [&all](auto& page) {
                                page.clear_next_page_token();
                                *all.mutable_round() = page.round();
                                page.clear_round();
                                all.MergeFrom(page);
                              }));
  return all;
}

bool HasLevel(const rating::v1::Rating& rating, const std::string& level) {
  for (const auto& result : rating.results()) {
    if (OutcomeText(result) == level) return true;
  }
  return false;
}

std::string PublishedText(const ListPublishedRatingsResponse& published,
                          const rating::v1::Summary& summary, const RatingsOptions& options) {
  std::string out;
  if (options.level.empty() || options.summary) {
    const auto& round = published.round();
    out = absl::StrCat("round ", round.id(), ": ", round.title(), ", ", Name(round.state()), ", ",
                       SchemeText(round.scheme()), "\n", SummaryText(summary), "\n");
  }
  if (options.summary) return out;
  std::vector<rating::v1::Rating> shown;
  for (const rating::v1::Rating& rating : published.ratings()) {
    if (options.level.empty() || HasLevel(rating, options.level)) shown.push_back(rating);
  }
  absl::StrAppend(&out, out.empty() ? "" : "\n",
                  options.consequences ? ConsequencesText(shown) : RatingsTable(shown));
  return out;
}

}  // namespace

absl::StatusOr<ExitCode> ShowRatings(Session& session, const RatingsOptions& options) {
  ASSIGN_OR_RETURN(auto published, ReadPublished(session, options.round));
  if (session.json()) {
    if (!options.level.empty()) {
      auto& ratings = *published.mutable_ratings();
      for (int i = ratings.size() - 1; i >= 0; --i) {
        if (!HasLevel(ratings[i], options.level)) ratings.DeleteSubrange(i, 1);
      }
    }
    session.Print(ToJson(published));
    return ExitCode::kOk;
  }
  ASSIGN_OR_RETURN(const scheme::v1::Scheme scheme,
                   SchemeInRecord(session, published.round().scheme().digest()));
  session.Print(PublishedText(published, WorstFirst(Summarise(published), scheme), options));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ShowSpecialMeasures(Session& session, const std::string& round) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListSpecialMeasuresRequest request;
  request.set_round(round);
  assessment::v1::ListSpecialMeasuresResponse all;
  RETURN_IF_ERROR(ForEachPage(session, *assessment->rounds,
                              &RoundService::Stub::ListSpecialMeasures, std::move(request),
                              [&all](auto& page) {
                                page.clear_next_page_token();
                                all.MergeFrom(page);
                              }));
  session.Print(session.json() ? ToJson(all) : SpecialMeasuresText(all));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
