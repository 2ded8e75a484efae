// Dossiers at hand: what was read from the record, for as long as nothing has
// changed about the organisation. Knows no gRPC and no clock: somebody who
// watches the record tells it what changes, and how far the watch is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/evidence/evidence.h"

namespace starratings::dossiers {

using DossierPtr = std::shared_ptr<const evidence::Dossier>;
// What was made of a dossier; of a type that those who keep and find it know.
using AnswerPtr = std::shared_ptr<const void>;

// A moment of a record.
struct Moment {
  std::string record;  // Which record, and since which restore: compared, not read.
  int64_t revision = 0;
  std::string token;  // The same, opaque.
};

struct CacheLimits {
  size_t bytes_most = 64 << 20;
  // How old an answer may be: what was acknowledged longer ago is in it.
  absl::Duration age_most = absl::Seconds(5);
  // How many organisations that have changed are remembered, for reads that were
  // under way meanwhile.
  size_t touched_most = 65'536;
};

// Room for one dossier, as far as it matters.
size_t BytesOf(const evidence::Dossier& dossier);

// Thread-safe. A dossier never changes: it is handed out as a share that
// outlives its place here.
//
// Answers at revision R only if it knows every change up to R: from Begin() on,
// as long as Touched() and Reached() tell all of them in their order. Where that
// is in doubt, it does not answer, and the record must be asked.
class DossierCache {
 public:
  explicit DossierCache(const CacheLimits& limits) : limits_(limits) {}

  struct Found {
    DossierPtr dossier;
    Moment at;         // The dossier is that of this moment.
    AnswerPtr answer;  // To the question; null if none is kept.
  };
  // Answers kept with one dossier; of more, the first goes.
  static constexpr size_t kAnswersMost = 4;

  // Why there is no answer.
  enum class Outcome {
    kHit,
    kMiss,    // The dossier is not here.
    kBehind,  // No watch, one that is too old, or one behind what is asked for.
  };

  // The dossier at a moment that is not older than `age_most`, and not before
  // `at_least`, if that is given; which must be of the same record. With it comes
  // what was kept as the answer to `question`.
  Outcome Find(absl::string_view organisation, absl::string_view period,
               const std::optional<Moment>& at_least, absl::Time now, absl::string_view question,
               Found& found);

  // What was read from the record, all of it at `at`. Is not kept if it may have
  // changed since. If `at` is of another record than the watch's, what was kept is
  // forgotten.
  void Keep(DossierPtr dossier, const Moment& at);
  // What was made of `dossier`, which Find() gave, takes `bytes`. It goes with the
  // dossier, and is not kept if that has gone.
  void KeepAnswer(const DossierPtr& dossier, std::string question, AnswerPtr answer, size_t bytes);

  // Where the watch is; none while there is none.
  std::optional<Moment> reached() const;

  // Of the one who watches.

  // A watch has begun: it will tell everything after `at`. What was kept is
  // forgotten.
  void Begin(const Moment& at);
  // Something about the organisation was recorded at `revision`.
  void Touched(absl::string_view organisation, int64_t revision);
  // Everything up to `at` was told. `register_changed`: the newest revision so
  // far that may have changed all organisations; 0: none.
  void Reached(const Moment& at, int64_t register_changed);
  // At `asked`, the newest revision of the record was `revision`.
  void Confirm(const std::string& record, int64_t revision, absl::Time asked);
  // The watch has ended, and what it did not tell is not known.
  void Lose();

  struct Size {
    size_t bytes = 0;
    size_t organisations = 0;
    int64_t revision = 0;  // Where the watch is; 0: there is none.
    // When it was last known to be the newest; infinite past: never, or no watch.
    absl::Time confirmed = absl::InfinitePast();
  };
  Size size() const;

 private:
  struct Answer {
    std::string question;
    AnswerPtr answer;
    size_t bytes = 0;
  };
  struct Kept {
    std::string period;
    DossierPtr dossier;
    Moment at;
    std::vector<Answer> answers = {};

    size_t bytes() const;
  };
  struct Organisation {
    std::string id;
    std::vector<Kept> periods;
    size_t bytes = 0;
  };
  using Place = std::list<Organisation>::iterator;

  // All under mutex_.
  void Forget();
  void Drop(Place place);
  void DropBeyondLimit();
  void DropBefore(int64_t revision);
  void Settle();

  const CacheLimits limits_;

  // Not absl's: ThreadSanitizer cannot see into Debian's build of it.
  mutable std::mutex mutex_;
  std::optional<Moment> reached_;  // None: no watch.
  // Reads at or after this know of every change since through touched_.
  int64_t known_since_ = 0;
  absl::flat_hash_map<std::string, int64_t> touched_;
  int64_t all_touched_ = 0;
  absl::Time confirmed_ = absl::InfinitePast();
  // What Confirm() was told and the watch has not reached.
  std::vector<std::pair<int64_t, absl::Time>> unsettled_;

  std::list<Organisation> kept_;  // The latest used first.
  absl::flat_hash_map<std::string, Place> by_id_;
  size_t bytes_ = 0;
};

}  // namespace starratings::dossiers
