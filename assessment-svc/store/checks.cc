#include "assessment-svc/store/checks.h"

#include <sys/random.h>

#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"

namespace starratings::store {
namespace {

// What stands for "nothing" where an etag is expected.
constexpr char kNone[] = "*none*";

const char* DraftsField(const Write& write) {
  return std::holds_alternative<RoundAct>(write.body) ? "states" : "items";
}

// Notes the second of two entries with the same key.
template <typename Entry, typename KeyOf>
void CheckNoKeyTwice(const std::vector<Entry>& entries, const char* field, const KeyOf& key_of,
                     status::FieldErrors& errors) {
  using Key = std::decay_t<decltype(key_of(entries.front()))>;
  std::map<Key, size_t> first;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto [seen, is_new] = first.try_emplace(key_of(entries[i]), i);
    if (is_new) continue;
    errors.Add(absl::StrCat(field, "[", i, "]"),
               absl::StrCat("must not repeat the key of ", field, "[", seen->second, "]"));
  }
}

bool InRange(const evidence::Value& value) {
  if (const auto* ratio = std::get_if<evidence::Ratio>(&value)) {
    return ratio->numerator >= 0 && ratio->numerator <= evidence::Ratio::kMost &&
           ratio->denominator >= 1 && ratio->denominator <= evidence::Ratio::kMost;
  }
  if (const auto* missing = std::get_if<evidence::MissingReason>(&value)) {
    return *evidence::ToString(*missing) != '\0';
  }
  return true;
}

void CheckRegistration(const Registration& registration, status::FieldErrors& errors) {
  const auto id_of = [](const auto& entry) { return absl::string_view(entry.id); };
  CheckNoKeyTwice(registration.organisations, "organisations", id_of, errors);
  CheckNoKeyTwice(registration.periods, "periods", id_of, errors);
  CheckNoKeyTwice(
      registration.codes, "codes",
      [](const Registration::CodeDraft& draft) { return absl::string_view(draft.code.id); },
      errors);
  // Pages start after (bucket, ""), which must not be an organisation.
  for (size_t i = 0; i < registration.organisations.size(); ++i) {
    if (registration.organisations[i].id.empty()) {
      errors.Add(absl::StrCat("organisations[", i, "].id"), "must not be empty");
    }
  }
  for (size_t i = 0; i < registration.codes.size(); ++i) {
    const evidence::Code& code = registration.codes[i].code;
    if (*evidence::ToString(code.kind) == '\0' || *evidence::ToString(code.value_type) == '\0') {
      errors.Add(absl::StrCat("codes[", i, "]"), "must have a known kind and value type");
    }
  }
}

void CheckRoundAct(const RoundAct& act, status::FieldErrors& errors) {
  std::vector<absl::string_view> rounds = {act.round.id};
  for (const RoundDraft& other : act.others) rounds.push_back(other.id);
  const auto same = [](absl::string_view id) { return id; };
  CheckNoKeyTwice(rounds, "rounds", same, errors);
  if (rounds.size() > kRoundsOfActMost) errors.Add("rounds", "must be two at most");
  CheckNoKeyTwice(
      act.organisations, "organisations",
      [](const std::string& id) { return absl::string_view(id); }, errors);
}

}  // namespace

Nonce MakeNonce() {
  Nonce nonce;
  // Cannot fail for so few bytes once the system has started.
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) std::abort();
  return nonce;
}

std::string MakeUuid() {
  Nonce bytes = MakeNonce();
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);  // Version 4,
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant 1.
  const std::string uuid = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const absl::string_view hex = uuid;
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

WriteKind KindOf(const Write& write) {
  struct Kinds {
    WriteKind operator()(const EvidenceBatch&) const { return WriteKind::kEvidence; }
    WriteKind operator()(const Registration&) const { return WriteKind::kRegistration; }
    WriteKind operator()(const SchemeDraft&) const { return WriteKind::kScheme; }
    WriteKind operator()(const SchemeApproval&) const { return WriteKind::kScheme; }
    WriteKind operator()(const RoundAct&) const { return WriteKind::kRound; }
  };
  return std::visit(Kinds(), write.body);
}

