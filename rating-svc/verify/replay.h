// From what the proofs find to evidence, and through the evaluator that rates
// organisations: whatever is shown to an author has been seen there. Internal to
// the room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rating-svc/rating/rating.h"
#include "rating-svc/verify/space.h"
#include "starratings/scheme/v1/cases.pb.h"

namespace starratings::verify {

// The levels of a cell: `adults.serving = "some", adults.prospects = "poor"`.
std::string CellName(const scheme::Scheme& scheme, const scheme::Matrix& matrix, uint32_t cell);

// A case that gives the levels of a cell, as far as inputs hold them, without an
// expectation; textproto of scheme.v1.Cases. Empty if no input holds one.
std::string CellCase(const scheme::Scheme& scheme, const scheme::Matrix& matrix, uint32_t cell);

// Evidence on one organisation that says so: an input and its value each.
evidence::Dossier DossierOf(const scheme::Scheme& scheme,
                            const std::vector<std::pair<int, evidence::Value>>& given);

// An assignment and what the evaluator makes of it.
struct Replay {
  scheme::v1::Case shown;  // With what comes out as its expectation.
  rating::Evaluation evaluation;
};

// Inputs that do not matter are left out, or given where the scheme would
// otherwise refuse.
Replay Run(const scheme::Scheme& scheme, const std::vector<Domain>& domains,
           const Assignment& assignment, const std::string& id);

// Whether the evaluator's value is what the proofs said. True for numbers.
bool Agrees(const scheme::Scheme& scheme, int value, const rating::Value& evaluated, Word proven);

// Textproto of scheme.v1.Cases.
std::string Print(const std::vector<scheme::v1::Case>& cases);

}  // namespace starratings::verify
