// Imports under way: noted in the record, so that whoever freezes a round is
// told, whichever replica takes the import.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "common/serving/pool.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// An import that was not heard of for this long is not under way any more.
inline constexpr absl::Duration kImportSilentMost = absl::Seconds(30);

// Keeps the note of one import up to date. Used by one thread at a time, which
// it does not hold up: notes wait for their turn at the database on a thread of
// their own. What goes wrong is logged: no import ends for its note.
class ImportNotes {
 public:
  // `store` must outlive `pool`, and `pool` this. A pool of one thread keeps
  // the notes in their order.
  ImportNotes(store::EvidenceStore& store, serving::Pool& pool, std::string actor,
              const assessment::v1::IngestEvidenceRequest::Begin& begin);

  // The import has begun. Calls `then`, once, when that is noted or could not be.
  void Begin(std::function<void()> then);

  // `items` more were recorded. Writes every now and then.
  void Add(int64_t items);

  // The import has come to its end. `then` is as in Begin().
  void End(std::function<void()> then);

 private:
  void Write(std::function<void()> then);
  void Queue(std::function<absl::Status()> work, std::function<void()> then);

  store::EvidenceStore& store_;
  serving::Pool& pool_;
  store::ImportNote note_;
  absl::Time written_at_ = absl::InfinitePast();
};

// Those under way now.
absl::StatusOr<std::vector<store::ImportNote>> ImportsUnderWay(const store::EvidenceStore& store,
                                                               absl::Time deadline);

}  // namespace starratings::service
