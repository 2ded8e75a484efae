#include "assessment-svc/service/snapshots.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "common/wire/token.h"

namespace starratings::service {
namespace {

absl::Status Refused(absl::StatusCode code, absl::string_view reason, absl::string_view field,
                     absl::string_view rule) {
  status::ErrorDetail detail;
  detail.reason = std::string(reason);
  detail.fields = {{std::string(field), std::string(rule)}};
  return status::ErrorWithDetail(code, absl::StrCat(field, ": ", rule), detail);
}

// What may be read without asking the record. Where somebody watches or writes
// it is much younger.
bool IsYoung(const store::KnownHead& known) { return absl::Now() - known.as_of <= kAgeMost; }

}  // namespace

evidence::v1::Snapshot SnapshotAt(const store::EvidenceStore& store, int64_t revision) {
  const store::Identity identity = store.GetIdentity();
  evidence::v1::Snapshot snapshot;
  snapshot.set_revision(revision);
  snapshot.set_token(wire::EncodeToken({identity.store, identity.incarnation, revision}));
  return snapshot;
}

absl::StatusOr<int64_t> RevisionOfToken(const store::EvidenceStore& store, absl::string_view token,
                                        absl::string_view field, absl::Time deadline) {
  const absl::StatusOr<wire::Token> decoded = wire::DecodeToken(token);
  if (!decoded.ok()) {
    return Refused(absl::StatusCode::kInvalidArgument, "TOKEN_MALFORMED", field,
                   decoded.status().message());
  }
  const store::Identity identity = store.GetIdentity();
  if (decoded->store != identity.store) {
    return Refused(absl::StatusCode::kInvalidArgument, "TOKEN_FOREIGN", field,
                   "must be a token of this store, and is one of another");
  }
  if (decoded->incarnation != identity.incarnation) {
    return Refused(absl::StatusCode::kFailedPrecondition, "STORE_RESTORED", field,
                   "must be a token of this store as it is since it was restored from a backup; "
                   "read again");
  }
  if (decoded->revision <= store.GetKnownHead().revision) return decoded->revision;
  ASSIGN_OR_RETURN(const int64_t head, store.Head(deadline));
  if (decoded->revision > head) {
    return Refused(absl::StatusCode::kFailedPrecondition, "TOKEN_FUTURE", field,
                   "must be a token of a revision that this store has, and is a later one");
  }
  return decoded->revision;
}

absl::StatusOr<int64_t> RevisionFor(const store::EvidenceStore& store,
                                    const evidence::v1::Freshness& freshness,
                                    absl::string_view field, absl::Time deadline) {
  using Mode = evidence::v1::Freshness::ModeCase;
  switch (freshness.mode_case()) {
    case Mode::kExactly:
      return RevisionOfToken(store, freshness.exactly(), absl::StrCat(field, ".exactly"), deadline);
    case Mode::kAtLeast: {
      ASSIGN_OR_RETURN(
          const int64_t least,
          RevisionOfToken(store, freshness.at_least(), absl::StrCat(field, ".at_least"), deadline));
      const store::KnownHead known = store.GetKnownHead();
      if (known.revision >= least && IsYoung(known)) return known.revision;
      break;
    }
    case Mode::kMinimizeLatency: {
      const store::KnownHead known = store.GetKnownHead();
      if (IsYoung(known)) return known.revision;
      break;
    }
    case Mode::kLatest:
    case Mode::MODE_NOT_SET:
      break;
  }
  return store.Head(deadline);
}

assessment::v1::WriteRecord ToProto(const store::Commit& commit) {
  assessment::v1::WriteRecord message;
  message.set_revision(commit.revision);
  message.set_actor(commit.actor);
  message.set_on_behalf_of(commit.on_behalf_of);
  message.set_reason(commit.reason);
  message.mutable_time()->set_seconds(commit.time_us / 1'000'000);
  message.mutable_time()->set_nanos(static_cast<int32_t>(commit.time_us % 1'000'000 * 1'000));
  return message;
}

}  // namespace starratings::service
