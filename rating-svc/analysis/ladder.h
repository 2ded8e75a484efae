// Where one input can go from where it is: the finite abstraction of a scheme,
// seen from one dossier. Internal to the room.
#pragma once

#include <span>
#include <vector>

#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::analysis {

// Whether an input stays as it is: absent, or decided by a person.
inline bool IsHeld(const rating::Value& reading) {
  return reading.decided || reading.absent != rating::Absent::kNo;
}

// The places to go in one direction, nearest first; each is one step further.
//
// Of a level, the levels. Of a number, the nearest value in each cell that the scheme's constants
// cut its line into: of a ratio in whole cases at the same denominator, from 0 to all of them (more
// only where the ratio or a constant is above 1); of a decimal in millionths. What a sum adds is
// cut where the sum meets a constant, its other terms as they are.
//
// Empty where the input is held: nobody knows how far it is to anywhere, or nobody's to
// change.
std::vector<rating::Value> LadderOf(const scheme::Scheme& scheme,
                                    std::span<const rating::Value> readings, size_t input,
                                    bool better);

}  // namespace starratings::analysis
