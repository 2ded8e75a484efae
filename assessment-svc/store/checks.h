// What every store decides in the same way: whether a write is well-formed,
// whether an expectation holds, and the hashes of a commit. Pure, but for
// MakeNonce() and MakeUuid().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/store/writes.h"
#include "common/digest/sha256.h"

namespace starratings::store {

using Nonce = std::array<uint8_t, 16>;

// From the system's random numbers.
Nonce MakeNonce();
std::string MakeUuid();

// The round that is acted on, and one that changes with it.
inline constexpr int64_t kRoundsOfActMost = 2;

WriteKind KindOf(const Write& write);

// What the log calls a kind, and back; nothing: the log never called one so.
const char* NameOf(WriteKind kind);
std::optional<WriteKind> KindOfName(absl::string_view name);

// The items a write says; empty if it is not about evidence.
const std::vector<EvidenceDraft>& DraftsOf(const Write& write);

// OK, or INVALID_ARGUMENT, reason INVALID_FIELDS, listing what no store can
// hold: a missing actor or request id, a key that occurs twice, a value outside
// its type, a digest of the wrong length. A guard: the door has said it better.
absl::Status CheckWellFormed(const Write& write);

// OK if draft `index` of `write` may follow what stands under its key: `etag`,
// or nothing. Otherwise ABORTED, reason ETAG_MISMATCH.
absl::Status CheckExpectation(const Write& write, size_t index,
                              const std::optional<std::string>& etag);

// OK unless draft `index` of `write` corrects `current` and the write gives no
// reason: INVALID_ARGUMENT, reason INVALID_FIELDS, field `reason`.
absl::Status CheckCorrection(const Write& write, size_t index, const evidence::Value& current);

// The codes of the items of `write`, each once, whose registration has to be
// looked at before it is accepted: none, unless something was registered after
// the register it was checked against. `registered` is the last revision that
// registered something.
std::vector<std::string> CodesToCheck(const Write& write, int64_t registered);

// OK if `code`, last registered at revision `current`, was so when `write` was
// checked. Otherwise ABORTED, reason REGISTER_CHANGED.
absl::Status CheckCodeSeen(const Write& write, absl::string_view code, int64_t current);

// OK if `draft` may follow version `current` of its round (0: there is none).
// Otherwise ALREADY_EXISTS (ROUND_EXISTS) or ABORTED (ETAG_MISMATCH).
absl::Status CheckRoundDraft(const RoundDraft& draft, int64_t current);

// OK if `draft` may follow revision `current` of its entry (0: there is none).
absl::Status CheckCodeDraft(const Registration::CodeDraft& draft, int64_t current);

// Refusals that stores give after looking.
absl::Status SchemeExists(const SchemeDraft& draft, absl::string_view digest_there);
absl::Status SchemeApproved(absl::string_view digest);
absl::Status RequestIdReused();
absl::Status OrganisationsChosen(absl::string_view round);
absl::Status RatingRepeated(absl::string_view organisation);

// DEADLINE_EXCEEDED if `deadline` has passed.
absl::Status CheckDeadline(absl::Time deadline);

// UNAVAILABLE, OUTCOME_UNKNOWN: nobody can say whether the group was written.
absl::Status OutcomeUnknown();

// Tells a retry from another request; keyed, so that erasing the nonce makes
// the content unguessable.
digest::Digest RequestHash(const Nonce& nonce, const digest::Digest& payload);

// The leaf of a commit in the log's tree (docs/store.md).
digest::Digest LeafHash(const Commit& commit, absl::string_view request_id,
                        const digest::Digest& request_hash);

}  // namespace starratings::store
