// What can be written to the record: each accepted write is one revision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/digest/sha256.h"
#include "common/evidence/evidence.h"
#include "common/evidence/register.h"

namespace starratings::store {

// What a writer expects to find under a key.
struct Expectation {
  enum class Kind { kAnything, kNothing, kEtag };
  Kind kind = Kind::kAnything;
  std::string etag;  // Of kEtag.
};

struct EvidenceDraft {
  evidence::Item item;
  Expectation expected;
};

// Items, no key twice. If the write gives no reason, it is refused
// (INVALID_ARGUMENT, field `reason`) where an item is a correction
// (evidence::IsCorrection()).
struct EvidenceBatch {
  std::vector<EvidenceDraft> items;
  // The revision whose register the items were checked against. If one of their
  // codes was registered anew since, the write is ABORTED, reason
  // REGISTER_CHANGED: check again. (What is registered stays registered: only a
  // code can come to refuse what it took.) Nothing: they need not be checked.
  std::optional<int64_t> register_seen = std::nullopt;
};

// Entries of the register. `seen` is the revision of the entry that the writer
// looked at when it decided (0: there was none); if it changed meanwhile, the
// write is ABORTED, reason REGISTER_CHANGED.
struct Registration {
  struct CodeDraft {
    evidence::Code code;
    int64_t seen = 0;
  };
  std::vector<evidence::Organisation> organisations;
  std::vector<evidence::Period> periods;
  std::vector<CodeDraft> codes;
};

// The text of a scheme. Refused with ALREADY_EXISTS, reason SCHEME_EXISTS, if
// (id, version) is there with another digest, and with reason
// SCHEME_REGISTERED if the very same is there.
struct SchemeDraft {
  std::string id;
  std::string version;
  std::string digest;  // Hexadecimal.
  std::string text;
};

// A second person stands behind a scheme. That the scheme is there, and who may
// approve it, is for the caller to check. Refused with ALREADY_EXISTS, reason
// SCHEME_APPROVED, if it is approved already.
struct SchemeApproval {
  std::string digest;  // Hexadecimal.
};

// A new version of a round. The store does not know what `content` says.
struct RoundDraft {
  std::string id;
  std::string content;
  // The revision of the version it replaces; 0: there must be none
  // (ALREADY_EXISTS, reason ROUND_EXISTS). Another: ABORTED, ETAG_MISMATCH.
  int64_t expected_revision = 0;
};

// An act on a round, with everything that belongs to it. Refused with
// FAILED_PRECONDITION, reason ROUND_CHOSEN, if an earlier act has chosen the
// organisations of the round and this one chooses again.
struct RoundAct {
  RoundDraft round;
  std::vector<RoundDraft> others;          // Rounds that change with it: one at most.
  std::vector<std::string> organisations;  // That a freeze has chosen.
  std::vector<EvidenceDraft> states;       // List states that a publication sets.
};

// What a revision is about; the log calls them `evidence`, `registration`,
// `scheme` (also of an approval) and `round`.
enum class WriteKind { kEvidence, kRegistration, kScheme, kRound };

// One write.
struct Write {
  std::string actor;
  std::string on_behalf_of;  // Empty unless a service writes for a caller.
  std::string request_id;    // Unique for (actor, request_id), for ever.
  // SHA-256 of the canonical request, without its request id: tells a retry
  // from another request under the same id.
  digest::Digest payload{};
  std::string reason;
  // Decide as ever, and write nothing: what would be accepted is answered with
  // revision 0. A request that was written before is replayed.
  bool validate_only = false;
  std::variant<EvidenceBatch, Registration, SchemeDraft, SchemeApproval, RoundAct> body;
};

// What a write has become.
struct Written {
  int64_t revision = 0;            // 0: it was only to be validated.
  bool replayed = false;           // The answer is that of an earlier write.
  std::vector<std::string> etags;  // Of an evidence batch, in its order.
};

}  // namespace starratings::store
