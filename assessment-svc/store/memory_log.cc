#include "assessment-svc/store/memory_log.h"

#include <optional>
#include <tuple>

#include "common/digest/bucket.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

using evidence::RecordedItem;

int64_t RevisionOfRound(const LogState& state, const std::string& id) {
  const auto found = state.rounds.find(id);
  return found == state.rounds.end() ? 0 : found->second.back().commit.revision;
}

}  // namespace

Place PlaceOf(const std::string& organisation) {
  return {digest::BucketOf(organisation), organisation};
}

const RecordedItem* LogState::NewestOf(const evidence::ItemKey& key) const {
  const auto found = items.find(key);
  return found == items.end() ? nullptr : &found->second.back();
}

void Apply(const LogEntry& entry, LogState& state) {
  const Commit& commit = entry.commit;
  for (const EvidenceDraft& draft : DraftsOf(entry.write)) {
    std::vector<RecordedItem>& said = state.items[draft.item.key];
    const auto ordinal = static_cast<int64_t>(said.size()) + 1;
    said.push_back(
        {draft.item, commit.revision, ordinal, commit.actor, commit.time_us, commit.reason});
  }
  if (const auto* registration = std::get_if<Registration>(&entry.write.body)) {
    for (const evidence::Organisation& organisation : registration->organisations) {
      state.organisations[PlaceOf(organisation.id)] = organisation;
    }
    for (const evidence::Period& period : registration->periods) state.periods[period.id] = period;
    for (const Registration::CodeDraft& draft : registration->codes) {
      state.codes[draft.code.id] = {draft.code, commit.revision};
    }
    state.registered = commit.revision;
  }
  if (const auto* scheme = std::get_if<SchemeDraft>(&entry.write.body)) {
    state.schemes.push_back({scheme->id, scheme->version, scheme->digest, scheme->text, commit});
  }
  if (const auto* approval = std::get_if<SchemeApproval>(&entry.write.body)) {
    state.approvals.emplace(approval->digest, commit);
  }
  if (const auto* act = std::get_if<RoundAct>(&entry.write.body)) {
    state.rounds[act->round.id].push_back({act->round.content, commit});
    for (const RoundDraft& other : act->others) {
      state.rounds[other.id].push_back({other.content, commit});
    }
    state.chosen[act->round.id].insert(act->organisations.begin(), act->organisations.end());
  }
}

std::vector<std::string> RoundsOf(const Write& write) {
  std::vector<std::string> rounds;
  if (const auto* act = std::get_if<RoundAct>(&write.body)) {
    rounds.push_back(act->round.id);
    for (const RoundDraft& other : act->others) rounds.push_back(other.id);
    std::sort(rounds.begin(), rounds.end());
  }
  return rounds;
}

absl::Status Decide(const Write& write, const LogState& state) {
  for (const std::string& code : CodesToCheck(write, state.registered)) {
    const auto found = state.codes.find(code);
    RETURN_IF_ERROR(
        CheckCodeSeen(write, code, found == state.codes.end() ? 0 : found->second.revision));
  }
  const std::vector<EvidenceDraft>& drafts = DraftsOf(write);
  for (size_t i = 0; i < drafts.size(); ++i) {
    const RecordedItem* current = state.NewestOf(drafts[i].item.key);
    RETURN_IF_ERROR(CheckExpectation(
        write, i, current == nullptr ? std::nullopt : std::optional(current->Etag())));
    if (current != nullptr) RETURN_IF_ERROR(CheckCorrection(write, i, current->item.value));
  }
  if (const auto* registration = std::get_if<Registration>(&write.body)) {
    for (const Registration::CodeDraft& draft : registration->codes) {
      const auto found = state.codes.find(draft.code.id);
      RETURN_IF_ERROR(
          CheckCodeDraft(draft, found == state.codes.end() ? 0 : found->second.revision));
    }
  }
  if (const auto* scheme = std::get_if<SchemeDraft>(&write.body)) {
    for (const SchemeRow& row : state.schemes) {
      if (std::tie(row.id, row.version) == std::tie(scheme->id, scheme->version)) {
        return SchemeExists(*scheme, row.digest);
      }
    }
  }
  if (const auto* approval = std::get_if<SchemeApproval>(&write.body);
      approval != nullptr && state.approvals.contains(approval->digest)) {
    return SchemeApproved(approval->digest);
  }
  if (const auto* act = std::get_if<RoundAct>(&write.body)) {
    RETURN_IF_ERROR(CheckRoundDraft(act->round, RevisionOfRound(state, act->round.id)));
    for (const RoundDraft& other : act->others) {
      RETURN_IF_ERROR(CheckRoundDraft(other, RevisionOfRound(state, other.id)));
    }
    const auto chosen = state.chosen.find(act->round.id);
    if (!act->organisations.empty() && chosen != state.chosen.end() && !chosen->second.empty()) {
      return OrganisationsChosen(act->round.id);
    }
  }
  return absl::OkStatus();
}

}  // namespace starratings::store