const char* NameOf(WriteKind kind) {
  switch (kind) {
    case WriteKind::kEvidence:
      return "evidence";
    case WriteKind::kRegistration:
      return "registration";
    case WriteKind::kScheme:
      return "scheme";
    case WriteKind::kRound:
      return "round";
  }
  return "";
}

std::optional<WriteKind> KindOfName(absl::string_view name) {
  for (const WriteKind kind :
       {WriteKind::kEvidence, WriteKind::kRegistration, WriteKind::kScheme, WriteKind::kRound}) {
    if (name == NameOf(kind)) return kind;
  }
  return std::nullopt;
}

const std::vector<EvidenceDraft>& DraftsOf(const Write& write) {
  static const auto* const none = new std::vector<EvidenceDraft>();
  if (const auto* batch = std::get_if<EvidenceBatch>(&write.body)) return batch->items;
  if (const auto* act = std::get_if<RoundAct>(&write.body)) return act->states;
  return *none;
}

absl::Status CheckWellFormed(const Write& write) {
  status::FieldErrors errors;
  if (write.actor.empty()) errors.Add("actor", "must not be empty");
  if (write.request_id.empty()) errors.Add("request_id", "must not be empty");
  const std::vector<EvidenceDraft>& drafts = DraftsOf(write);
  CheckNoKeyTwice(
      drafts, DraftsField(write),
      [](const EvidenceDraft& draft) {
        const evidence::ItemKey& key = draft.item.key;
        return std::tie(key.organisation, key.period, key.code, key.instance);
      },
      errors);
  for (size_t i = 0; i < drafts.size(); ++i) {
    const std::string field = absl::StrCat(DraftsField(write), "[", i, "]");
    if (drafts[i].item.source == nullptr) errors.Add(absl::StrCat(field, ".source"), "must be set");
    if (!InRange(drafts[i].item.value))
      errors.Add(absl::StrCat(field, ".value"), "must be in range");
  }
  if (const auto* registration = std::get_if<Registration>(&write.body)) {
    CheckRegistration(*registration, errors);
  }
  if (const auto* scheme = std::get_if<SchemeDraft>(&write.body)) {
    errors.AddIfError("digest", digest::FromHex(scheme->digest).status());
  }
  if (const auto* approval = std::get_if<SchemeApproval>(&write.body)) {
    errors.AddIfError("digest", digest::FromHex(approval->digest).status());
  }
  if (const auto* act = std::get_if<RoundAct>(&write.body)) CheckRoundAct(*act, errors);
  return errors.ToStatus();
}

absl::Status CheckExpectation(const Write& write, size_t index,
                              const std::optional<std::string>& etag) {
  const EvidenceDraft& draft = DraftsOf(write)[index];
  const Expectation& expected = draft.expected;
  if (expected.kind == Expectation::Kind::kAnything) return absl::OkStatus();
  if (expected.kind == Expectation::Kind::kNothing && !etag) return absl::OkStatus();
  if (expected.kind == Expectation::Kind::kEtag && etag == expected.etag) return absl::OkStatus();
  const evidence::ItemKey& key = draft.item.key;
  return status::Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                       etag ? absl::StrCat("the item has changed: its etag is ", *etag)
                            : "there is no such item yet",
                       {{"field", absl::StrCat(DraftsField(write), "[", index, "].etag")},
                        {"etag", etag.value_or(kNone)},
                        {"organisation", key.organisation},
                        {"period", key.period},
                        {"code", key.code},
                        {"instance", key.instance}});
}

absl::Status CheckCorrection(const Write& write, size_t index, const evidence::Value& current) {
  if (!write.reason.empty() || !std::holds_alternative<EvidenceBatch>(write.body) ||
      !evidence::IsCorrection(current, DraftsOf(write)[index].item.value)) {
    return absl::OkStatus();
  }
  status::FieldErrors errors;
  errors.Add("reason", absl::StrCat("must be given: ", DraftsField(write), "[", index,
                                    "] corrects what was recorded, ", evidence::ToString(current)));
  return errors.ToStatus();
}

std::vector<std::string> CodesToCheck(const Write& write, int64_t registered) {
  const auto* batch = std::get_if<EvidenceBatch>(&write.body);
  if (batch == nullptr || batch->register_seen.value_or(registered) >= registered) return {};
  std::set<std::string> codes;
  for (const EvidenceDraft& draft : batch->items) codes.insert(draft.item.key.code);
  return {codes.begin(), codes.end()};
}

