// How people name a revision.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "starctl/session.h"
#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::starctl {

// `text` is a token, a revision's number, or a time like 2002-05-30T12:00:00Z,
// which stands for the newest revision by then; empty: the newest of all. `flag`
// is where it comes from.
//
// Returns BAD_USAGE for a number that is not there yet, and for what is none of
// these; the service's error for a token that is not of this record, and for a
// time to come.
absl::StatusOr<evidence::v1::Snapshot> RevisionOf(Session& session, absl::string_view flag,
                                                  const std::string& text);

}  // namespace starratings::starctl
