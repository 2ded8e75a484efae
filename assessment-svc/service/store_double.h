// A store in front of another, for tests: counts what it is asked, and lets a
// test hold up or refuse any call.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "assessment-svc/store/store.h"
#include "common/status/status_macros.h"

namespace starratings::service {

// Closed until it is opened, which it must be before the end of the test.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::condition_variable changed_;
};

// Thread-safe.
class StoreDouble final : public store::EvidenceStore {
 public:
  // Called before each call, with its name; what it returns, if not OK, is the
  // answer.
  using Hook = std::function<absl::Status(absl::string_view call, absl::Time deadline)>;

  // What it learns of the head it learned `age` ago.
  StoreDouble(std::unique_ptr<store::EvidenceStore> behind, absl::Duration age)
      : behind_(std::move(behind)), age_(age) {}

  void SetHook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
  }

  // How often `call` was asked.
  int Asked(absl::string_view call) const {
    const std::lock_guard lock(mutex_);
    const auto asked = asked_.find(std::string(call));
    return asked == asked_.end() ? 0 : asked->second;
  }

  // The store itself: what is written there, another process has written.
  store::EvidenceStore& behind() { return *behind_; }

  store::Identity GetIdentity() const override { return behind_->GetIdentity(); }

  absl::StatusOr<int64_t> Head(absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("Head", deadline));
    ASSIGN_OR_RETURN(const int64_t head, behind_->Head(deadline));
    Saw(head, absl::Now() - age_);
    return head;
  }

  absl::StatusOr<std::vector<absl::StatusOr<store::Written>>> CommitGroup(
      std::span<const store::Write> group, absl::Time deadline) override {
    RETURN_IF_ERROR(Ask("CommitGroup", deadline));
    auto written = behind_->CommitGroup(group, deadline);
    if (written.ok()) Saw(behind_->GetKnownHead().revision, absl::Now() - age_);
    return written;
  }

  absl::StatusOr<std::vector<store::LoggedRevision>> ReadLog(const store::LogCursor& after,
                                                             int64_t upto, int items_most,
                                                             absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadLog", deadline));
    return behind_->ReadLog(after, upto, items_most, deadline);
  }
  absl::StatusOr<int64_t> FindRevision(int64_t time_us, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("FindRevision", deadline));
    return behind_->FindRevision(time_us, deadline);
  }
  absl::Status NoteImport(const store::ImportNote& note, absl::Time deadline) override {
    RETURN_IF_ERROR(Ask("NoteImport", deadline));
    return behind_->NoteImport(note, deadline);
  }
  absl::Status ForgetImport(absl::string_view id, absl::Time deadline) override {
    RETURN_IF_ERROR(Ask("ForgetImport", deadline));
    return behind_->ForgetImport(id, deadline);
  }
  absl::StatusOr<std::vector<store::ImportNote>> ListImports(int64_t since_us,
                                                             absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ListImports", deadline));
    return behind_->ListImports(since_us, deadline);
  }
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadItem(
      const evidence::ItemKey& key, int64_t revision, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadItem", deadline));
    return behind_->ReadItem(key, revision, deadline);
  }
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadHistory(
      const evidence::ItemKey& key, int64_t before, int limit, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadHistory", deadline));
    return behind_->ReadHistory(key, before, limit, deadline);
  }
  absl::StatusOr<std::vector<evidence::RecordedItem>> ListItems(
      const store::ItemFilter& filter, const store::ItemCursor& after, int limit, int64_t revision,
      absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ListItems", deadline));
    return behind_->ListItems(filter, after, limit, revision, deadline);
  }
  absl::StatusOr<std::vector<evidence::Dossier>> ReadDossiers(
      const store::OrganisationFilter& filter, absl::string_view period,
      const std::vector<std::string>& codes, const store::OrganisationCursor& after, int limit,
      int64_t revision, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadDossiers", deadline));
    return behind_->ReadDossiers(filter, period, codes, after, limit, revision, deadline);
  }
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadLastSupplied(
      absl::string_view organisation, absl::string_view code, int64_t revision,
      absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadLastSupplied", deadline));
    return behind_->ReadLastSupplied(organisation, code, revision, deadline);
  }
  absl::StatusOr<std::vector<evidence::Organisation>> ListOrganisations(
      const store::OrganisationFilter& filter, const store::OrganisationCursor& after, int limit,
      int64_t revision, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ListOrganisations", deadline));
    return behind_->ListOrganisations(filter, after, limit, revision, deadline);
  }
  absl::StatusOr<int64_t> CountOrganisations(const store::OrganisationFilter& filter,
                                             int64_t revision, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("CountOrganisations", deadline));
    return behind_->CountOrganisations(filter, revision, deadline);
  }
  absl::StatusOr<std::vector<std::string>> FindOrganisations(const std::vector<std::string>& ids,
                                                             int64_t revision,
                                                             absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("FindOrganisations", deadline));
    return behind_->FindOrganisations(ids, revision, deadline);
  }
  absl::StatusOr<std::vector<evidence::Period>> ReadPeriods(int64_t revision,
                                                            absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadPeriods", deadline));
    return behind_->ReadPeriods(revision, deadline);
  }
  absl::StatusOr<std::vector<store::RegisteredCode>> ReadCodes(int64_t revision,
                                                               absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadCodes", deadline));
    return behind_->ReadCodes(revision, deadline);
  }
  absl::StatusOr<std::optional<store::SchemeRow>> ReadScheme(absl::string_view name,
                                                             absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadScheme", deadline));
    return behind_->ReadScheme(name, deadline);
  }
  absl::StatusOr<std::vector<store::RoundVersion>> ReadRound(absl::string_view id, int64_t revision,
                                                             absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadRound", deadline));
    return behind_->ReadRound(id, revision, deadline);
  }
  absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t before, int limit,
                                                   absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ListRounds", deadline));
    return behind_->ListRounds(before, limit, deadline);
  }
  absl::Status StageRatings(absl::string_view round, absl::string_view attempt, int64_t chunk,
                            const std::vector<store::StagedRating>& ratings,
                            absl::Time deadline) override {
    RETURN_IF_ERROR(Ask("StageRatings", deadline));
    return behind_->StageRatings(round, attempt, chunk, ratings, deadline);
  }
  absl::StatusOr<std::vector<store::StagedRating>> ReadRatings(
      absl::string_view round, absl::string_view attempt, const store::OrganisationCursor& after,
      int limit, absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadRatings", deadline));
    return behind_->ReadRatings(round, attempt, after, limit, deadline);
  }
  absl::StatusOr<std::optional<store::StagedRating>> ReadRating(
      absl::string_view round, absl::string_view attempt, absl::string_view organisation,
      absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("ReadRating", deadline));
    return behind_->ReadRating(round, attempt, organisation, deadline);
  }
  absl::Status CheckReady(absl::Time deadline) const override {
    RETURN_IF_ERROR(Ask("CheckReady", deadline));
    return behind_->CheckReady(deadline);
  }

 private:
  absl::Status Ask(absl::string_view call, absl::Time deadline) const {
    Hook hook;
    {
      const std::lock_guard lock(mutex_);
      ++asked_[std::string(call)];
      hook = hook_;
    }
    return hook ? hook(call, deadline) : absl::OkStatus();
  }

  const std::unique_ptr<store::EvidenceStore> behind_;
  const absl::Duration age_;
  mutable std::mutex mutex_;  // Guards the rest.
  Hook hook_;
  mutable std::map<std::string, int> asked_;
};

}  // namespace starratings::service
