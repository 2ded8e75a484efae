// Who is chosen: selectors, and the organisations of a round.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/rounds/round.h"
#include "assessment-svc/store/store.h"
#include "common/status/field_errors.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// Reads a selector; notes under `path` what is not well-formed in it.
rounds::Selector SelectorFromProto(const assessment::v1::OrganisationSelector& message,
                                   absl::string_view path, status::FieldErrors& errors);
assessment::v1::OrganisationSelector ToProto(const rounds::Selector& selector);

store::OrganisationFilter FilterOf(const rounds::Selector& selector);

// Whether `name` has the form `id@version` of a scheme.
bool IsSchemeName(absl::string_view name);

// Who a round is about, and where their evidence is read.
struct Chosen {
  // Of an open round: only those that existed on its day. The freeze has left
  // the others out already.
  store::OrganisationFilter filter;
  int64_t revision = 0;
};

// Of a frozen round those that the freeze chose, at its revision; of an open
// one those that its selector chooses at `revision`.
Chosen ChosenBy(const rounds::Round& round, int64_t revision);

// How many they are.
absl::StatusOr<int64_t> CountChosen(const store::EvidenceStore& store, const rounds::Round& round,
                                    const Chosen& chosen, absl::Time deadline);

// All of them, in the order (bucket, id).
absl::StatusOr<std::vector<std::string>> ListChosen(const store::EvidenceStore& store,
                                                    const Chosen& chosen, absl::Time deadline);

}  // namespace starratings::service
