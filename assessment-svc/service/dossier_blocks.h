// The dossiers of many organisations, block by block. Knows no stream.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

inline constexpr int kBlockDossiersMost = 500;
// A block is closed once it has this size; the transport takes eight times it.
inline constexpr size_t kBlockBytesMost = 1 << 20;

// What an export is of.
struct Export {
  Chosen chosen;  // With the buckets of the shard.
  std::string period;
  std::vector<std::string> codes;
  store::OrganisationCursor after;
  int64_t total = 0;  // Whatever the shard and cursor.
};

absl::StatusOr<Export> PlanExport(const store::EvidenceStore& store,
                                  const assessment::v1::ExportDossiersRequest& request,
                                  absl::Time deadline);

class DossierBlocks {
 public:
  // `store` must outlive this.
  DossierBlocks(const store::EvidenceStore& store, Export plan)
      : store_(store), plan_(std::move(plan)) {}

  // Fills the next block, which is empty; false if there is none. The first is always there,
  // so that also an export of nobody says what was read.
  absl::StatusOr<bool> Next(absl::Time deadline, assessment::v1::ExportDossiersResponse& block);

 private:
  absl::Status Read(absl::Time deadline);

  const store::EvidenceStore& store_;
  Export plan_;
  std::deque<evidence::Dossier> pending_;
  bool all_read_ = false;
  bool first_ = true;
};

}  // namespace starratings::service
