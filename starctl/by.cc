#include "starctl/by.h"

#include "absl/strings/str_cat.h"
#include "starctl/failure.h"
#include "starctl/phrases.h"
#include "starctl/table.h"

namespace starratings::starctl {

absl::Status CheckBy(const BySchemeOptions& options) {
  const bool by_scheme = !options.scheme.empty() && !options.period.empty() &&
                         !options.date.empty() && options.round.empty();
  const bool by_round = !options.round.empty() && options.scheme.empty() &&
                        options.period.empty() && options.date.empty() && options.token.empty();
  if (by_scheme || by_round) return absl::OkStatus();
  return BadUsage(
      "either a round must be given, or --scheme, --period and --date (and maybe "
      "--token)");
}

absl::StatusOr<rating::v1::RateOrganisationResponse> RateOrganisation(
    Session& session, const BySchemeOptions& options, rating::v1::TraceDetail trace) {
  RETURN_IF_ERROR(CheckBy(options));
  rating::v1::RateOrganisationRequest request;
  request.set_organisation(options.organisation);
  request.set_trace(trace);
  FillBy(options, request);
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::RateOrganisationResponse response;
  RETURN_IF_ERROR(session.Call(*rating->ratings, &rating::v1::RatingService::Stub::RateOrganisation,
                               request, response));
  return response;
}

std::string RatingsTable(const std::vector<rating::v1::Rating>& ratings) {
  if (ratings.empty()) return "nobody\n";
  // One scheme made them all, so that the first names the columns.
  std::vector<Table::Column> columns = {{"organisation"}, {"name"}};
  for (const auto& result : ratings.front().results()) {
    columns.push_back({result.id()});
    columns.push_back({"basis"});
  }
  for (const auto& decision : ratings.front().decisions()) columns.push_back({decision.id()});
  const size_t width = columns.size();
  Table table(std::move(columns));
  for (const rating::v1::Rating& rating : ratings) {
    std::vector<std::string> row = {rating.organisation(), rating.name()};
    for (const auto& result : rating.results()) {
      row.push_back(OutcomeAndMechanicalText(result));
      row.push_back(result.has_not_rated() ? "" : Name(result.basis()));
    }
    for (const auto& decision : rating.decisions()) {
      row.push_back(decision.move() == rating::v1::MOVE_NONE ? "" : Name(decision.move()));
    }
    row.resize(width);
    table.AddRow(std::move(row));
  }
  return table.ToString();
}

}  // namespace starratings::starctl
