// What a simulation is asked to vary, and what became of each variation.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rating-svc/analysis/overlay.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

class Variations {
 public:
  using Requested = google::protobuf::RepeatedPtrField<rating::v1::Variation>;

  // `requested` must outlive the object.
  explicit Variations(const Requested& requested) : requested_(requested) {}

  // Looks at each, and has the record check the evidence among them as if it was to be recorded for
  // `organisation`, where they do not name another. Returns what the record's errors are; that it
  // refuses an item is not one.
  absl::Status Prepare(const EvidenceClient& client, const SchemePtr& scheme,
                       const std::string& organisation, const std::string& period,
                       absl::Time deadline);

  bool prepared() const { return scheme_ != nullptr; }

  // The scheme with the thresholds that were applied.
  const scheme::Scheme& scheme() const { return *scheme_; }
  bool scheme_varies() const { return scheme_varies_; }

  // The dossier with what was applied to it laid over.
  evidence::Dossier Over(const evidence::Dossier& dossier);

  // What became of each, in their order. Those of organisations that were never
  // seen by Over() are refused.
  void Write(google::protobuf::RepeatedPtrField<rating::v1::VariationOutcome>& outcomes) const;

 private:
  struct Outcome {
    rating::v1::VariationRefusal refusal = rating::v1::VARIATION_REFUSAL_UNSPECIFIED;
    std::string message;
  };
  // An item that may be applied.
  struct Candidate {
    int index = 0;  // In requested_.
    std::string organisation;
    std::string code;
    std::string instance;
    analysis::OverlaidItem item;
    evidence::v1::EvidenceItem asked;  // As the record is asked about it.
  };

  static bool LacksOverride(const std::string& field, const Candidate& candidate);
  static void Override(Candidate& candidate);
  void Refuse(int index, rating::v1::VariationRefusal refusal, std::string message);
  void SetThreshold(int index, const rating::v1::ThresholdVariation& threshold,
                    scheme::Scheme& scheme);
  void ReadItem(int index, const std::string& organisation, const std::string& period);
  absl::Status AskRecord(const EvidenceClient& client, std::vector<Candidate> candidates,
                         absl::Time deadline);

  const Requested& requested_;
  SchemePtr scheme_;
  bool scheme_varies_ = false;
  std::map<int, Outcome> refused_;
  std::vector<Candidate> candidates_;
  std::vector<analysis::OverlaidItem> for_all_;
  std::map<std::string, std::vector<analysis::OverlaidItem>> for_one_;
  std::map<std::string, bool> seen_;  // The organisations that variations name.
};

}  // namespace starratings::service
