// From an evaluation to a rating. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "rating-svc/rating/grounds.h"
#include "rating-svc/rating/rating.h"

namespace starratings::rating {

// The rating that a traced evaluation of `readings`, read from `dossier`, comes
// to.
Rating Assemble(const scheme::Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
                const Readings& readings, const Evaluation& evaluation, const Grounds& grounds);

// The digest of a rating that rests on these items (their digests, in any
// order) and this scheme. docs/digests.md says what it is of, and why.
digest::Digest RatingDigest(const std::string& scheme_digest, const Rating& rating,
                            std::vector<digest::Digest> items, evidence::Date date);

}  // namespace starratings::rating
