// The dossiers of many organisations, block by block. Knows no stream.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/service/ahead.h"
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
  bool values_only = false;
  store::OrganisationCursor after;
  int64_t total = 0;  // Whatever the shard and cursor.
};

absl::StatusOr<Export> PlanExport(const store::EvidenceStore& store,
                                  const assessment::v1::ExportDossiersRequest& request,
                                  absl::Time deadline);

// Reads ahead: a page of dossiers on a thread of `pool`, while the page before is
// put into blocks.
class DossierBlocks {
 public:
  // `store` must outlive the pool, and the pool this. Nothing is read after
  // `end`, and no page may take longer than a step.
  DossierBlocks(const store::EvidenceStore& store, serving::Pool& pool, Export plan, absl::Time end)
      : store_(store), pool_(pool), plan_(std::move(plan)), end_(end) {}

  // Fills the next block, which is empty; false if there is none. The first is always there,
  // so that also an export of nobody says what was read.
  absl::StatusOr<bool> Next(assessment::v1::ExportDossiersResponse& block);

 private:
  using Page = absl::StatusOr<std::vector<evidence::Dossier>>;

  absl::Status Read();
  // The page that comes next.
  Page ReadPage();
  // Reads it; its time begins when it is called.
  std::function<Page()> Reading() const;

  const store::EvidenceStore& store_;
  serving::Pool& pool_;
  Export plan_;
  const absl::Time end_;
  std::optional<Ahead<Page>> ahead_;
  std::deque<evidence::Dossier> pending_;
  bool all_read_ = false;
  bool first_ = true;
};

}  // namespace starratings::service
