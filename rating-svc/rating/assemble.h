// From an evaluation to a rating. Internal to the room.
#pragma once

#include "rating-svc/rating/grounds.h"
#include "rating-svc/rating/rating.h"

namespace starratings::rating {

// The rating that a traced evaluation of `readings`, read from `dossier`, comes
// to.
Rating Assemble(const scheme::Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
                const Readings& readings, const Evaluation& evaluation, const Grounds& grounds);

}  // namespace starratings::rating
