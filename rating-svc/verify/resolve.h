// From a message to a scheme: names become indices, and everything is checked
// to fit together. Internal to the room.
#pragma once

#include "rating-svc/verify/draft.h"
#include "rating-svc/verify/issues.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::verify {

// Returns a draft that is good for proofs if no issue was added; otherwise it is
// of no use, unless they are all about rows. Cells that no row fills have kNoRow.
Draft Resolve(const scheme::v1::Scheme& message, const Place& place, Issues& issues);

// Puts the stages in order. Adds CYCLE and returns false if there is none.
bool Order(Draft& draft, Issues& issues);

// Adds CYCLE where cuts would have to be derived from ratings that need cuts. Of a
// draft that was put in order.
void CheckTiers(const Draft& draft, Issues& issues);

}  // namespace starratings::verify
