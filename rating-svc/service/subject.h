// What is rated or analysed: one dossier with what it is rated by, or all
// dossiers of a round.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/evidence/evidence.h"
#include "rating-svc/service/dossier_reader.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/round_rater.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/evidence/v1/evidence.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

struct Subject {
  Method method;
  evidence::Dossier dossier;
  evidence::v1::Snapshot snapshot;
};

// The dossier that a rating by a scheme reads.
assessment::v1::GetDossierRequest DossierWanted(const rating::v1::RateOrganisationRequest& request);

// What RateOrganisation would rate for the same request. Errors as there.
absl::StatusOr<Subject> FindSubject(const EvidenceClient& client, DossierReader& dossiers,
                                    SchemeLibrary& schemes,
                                    const rating::v1::RateOrganisationRequest& request,
                                    absl::Time deadline);

// The same for a request that says it in the same fields.
template <typename Request>
absl::StatusOr<Subject> FindSubjectOf(const EvidenceClient& client, DossierReader& dossiers,
                                      SchemeLibrary& schemes, const Request& request,
                                      absl::Time deadline) {
  rating::v1::RateOrganisationRequest rate;
  rate.set_organisation(request.organisation());
  if (request.has_round()) rate.set_round(request.round());
  if (request.has_scheme()) *rate.mutable_scheme() = request.scheme();
  return FindSubject(client, dossiers, schemes, rate, deadline);
}

// The most organisations that a round may have to be analysed in one call.
inline constexpr int64_t kAnalysedMost = 20'000;

// What was read of an export.
struct ExportRead {
  int64_t count = 0;
  evidence::v1::Snapshot snapshot;
};

// Calls `each` for the dossiers of an export, in the order (bucket, id), each with what
// `published` (may be null) adds to it. `name` is the round's. Returns FAILED_PRECONDITION
// (ROUND_TOO_LARGE) if there are more than `most`, DATA_LOSS (EXPORT_BROKEN) if the export is not
// whole, and what `each` returns.
using Cancelled = std::function<bool()>;
absl::StatusOr<ExportRead> VisitExport(const EvidenceClient& client,
                                       const assessment::v1::ExportDossiersRequest& request,
                                       const std::string& name, int64_t most,
                                       PublishedRatings* published, absl::Time deadline,
                                       const Cancelled& cancelled,
                                       const std::function<absl::Status(evidence::Dossier)>& each);

// What was read of a round.
struct RoundRead : ExportRead {
  Method method;
};

// The same for all of a round; the method is settled before the first dossier.
using DossierVisitor = std::function<absl::Status(const Method&, const evidence::Dossier&)>;
absl::StatusOr<RoundRead> VisitRound(const EvidenceClient& client, SchemeLibrary& schemes,
                                     const std::string& round, absl::Time deadline,
                                     const Cancelled& cancelled, const DossierVisitor& each);

// Returns DATA_LOSS (EXPORT_BROKEN) if what was read is not what the round froze.
absl::Status CheckFrozen(const RoundPlan& plan, const ExportRead& read);

}  // namespace starratings::service
