// Imports under way: noted in the record, so that whoever freezes a round is
// told, whichever replica takes the import.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// An import that was not heard of for this long is not under way any more.
inline constexpr absl::Duration kImportSilentMost = absl::Seconds(30);

// Keeps the note of one import up to date. Used by one thread at a time. What
// goes wrong is logged: no import ends for its note.
class ImportNotes {
 public:
  ImportNotes(store::EvidenceStore& store, std::string actor,
              const assessment::v1::IngestEvidenceRequest::Begin& begin);

  // `items` more were recorded. Writes every now and then.
  void Add(int64_t items, absl::Time deadline);

  // The import has come to its end.
  void End(absl::Time deadline);

 private:
  void Write(absl::Time deadline);

  store::EvidenceStore& store_;
  store::ImportNote note_;
  absl::Time written_at_ = absl::InfinitePast();
};

// Those under way now.
absl::StatusOr<std::vector<store::ImportNote>> ImportsUnderWay(const store::EvidenceStore& store,
                                                               absl::Time deadline);

}  // namespace starratings::service
