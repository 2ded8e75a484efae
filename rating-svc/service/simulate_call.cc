// SimulateRating.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/evidence/text.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/analyses.h"
#include "rating-svc/service/pairs.h"
#include "rating-svc/service/subject.h"
#include "rating-svc/service/variations.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::service {
namespace {

using rating::v1::SimulateRatingRequest;
using rating::v1::SimulateRatingResponse;

constexpr int kVariationsMost = 1'000;
// Of a round: so that the answer stays far below what the transport takes.
constexpr int kListedMost = 1'000;

absl::Status Check(const SimulateRatingRequest& request) {
  status::FieldErrors errors;
  if (request.organisation().empty() && request.has_scheme()) {
    errors.Add("organisation", "must be named where a scheme is");
  }
  if (request.organisation().empty() && !request.has_scheme()) {
    errors.AddIfError("round", evidence::CheckSlug(request.round()));
  }
  if (request.variations().empty() || request.variations_size() > kVariationsMost) {
    errors.Add("variations", absl::StrCat("must be 1 to ", kVariationsMost));
  }
  for (int i = 0; i < request.variations_size(); ++i) {
    const rating::v1::Variation& variation = request.variations(i);
    const std::string field = absl::StrCat("variations[", i, "]");
    if (!variation.has_item() && !variation.has_threshold()) {
      errors.Add(field, "must be an item or a threshold");
    }
    if (variation.has_item() && !variation.item().has_value() && !variation.item().has_text()) {
      errors.Add(field + ".item", "must have a value or a text");
    }
    if (variation.has_threshold() && !variation.threshold().has_number() &&
        !variation.threshold().has_level()) {
      errors.Add(field + ".threshold", "must have a number or a level");
    }
    if (variation.organisation().empty()) continue;
    if (variation.has_threshold()) {
      errors.Add(field + ".organisation", "must be left out: a threshold is everybody's");
    } else {
      errors.AddIfError(field + ".organisation",
                        evidence::CheckOrganisationId(variation.organisation()));
    }
  }
  return errors.ToStatus();
}

// One simulation: of one dossier after the other.
class Simulation {
 public:
  Simulation(const EvidenceClient& client, const SimulateRatingRequest& request,
             absl::Time deadline, SimulateRatingResponse& response)
      : client_(client),
        deadline_(deadline),
        variations_(request.variations()),
        response_(response) {}

  absl::Status Add(const Method& method, const evidence::Dossier& dossier) {
    if (!variations_.prepared()) {
      RETURN_IF_ERROR(variations_.Prepare(client_, method.scheme, dossier.organisation.id,
                                          dossier.period, deadline_));
    }
    before_ = rating::Rate(*method.scheme, dossier, method.date);
    after_ = rating::Rate(variations_.scheme(), variations_.Over(dossier), method.date);
    scheme_ = method.scheme;
    return absl::OkStatus();
  }

  // Both ratings of the dossier that was added last.
  void Write(const evidence::v1::Snapshot& snapshot, rating::v1::RatingPair& pair) const {
    wire::Write(before_, *scheme_, *pair.mutable_before());
    *pair.mutable_before()->mutable_snapshot() = snapshot;
    wire::Write(after_, variations_.scheme(), *pair.mutable_after());
    // It is of no evidence that anybody recorded, and of no scheme that was
    // proven: nothing must identify it.
    pair.mutable_after()->clear_digest();
    if (variations_.scheme_varies()) pair.mutable_after()->mutable_scheme()->clear_digest();
  }

  void Count() {
    moves_.Add(before_, after_);
    if (!Differs(before_, after_)) return;
    response_.set_changed_count(response_.changed_count() + 1);
    if (response_.pairs_size() < kListedMost) Write({}, *response_.add_pairs());
  }

  void Finish() {
    moves_.Write(*response_.mutable_moves());
    variations_.Write(*response_.mutable_outcomes());
  }

 private:
  const EvidenceClient& client_;
  const absl::Time deadline_;
  Variations variations_;
  SimulateRatingResponse& response_;
  rating::Rating before_;
  rating::Rating after_;
  SchemePtr scheme_;
  Moves moves_;
};

}  // namespace

absl::Status Analyses::SimulateRating(const SimulateRatingRequest& request, absl::Time deadline,
                                      const Cancelled& cancelled,
                                      SimulateRatingResponse& response) const {
  RETURN_IF_ERROR(Check(request));
  Simulation simulation(client_, request, deadline, response);
  if (!request.organisation().empty()) {
    ASSIGN_OR_RETURN(const Subject subject,
                     FindSubjectOf(client_, dossiers_, schemes_, request, deadline));
    RETURN_IF_ERROR(simulation.Add(subject.method, subject.dossier));
    simulation.Count();
    response.clear_pairs();  // There also where nothing changed.
    simulation.Write(subject.snapshot, *response.add_pairs());
    simulation.Finish();
    response.set_count(1);
    *response.mutable_snapshot() = subject.snapshot;
    *response.mutable_scheme() = wire::RefOf(*subject.method.scheme);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const RoundRead read,
                   VisitRound(client_, schemes_, request.round(), deadline, cancelled,
                              [&](const Method& method, const evidence::Dossier& dossier) {
                                RETURN_IF_ERROR(simulation.Add(method, dossier));
                                simulation.Count();
                                return absl::OkStatus();
                              }));
  if (read.count == 0) {
    status::FieldErrors errors;
    errors.Add("round", "must have an organisation: there is nothing to simulate");
    return errors.ToStatus();
  }
  simulation.Finish();
  response.set_count(read.count);
  *response.mutable_snapshot() = read.snapshot;
  for (rating::v1::RatingPair& pair : *response.mutable_pairs()) {
    *pair.mutable_before()->mutable_snapshot() = read.snapshot;
  }
  *response.mutable_scheme() = wire::RefOf(*read.method.scheme);
  return absl::OkStatus();
}

}  // namespace starratings::service