absl::Status CheckCodeSeen(const Write& write, absl::string_view code, int64_t current) {
  const auto* batch = std::get_if<EvidenceBatch>(&write.body);
  if (batch == nullptr || batch->register_seen.value_or(current) >= current) {
    return absl::OkStatus();
  }
  return status::Error(absl::StatusCode::kAborted, "REGISTER_CHANGED",
                       "a code was registered anew meanwhile: look again, decide again",
                       {{"code", std::string(code)}, {"revision", absl::StrCat(current)}});
}

absl::Status CheckRoundDraft(const RoundDraft& draft, int64_t current) {
  if (draft.expected_revision == current) return absl::OkStatus();
  if (draft.expected_revision == 0) {
    return status::Error(absl::StatusCode::kAlreadyExists, "ROUND_EXISTS",
                         "there is a round with this id", {{"round", draft.id}});
  }
  return status::Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                       current == 0 ? "there is no such round" : "the round has changed",
                       {{"field", "etag"},
                        {"etag", current == 0 ? kNone : absl::StrCat(current)},
                        {"round", draft.id}});
}

absl::Status CheckCodeDraft(const Registration::CodeDraft& draft, int64_t current) {
  if (draft.seen == current) return absl::OkStatus();
  return status::Error(absl::StatusCode::kAborted, "REGISTER_CHANGED",
                       "the entry was changed meanwhile: look again, decide again",
                       {{"code", draft.code.id}, {"revision", absl::StrCat(current)}});
}

absl::Status SchemeExists(const SchemeDraft& draft, absl::string_view digest_there) {
  const bool same = draft.digest == digest_there;
  return status::Error(
      absl::StatusCode::kAlreadyExists, same ? "SCHEME_REGISTERED" : "SCHEME_EXISTS",
      same ? "this scheme is registered already"
           : "another text is registered under this id and version: give it a version of its own",
      {{"scheme", absl::StrCat(draft.id, "@", draft.version)},
       {"digest", std::string(digest_there)}});
}

absl::Status SchemeApproved(absl::string_view digest) {
  return status::Error(absl::StatusCode::kAlreadyExists, "SCHEME_APPROVED",
                       "this scheme is approved already", {{"digest", std::string(digest)}});
}

absl::Status RequestIdReused() {
  return status::Error(absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED",
                       "the request id was used for something else");
}

absl::Status OrganisationsChosen(absl::string_view round) {
  return status::Error(absl::StatusCode::kFailedPrecondition, "ROUND_CHOSEN",
                       "the organisations of this round have been chosen",
                       {{"round", std::string(round)}});
}

absl::Status RatingRepeated(absl::string_view organisation) {
  return status::Error(absl::StatusCode::kInvalidArgument, "RATING_REPEATED",
                       "an attempt rates an organisation once",
                       {{"organisation", std::string(organisation)}});
}

absl::Status CheckDeadline(absl::Time deadline) {
  if (absl::Now() < deadline) return absl::OkStatus();
  return status::Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE",
                       "the deadline passed before the record answered");
}

absl::Status OutcomeUnknown() {
  return status::Error(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
                       "the database was lost while it committed: send the same request again");
}

digest::Digest RequestHash(const Nonce& nonce, const digest::Digest& payload) {
  digest::Sha256Hasher hasher;
  hasher.Add(absl::string_view(reinterpret_cast<const char*>(nonce.data()), nonce.size()));
  hasher.Add(payload);
  return hasher.Finish();
}

digest::Digest LeafHash(const Commit& commit, absl::string_view request_id,
                        const digest::Digest& request_hash) {
  digest::Sha256Hasher hasher;
  hasher.AddNumber(0, 1);  // A leaf, not a node, as in RFC 6962.
  hasher.AddNumber(static_cast<uint64_t>(commit.revision), 8);
  hasher.AddNumber(static_cast<uint64_t>(commit.time_us), 8);
  for (const absl::string_view text :
       {absl::string_view(commit.actor), absl::string_view(commit.on_behalf_of), request_id,
        absl::string_view(commit.reason)}) {
    hasher.AddNumber(text.size(), 4);
    hasher.Add(text);
  }
  hasher.Add(request_hash);
  return hasher.Finish();
}

}  // namespace starratings::store
