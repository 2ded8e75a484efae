// Why an organisation is rated otherwise than before: by one path from the one
// rating to the other, a cause at a time.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/evidence/evidence.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

// What one side of a comparison rates, and by what. All must outlive it.
struct ComparedSide {
  const scheme::Scheme& scheme;
  evidence::Date date;
  const evidence::Dossier& dossier;
};

// The ratings on the path.
enum PathStep {
  kBefore = 0,        // The earlier evidence by the earlier scheme.
  kCorrected = 1,     // The same evidence as it reads by now.
  kNewEvidence = 2,   // The later evidence, on the later date, by the earlier scheme.
  kChangedScheme = 3  // By the later scheme: the rating after.
};

struct Comparison {
  std::array<rating::Rating, 4> path;
  // Codes of items that say something else by now than before, and of those that
  // came besides; ascending, each once.
  std::vector<std::string> corrected;
  std::vector<std::string> added;
};

// `later` is what the record says at the later revision about the organisation in the period of
// `before`. What is standing is a state of its time: where it changed, that is
// new evidence and no correction.
Comparison Compare(const ComparedSide& before, const evidence::Dossier& later,
                   const ComparedSide& after);

}  // namespace starratings::analysis
