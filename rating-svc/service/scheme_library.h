// The schemes at hand: those in the folder that the server was started with,
// and those fetched from the record since. None that does not verify.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::service {

class EvidenceClient;

using SchemePtr = std::shared_ptr<const scheme::Scheme>;

// Returns OK if `ref` is a digest in hexadecimal or `id@version`; otherwise an
// error that says what is required.
absl::Status CheckSchemeRef(absl::string_view ref);

// A scheme's text as the record has it.
struct RecordedText {
  std::string text;
  std::string digest;
};

// Reads every `directory/*/scheme.textproto`, proves it, and runs the cases in
// the `cases.textproto` beside it. Returns FAILED_PRECONDITION, with a line
// `file:line: CODE message` for each thing that is wrong, unless all is well; a
// directory without schemes is fine. NOT_FOUND if there is no such directory.
absl::StatusOr<std::vector<SchemePtr>> LoadSchemes(const std::string& directory);

// Asks the record for a text by digest or `id@version`; NOT_FOUND if it has
// none.
using SchemeRecord =
    std::function<absl::StatusOr<RecordedText>(const std::string& ref, absl::Time deadline)>;

// The record behind `client`, which must outlive it.
SchemeRecord RecordOf(const EvidenceClient& client);

// Thread-safe. A scheme never changes: what was found once by its digest is the
// answer for ever, and is handed out as a share that outlives its place here.
class SchemeLibrary {
 public:
  // The most schemes of the record that are kept; the one unused longest goes.
  static constexpr size_t kKeptMost = 64;

  SchemeLibrary(std::vector<SchemePtr> loaded, SchemeRecord record);

  // Those of the folder, in the order of (id, version).
  const std::vector<SchemePtr>& loaded() const { return loaded_; }

  // The scheme that `ref` names, from the folder, or else from the record.
  //
  // Returns NOT_FOUND (SCHEME_NOT_FOUND); FAILED_PRECONDITION
  // (SCHEME_NOT_VERIFIED) if the record's text does not verify; DATA_LOSS
  // (SCHEME_DIGEST_MISMATCH) if it is another than was asked for; and what the
  // record's errors are.
  absl::StatusOr<SchemePtr> Find(const std::string& ref, absl::Time deadline);

  // The same if it can be had without asking the record or waiting; otherwise
  // null.
  SchemePtr AtHand(const std::string& ref);

  // The scheme that a round named `name` would be frozen with: the record's,
  // whatever the folder holds under that name; the folder's only while the
  // record has none. Errors as Find().
  absl::StatusOr<SchemePtr> FindForOpenRound(const std::string& name, absl::Time deadline);

  // A scheme bound to a cohort that never changes, under a name that says which; null
  // if it is not kept. The one kept first goes.
  static constexpr size_t kBoundMost = 16;
  SchemePtr FindBound(const std::string& cohort);
  void KeepBound(const std::string& cohort, SchemePtr bound);

 private:
  SchemePtr FindLoaded(const std::string& ref) const;
  absl::StatusOr<SchemePtr> Fetch(const std::string& ref, absl::Time deadline);
  absl::StatusOr<SchemePtr> Proven(const RecordedText& text);

  struct Kept {
    std::string digest;
    absl::StatusOr<SchemePtr> scheme;  // What does not verify never will.
  };
  // The answer for `digest`, which becomes the latest used; null if not kept.
  const absl::StatusOr<SchemePtr>* FindKept(const std::string& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(Kept kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::vector<SchemePtr> loaded_;
  const SchemeRecord record_;

  // Held while proving, so that a scheme that many ask for is proven once.
  absl::Mutex proving_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  std::list<Kept> kept_ ABSL_GUARDED_BY(mutex_);  // The latest used first.
  absl::flat_hash_map<std::string, std::list<Kept>::iterator> by_digest_ ABSL_GUARDED_BY(mutex_);
  std::list<std::pair<std::string, SchemePtr>> bound_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace starratings::service
