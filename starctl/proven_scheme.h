// A scheme that the command line names: a file, or what the record has.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rating-svc/scheme/scheme.h"
#include "starctl/session.h"

namespace starratings::starctl {

// The scheme that `ref` names, if it proves: a file, or the id@version or the digest
// of a text in the record. What is both a name and a file is the file.
absl::StatusOr<std::shared_ptr<const scheme::Scheme>> ProvenScheme(Session& session,
                                                                   const std::string& ref);

}  // namespace starratings::starctl
