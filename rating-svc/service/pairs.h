// Two ratings of each of many organisations: how many went from which outcome
// to which, and who.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <tuple>

#include "rating-svc/rating/rating.h"
#include "starratings/rating/v1/analysis.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

// Whether any result differs in level, number or in being rated.
bool Differs(const rating::Rating& before, const rating::Rating& after);

// Counts moves between outcomes, for each result that both ratings have, by its id.
class Moves {
 public:
  void Add(const rating::Rating& before, const rating::Rating& after);

  // In the order of results, then of outcomes by name, not rated last.
  void Write(google::protobuf::RepeatedPtrField<rating::v1::OutcomeMove>& messages) const;

 private:
  // (place of the result, its id, not rated or number before, level before, the
  // same after).
  struct Outcome {
    int kind = 0;  // 0: a level; 1: a number; 2: not rated.
    std::string level;
    friend auto operator<=>(const Outcome&, const Outcome&) = default;
  };
  static Outcome OutcomeOf(const rating::ResultOutcome& result);

  std::map<std::tuple<size_t, std::string, Outcome, Outcome>, int64_t> counts_;
};

}  // namespace starratings::service
