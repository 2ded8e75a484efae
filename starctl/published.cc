#include "starctl/published.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "starctl/phrases.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::ListPublishedRatingsResponse;
using assessment::v1::ListSpecialMeasuresResponse;
using rating::v1::Move;
using rating::v1::Rating;
using rating::v1::Summary;

void CountResult(const ListPublishedRatingsResponse& published, int index, Summary& summary) {
  std::map<std::pair<std::string, std::string>, int64_t> counts;  // Level, reason.
  for (const Rating& rating : published.ratings()) {
    const auto& result = rating.results(index);
    ++(result.has_not_rated() ? counts[{"", result.not_rated().reason()}]
                              : counts[{OutcomeText(result), ""}]);
  }
  for (const auto& [outcome, count] : counts) {
    auto& tally = *summary.add_tallies();
    tally.set_result(published.ratings(0).results(index).id());
    tally.set_level(outcome.first);
    tally.set_not_rated(outcome.second);
    tally.set_count(count);
  }
}

void CountMoves(const ListPublishedRatingsResponse& published, int index, Summary& summary) {
  std::map<Move, int64_t> moves;
  for (const Rating& rating : published.ratings()) ++moves[rating.decisions(index).move()];
  for (const auto& [move, count] : moves) {
    auto& tally = *summary.add_moves();
    tally.set_decision(published.ratings(0).decisions(index).id());
    tally.set_move(move);
    tally.set_count(count);
  }
}

// The scale of a value: of an input, or of what a stage writes.
std::string ScaleOf(const scheme::v1::Scheme& scheme, const std::string& value) {
  for (const auto& input : scheme.input()) {
    if (input.code() == value) return input.scale();
  }
  for (const auto& band : scheme.band()) {
    if (band.output() == value) return band.to();
  }
  for (const auto& matrix : scheme.matrix()) {
    if (matrix.output() == value) return matrix.to();
  }
  return "";
}

}  // namespace

std::vector<std::string> LevelsOf(const scheme::v1::Scheme& scheme, const std::string& result) {
  const std::string scale_id = ScaleOf(scheme, result);
  for (const auto& scale : scheme.scale()) {
    if (scale.id() == scale_id) return {scale.level().begin(), scale.level().end()};
  }
  return {};
}

Summary Summarise(const ListPublishedRatingsResponse& published) {
  Summary summary;
  summary.set_count(published.ratings_size());
  if (published.ratings_size() == 0) return summary;
  const Rating& first = published.ratings(0);
  for (int i = 0; i < first.results_size(); ++i) CountResult(published, i, summary);
  for (int i = 0; i < first.decisions_size(); ++i) CountMoves(published, i, summary);
  return summary;
}

Summary WorstFirst(const Summary& summary, const scheme::v1::Scheme& scheme) {
  Summary ordered = summary;
  ordered.clear_tallies();
  for (const auto& result : scheme.result()) {
    const std::vector<std::string> levels = LevelsOf(scheme, result.value());
    std::vector<rating::v1::Tally> rest;
    std::map<std::string, int64_t> counts;
    for (const rating::v1::Tally& tally : summary.tallies()) {
      if (tally.result() != result.value()) continue;
      const bool known = tally.not_rated().empty() &&
                         std::find(levels.begin(), levels.end(), tally.level()) != levels.end();
      if (known) {
        counts[tally.level()] += tally.count();
      } else {
        rest.push_back(tally);
      }
    }
    for (const std::string& level : levels) {
      auto& tally = *ordered.add_tallies();
      tally.set_result(result.value());
      tally.set_level(level);
      tally.set_count(counts[level]);
    }
    for (const rating::v1::Tally& tally : rest) *ordered.add_tallies() = tally;
  }
  return ordered;
}

std::string ConsequencesText(const std::vector<Rating>& ratings) {
  // Groups in the order of their first organisation.
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> names;
  for (const Rating& rating : ratings) {
    std::string texts;
    for (const auto& consequence : rating.consequences()) {
      const std::string code =
          consequence.code().empty() ? "" : absl::StrCat(" [", consequence.code(), "]");
      absl::StrAppend(&texts, Wrap(absl::StrCat(consequence.text(), code), "  - ", "    "));
    }
    if (texts.empty()) texts = "  - nothing follows\n";
    if (names[texts].empty()) groups.push_back(texts);
    names[texts].push_back(rating.name());
  }
  std::string out;
  for (const std::string& texts : groups) {
    const auto& group = names[texts];
    absl::StrAppend(&out, out.empty() ? "" : "\n", Wrap(absl::StrJoin(group, ", "), "", ""),
                    group.size() == 1 ? "" : "each of them:\n", texts);
  }
  return out;
}

std::string SpecialMeasuresText(const ListSpecialMeasuresResponse& list) {
  std::map<std::string, std::map<Move, std::vector<std::string>>> lists;
  for (const auto& entry : list.entries()) {
    const auto& decision = entry.decision();
    const std::string title = absl::StrCat(decision.id(), " (", decision.code(), ")");
    lists[title][decision.move()].push_back(entry.name());
  }
  if (lists.empty()) return "nobody is on a list, and nobody moved\n";
  std::string out;
  for (auto& [title, moves] : lists) {
    const auto count = [&moves = moves](Move move) {
      return Thousands(static_cast<int64_t>(moves[move].size()));
    };
    const size_t on =
        moves[rating::v1::MOVE_REMAINED].size() + moves[rating::v1::MOVE_ENTERED].size();
    absl::StrAppend(&out, title, ": on the list: ", on, " (", count(rating::v1::MOVE_REMAINED),
                    " remained, ", count(rating::v1::MOVE_ENTERED),
                    " entered); left: ", count(rating::v1::MOVE_LEFT), "\n");
    for (const Move move : {rating::v1::MOVE_REMAINED, rating::v1::MOVE_ENTERED,
                            rating::v1::MOVE_LEFT, rating::v1::MOVE_UNKNOWN}) {
      if (moves[move].empty()) continue;
      const std::string head = absl::StrCat("  ", Name(move), ": ");
      absl::StrAppend(&out, Wrap(absl::StrJoin(moves[move], ", "), head, "    "));
    }
  }
  return out;
}

}  // namespace starratings::starctl
