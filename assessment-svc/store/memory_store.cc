#include "assessment-svc/store/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/memory_log.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

using evidence::ItemKey;
using evidence::Organisation;
using evidence::RecordedItem;

bool ExistedOn(const Organisation& organisation, evidence::Date day) {
  return (!organisation.from || *organisation.from <= day) &&
         (!organisation.to || day < *organisation.to);
}

class MemoryStore : public EvidenceStore {
 public:
  Identity GetIdentity() const override { return identity_; }

  absl::StatusOr<int64_t> Head(absl::Time deadline) const override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    Saw(std::ssize(log_), absl::Now());
    return std::ssize(log_);
  }

  absl::StatusOr<std::vector<absl::StatusOr<Written>>> CommitGroup(std::span<const Write> group,
                                                                   absl::Time deadline) override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    std::vector<absl::StatusOr<Written>> answers;
    for (const Write& write : group) answers.push_back(CommitOne(write));
    Saw(std::ssize(log_), absl::Now());
    return answers;
  }

  absl::StatusOr<std::vector<LoggedRevision>> ReadLog(const LogCursor& after, int64_t upto,
                                                      int items_most,
                                                      absl::Time deadline) const override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    std::vector<LoggedRevision> log;
    int64_t room = items_most;
    for (const LogEntry& entry : log_) {
      const int64_t revision = entry.commit.revision;
      const bool is_begun = revision == after.revision && after.items != LogCursor::kWhole;
      if ((revision <= after.revision && !is_begun) || revision > upto || room <= 0) continue;
      LoggedRevision logged;
      logged.commit = entry.commit;
      logged.kind = KindOf(entry.write);
      logged.request_id = entry.write.request_id;
      logged.first = is_begun ? after.items : 0;
      const LogState state = FoldLocked(revision);
      const std::vector<EvidenceDraft>& drafts = DraftsOf(entry.write);
      for (auto i = static_cast<size_t>(logged.first); i < drafts.size(); ++i) {
        logged.more = std::ssize(logged.items) == room;
        if (logged.more) break;
        logged.items.push_back(*state.NewestOf(drafts[i].item.key));
      }
      if (!logged.more) logged.rounds = RoundsOf(entry.write);
      room -= std::max<int64_t>(1, std::ssize(logged.items));
      log.push_back(std::move(logged));
    }
    return log;
  }

  absl::StatusOr<int64_t> FindRevision(int64_t time_us, absl::Time deadline) const override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    int64_t found = 0;
    for (const LogEntry& entry : log_) {
      if (entry.commit.time_us <= time_us) found = entry.commit.revision;
    }
    return found;
  }

  absl::Status NoteImport(const ImportNote& note, absl::Time deadline) override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    imports_[note.id] = note;
    return absl::OkStatus();
  }

  absl::Status ForgetImport(absl::string_view id, absl::Time deadline) override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    imports_.erase(std::string(id));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ImportNote>> ListImports(int64_t since_us,
                                                      absl::Time deadline) const override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    std::vector<ImportNote> imports;
    for (const auto& [id, note] : imports_) {
      if (note.seen_us >= since_us) imports.push_back(note);
    }
    return imports;
  }

  absl::StatusOr<std::optional<RecordedItem>> ReadItem(const ItemKey& key, int64_t revision,
                                                       absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    const RecordedItem* newest = state.NewestOf(key);
    return newest == nullptr ? std::nullopt : std::optional(*newest);
  }

  absl::StatusOr<std::vector<RecordedItem>> ReadHistory(const ItemKey& key, int64_t before,
                                                        int limit,
                                                        absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(before - 1, deadline));
    std::vector<RecordedItem> history;
    const auto found = state.items.find(key);
    if (found == state.items.end()) return history;
    for (auto said = found->second.rbegin(); said != found->second.rend(); ++said) {
      if (std::ssize(history) < limit) history.push_back(*said);
    }
    return history;
  }

  absl::StatusOr<std::vector<RecordedItem>> ListItems(const ItemFilter& filter,
                                                      const ItemCursor& after, int limit,
                                                      int64_t revision,
                                                      absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    std::map<std::pair<int, ItemKey>, RecordedItem> ordered;
    for (const auto& [key, said] : state.items) {
      const std::pair place(digest::BucketOf(key.organisation), key);
      if (place <= std::pair(after.bucket, after.key)) continue;
      if (!Matches(filter.organisations, key.organisation)) continue;
      if (!filter.period.empty() && key.period != filter.period) continue;
      if (!Matches(filter.codes, key.code)) continue;
      ordered.emplace(place, said.back());
    }
    std::vector<RecordedItem> items;
    for (const auto& [place, item] : ordered) {
      if (std::ssize(items) < limit) items.push_back(item);
    }
    return items;
  }

  absl::StatusOr<std::vector<evidence::Dossier>> ReadDossiers(const OrganisationFilter& filter,
                                                              absl::string_view period,
                                                              const std::vector<std::string>& codes,
                                                              const OrganisationCursor& after,
                                                              int limit, int64_t revision,
                                                              absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    ASSIGN_OR_RETURN(const std::vector<Organisation> organisations,
                     ListOrganisations(filter, after, limit, revision, deadline));
    std::map<std::string, evidence::Dossier> dossiers;
    for (const Organisation& organisation : organisations) {
      dossiers[organisation.id] = {organisation, std::string(period), {}};
    }
    for (const auto& [key, said] : state.items) {
      const auto dossier = dossiers.find(key.organisation);
      if (dossier == dossiers.end() || !Matches(codes, key.code)) continue;
      if (key.period != period && key.period != evidence::kStanding) continue;
      dossier->second.items.push_back(said.back());
    }
    std::vector<evidence::Dossier> ordered;
    for (const Organisation& organisation : organisations) {
      evidence::Dossier& dossier = dossiers[organisation.id];
      dossier.SortItems();
      ordered.push_back(std::move(dossier));
    }
    return ordered;
  }

  absl::StatusOr<std::optional<RecordedItem>> ReadLastSupplied(absl::string_view organisation,
                                                               absl::string_view code,
                                                               int64_t revision,
                                                               absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    std::optional<RecordedItem> last;
    for (const auto& [key, said] : state.items) {
      if (key.organisation != organisation || key.code != code) continue;
      // Of one revision, the last in the order of (period, instance).
      if (!last || said.back().revision >= last->revision) last = said.back();
    }
    return last;
  }

  absl::StatusOr<std::vector<Organisation>> ListOrganisations(const OrganisationFilter& filter,
                                                              const OrganisationCursor& after,
                                                              int limit, int64_t revision,
                                                              absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    ASSIGN_OR_RETURN(const auto chosen, Chosen(filter, deadline));
    std::vector<Organisation> organisations;
    for (const auto& [place, organisation] : state.organisations) {
      if (place <= Place(after.bucket, after.organisation)) continue;
      if (place.first < filter.first_bucket || place.first >= filter.end_bucket) continue;
      if (!Matches(filter.kinds, organisation.kind)) continue;
      if (!Matches(filter.regions, organisation.region)) continue;
      if (!Matches(filter.organisations, organisation.id)) continue;
      if (filter.on_day && !ExistedOn(organisation, *filter.on_day)) continue;
      if (chosen && !chosen->contains(organisation.id)) continue;
      if (std::ssize(organisations) < limit) organisations.push_back(organisation);
    }
    return organisations;
  }

  absl::StatusOr<int64_t> CountOrganisations(const OrganisationFilter& filter, int64_t revision,
                                             absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const auto all, ListOrganisations(filter, {}, 1 << 30, revision, deadline));
    return std::ssize(all);
  }

  absl::StatusOr<std::vector<std::string>> FindOrganisations(const std::vector<std::string>& ids,
                                                             int64_t revision,
                                                             absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    std::set<std::string> found;
    for (const std::string& id : ids) {
      if (state.organisations.contains(PlaceOf(id))) found.insert(id);
    }
    return std::vector(found.begin(), found.end());
  }

  absl::StatusOr<std::vector<evidence::Period>> ReadPeriods(int64_t revision,
                                                            absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    std::vector<evidence::Period> periods;
    for (const auto& [id, period] : state.periods) periods.push_back(period);
    return periods;
  }

  absl::StatusOr<std::vector<RegisteredCode>> ReadCodes(int64_t revision,
                                                        absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    std::vector<RegisteredCode> codes;
    for (const auto& [id, code] : state.codes) codes.push_back(code);
    return codes;
  }

  absl::StatusOr<std::optional<SchemeRow>> ReadScheme(absl::string_view name,
                                                      absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(kNewest, deadline));
    for (const SchemeRow& row : state.schemes) {
      if (row.digest != name && absl::StrCat(row.id, "@", row.version) != name) continue;
      SchemeRow found = row;
      const auto approval = state.approvals.find(row.digest);
      if (approval != state.approvals.end()) found.approval = approval->second;
      return found;
    }
    return std::nullopt;
  }

  absl::StatusOr<std::vector<RoundVersion>> ReadRound(absl::string_view id, int64_t revision,
                                                      absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(revision, deadline));
    const auto found = state.rounds.find(std::string(id));
    return found == state.rounds.end() ? std::vector<RoundVersion>() : found->second;
  }

  absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t before, int limit,
                                                   absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const LogState state, Fold(kNewest, deadline));
    std::set<std::pair<int64_t, std::string>> newest_first;
    for (const auto& [id, versions] : state.rounds) {
      const int64_t created = versions.front().commit.revision;
      if (created < before) newest_first.emplace(-created, id);
    }
    std::vector<RoundRef> rounds;
    for (const auto& [negative, id] : newest_first) {
      if (std::ssize(rounds) < limit) rounds.push_back({id, -negative});
    }
    return rounds;
  }

  absl::Status StageRatings(absl::string_view round, absl::string_view attempt, int64_t chunk,
                            const std::vector<StagedRating>& ratings,
                            absl::Time deadline) override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    auto& chunks = staged_[{std::string(round), std::string(attempt)}];
    std::set<std::string> rated;
    for (const auto& [number, others] : chunks) {
      for (const StagedRating& other : others) {
        if (number != chunk) rated.insert(other.organisation);
      }
    }
    for (const StagedRating& rating : ratings) {
      if (!rated.insert(rating.organisation).second) return RatingRepeated(rating.organisation);
    }
    chunks[chunk] = ratings;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<StagedRating>> ReadRatings(absl::string_view round,
                                                        absl::string_view attempt,
                                                        const OrganisationCursor& after, int limit,
                                                        absl::Time deadline) const override {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    std::map<Place, StagedRating> ordered;
    const auto found = staged_.find({std::string(round), std::string(attempt)});
    if (found == staged_.end()) return std::vector<StagedRating>();
    for (const auto& [number, ratings] : found->second) {
      for (const StagedRating& rating : ratings) ordered[PlaceOf(rating.organisation)] = rating;
    }
    std::vector<StagedRating> page;
    for (const auto& [place, rating] : ordered) {
      if (place <= Place(after.bucket, after.organisation)) continue;
      if (std::ssize(page) < limit) page.push_back(rating);
    }
    return page;
  }

  absl::StatusOr<std::optional<StagedRating>> ReadRating(absl::string_view round,
                                                         absl::string_view attempt,
                                                         absl::string_view organisation,
                                                         absl::Time deadline) const override {
    ASSIGN_OR_RETURN(const auto all, ReadRatings(round, attempt, {}, 1 << 30, deadline));
    for (const StagedRating& rating : all) {
      if (rating.organisation == organisation) return rating;
    }
    return std::nullopt;
  }

  absl::Status CheckReady(absl::Time deadline) const override { return CheckDeadline(deadline); }

 private:
  static constexpr int64_t kNewest = INT64_MAX;

  LogState FoldLocked(int64_t revision) const {
    LogState state;
    for (const LogEntry& entry : log_) {
      if (entry.commit.revision <= revision) Apply(entry, state);
    }
    return state;
  }

  absl::StatusOr<LogState> Fold(int64_t revision, absl::Time deadline) const {
    RETURN_IF_ERROR(CheckDeadline(deadline));
    const std::lock_guard lock(mutex_);
    return FoldLocked(revision);
  }

  // Whom the filter's round has chosen, at whatever revision; unset if the
  // filter names no round.
  absl::StatusOr<std::optional<std::set<std::string>>> Chosen(const OrganisationFilter& filter,
                                                              absl::Time deadline) const {
    if (filter.chosen_by_round.empty()) return std::nullopt;
    ASSIGN_OR_RETURN(LogState state, Fold(kNewest, deadline));
    return std::move(state.chosen[filter.chosen_by_round]);
  }

  static Written Answer(const LogEntry& entry, const LogState& state) {
    Written written;
    written.revision = entry.commit.revision;
    const auto* batch = std::get_if<EvidenceBatch>(&entry.write.body);
    if (batch == nullptr) return written;
    for (const EvidenceDraft& draft : batch->items) {
      written.etags.push_back(state.NewestOf(draft.item.key)->Etag());
    }
    return written;
  }

  absl::StatusOr<Written> CommitOne(const Write& write) {
    RETURN_IF_ERROR(CheckWellFormed(write));
    for (const LogEntry& entry : log_) {
      if (std::tie(entry.write.actor, entry.write.request_id) !=
          std::tie(write.actor, write.request_id)) {
        continue;
      }
      if (RequestHash(entry.nonce, write.payload) !=
          RequestHash(entry.nonce, entry.write.payload)) {
        return RequestIdReused();
      }
      Written written = Answer(entry, FoldLocked(entry.commit.revision));
      written.replayed = true;
      return written;
    }
    RETURN_IF_ERROR(Decide(write, FoldLocked(kNewest)));
    if (write.validate_only) return Written();
    Commit commit;
    commit.revision = std::ssize(log_) + 1;
    commit.actor = write.actor;
    commit.on_behalf_of = write.on_behalf_of;
    commit.reason = write.reason;
    const int64_t previous_us = log_.empty() ? 0 : log_.back().commit.time_us;
    commit.time_us = std::max(absl::ToUnixMicros(absl::Now()), previous_us);
    log_.push_back({commit, MakeNonce(), write});
    return Answer(log_.back(), FoldLocked(kNewest));
  }

  const Identity identity_ = {MakeUuid(), 1};

  mutable std::mutex mutex_;
  std::vector<LogEntry> log_;                  // Guarded by mutex_.
  std::map<std::string, ImportNote> imports_;  // By id; guarded by mutex_.
  // Chunks by (round, attempt); guarded by mutex_.
  std::map<std::pair<std::string, std::string>, std::map<int64_t, std::vector<StagedRating>>>
      staged_;
};

}  // namespace

std::unique_ptr<EvidenceStore> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace starratings::store
