// A store that forgets everything: the reference of the conformance suite, and
// a stand-in in tests.
//
// Keeps a list of writes and answers each read by going through it from the
// start: obviously right, and slow. Times come from this process's clock.
#pragma once

#include <memory>

#include "assessment-svc/store/store.h"

namespace starratings::store {

std::unique_ptr<EvidenceStore> NewMemoryStore();

}  // namespace starratings::store
