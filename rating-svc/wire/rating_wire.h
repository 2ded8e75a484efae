// Ratings as messages. One way only: nobody sends ratings to rating-svc.
#pragma once

#include <optional>
#include <vector>

#include "rating-svc/rating/rating.h"
#include "rating-svc/scheme/scheme.h"
#include "starratings/rating/v1/rating.pb.h"

namespace starratings::wire {

rating::v1::SchemeRef RefOf(const scheme::Scheme& scheme);

// Writes everything but snapshot and trace. `scheme` is the one that `rating`
// was made with; `message` is empty.
void Write(const rating::Rating& rating, const scheme::Scheme& scheme, rating::v1::Rating& message);

// The same, without what is the same in all ratings of a round or follows from
// the rest: name, period, scheme and consequences.
void WriteCompact(const rating::Rating& rating, rating::v1::Rating& message);

// What a dossier must say was published, so that the rating can be made again.
std::vector<evidence::PublishedResult> PublishedOf(const rating::v1::Rating& message);

// The cuts that the rating names, one for each of the scheme's quantiles in their
// order; none if they are not the scheme's, or not well-formed.
std::optional<std::vector<scheme::CutTable>> TablesOf(const rating::v1::Rating& message,
                                                      const scheme::Scheme& scheme);

// How much of an explanation is written.
enum class TraceDetail { kPacked, kFull };

// Writes the reasons. PACKED leaves out what is for people: sentences,
// citations, publications and sources.
void Write(const rating::Explanation& explanation, const scheme::Scheme& scheme, TraceDetail detail,
           rating::v1::Trace& message);

}  // namespace starratings::wire
