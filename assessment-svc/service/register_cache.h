// What batches are checked against, kept from one to the next. What is
// registered stays registered, so that a check that passed against an older
// register still holds, unless a code was registered anew: the commit refuses
// that (store::EvidenceBatch::register_seen).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/intake/check_batch.h"
#include "assessment-svc/store/store.h"

namespace starratings::service {

// Thread-safe.
class RegisterCache {
 public:
  // `store` must outlive the cache.
  explicit RegisterCache(const store::EvidenceStore& store) : store_(store) {}

  struct View {
    std::shared_ptr<const intake::Register> registered;
    absl::flat_hash_set<std::string> strangers;  // Those asked for that are not registered.
    int64_t revision = 0;                        // As of which all this is so.
    bool fresh = false;                          // It was read for this call.
  };

  // The register, and which of `organisations` it lacks; as of some earlier
  // call, or, if `fresh`, as of now.
  absl::StatusOr<View> Look(const absl::flat_hash_set<std::string>& organisations, bool fresh,
                            absl::Time deadline);

  // The same as of some earlier call, without asking the record; nothing if it
  // would have to be asked.
  std::optional<View> Peek(const absl::flat_hash_set<std::string>& organisations);

  // The next call reads again: a code was registered anew.
  void Forget();

 private:
  // Ids that are kept; then they are forgotten, all at once.
  static constexpr size_t kIdsMost = 2'000'000;

  absl::Status Refresh(absl::Time deadline);

  const store::EvidenceStore& store_;
  std::mutex mutex_;  // Guards the rest.
  std::shared_ptr<const intake::Register> registered_;
  int64_t revision_ = 0;
  absl::flat_hash_set<std::string> organisations_;  // Registered at revision_.
};

}  // namespace starratings::service
