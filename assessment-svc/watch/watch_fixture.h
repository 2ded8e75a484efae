// What the tests of the watch share: a store whose log can be broken, writes in
// one line, and a watcher that writes down what it hears.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/watch/tail.h"
#include "common/digest/sha256.h"
#include "gtest/gtest.h"
#include "tests/store/watch_promises.h"

namespace starratings::watch {

inline constexpr absl::Time kForever = absl::InfiniteFuture();

// Another store, as far as a tail reads it; tests change what it answers.
class LogDouble : public store::EvidenceStore {
 public:
  using Log = absl::StatusOr<std::vector<store::LoggedRevision>>;

  explicit LogDouble(const store::EvidenceStore& real) : real_(real) {}

  // Set before the tail starts; called on its thread and the watchers'.
  std::function<absl::StatusOr<int64_t>(absl::StatusOr<int64_t>)> on_head;
  std::function<Log(Log)> on_log;

  store::Identity GetIdentity() const override { return real_.GetIdentity(); }
  absl::StatusOr<int64_t> Head(absl::Time deadline) const override {
    absl::StatusOr<int64_t> head = real_.Head(deadline);
    return on_head ? on_head(std::move(head)) : head;
  }
  Log ReadLog(const store::LogCursor& after, int64_t upto, int items_most,
              absl::Time deadline) const override {
    Log log = real_.ReadLog(after, upto, items_most, deadline);
    return on_log ? on_log(std::move(log)) : log;
  }

  // Nobody who follows the log calls these.
  absl::StatusOr<std::vector<absl::StatusOr<store::Written>>> CommitGroup(
      std::span<const store::Write>, absl::Time) override {
    return No();
  }
  absl::StatusOr<int64_t> FindRevision(int64_t, absl::Time) const override { return No(); }
  absl::Status NoteImport(const store::ImportNote&, absl::Time) override { return No(); }
  absl::Status ForgetImport(absl::string_view, absl::Time) override { return No(); }
  absl::StatusOr<std::vector<store::ImportNote>> ListImports(int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadItem(const evidence::ItemKey&, int64_t,
                                                                 absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<evidence::RecordedItem>> ReadHistory(const evidence::ItemKey&, int64_t,
                                                                  int, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<evidence::RecordedItem>> ListItems(const store::ItemFilter&,
                                                                const store::ItemCursor&, int,
                                                                int64_t,
                                                                absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<evidence::Dossier>> ReadDossiers(const store::OrganisationFilter&,
                                                              absl::string_view,
                                                              const std::vector<std::string>&,
                                                              const store::OrganisationCursor&, int,
                                                              int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::optional<evidence::RecordedItem>> ReadLastSupplied(
      absl::string_view, absl::string_view, int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<evidence::Organisation>> ListOrganisations(
      const store::OrganisationFilter&, const store::OrganisationCursor&, int, int64_t,
      absl::Time) const override {
    return No();
  }
  absl::StatusOr<int64_t> CountOrganisations(const store::OrganisationFilter&, int64_t,
                                             absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<std::string>> FindOrganisations(const std::vector<std::string>&,
                                                             int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<evidence::Period>> ReadPeriods(int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<store::RegisteredCode>> ReadCodes(int64_t, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::optional<store::SchemeRow>> ReadScheme(absl::string_view,
                                                             absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<store::RoundVersion>> ReadRound(absl::string_view, int64_t,
                                                             absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::vector<RoundRef>> ListRounds(int64_t, int, absl::Time) const override {
    return No();
  }
  absl::Status StageRatings(absl::string_view, absl::string_view, int64_t,
                            const std::vector<store::StagedRating>&, absl::Time) override {
    return No();
  }
  absl::StatusOr<std::vector<store::StagedRating>> ReadRatings(absl::string_view, absl::string_view,
                                                               const store::OrganisationCursor&,
                                                               int, absl::Time) const override {
    return No();
  }
  absl::StatusOr<std::optional<store::StagedRating>> ReadRating(absl::string_view,
                                                                absl::string_view,
                                                                absl::string_view,
                                                                absl::Time) const override {
    return No();
  }
  absl::Status CheckReady(absl::Time) const override { return No(); }

 private:
  static absl::Status No() { return absl::UnimplementedError("not a part of the log"); }

  const store::EvidenceStore& real_;
};

inline store::EvidenceDraft Draft(const std::string& organisation, int64_t number,
                                  const std::string& code = "a", const std::string& period = "p",
                                  const std::string& instance = "") {
  store::EvidenceDraft draft;
  draft.item.key = {organisation, period, code, instance};
  draft.item.value = evidence::Decimal::FromMicros(number);
  draft.item.source =
      std::make_shared<const evidence::Source>(evidence::Source{"A return", "", "", false});
  draft.item.digest = digest::Sha256(absl::StrCat(organisation, number));
  return draft;
}

template <typename Body>
store::Write WriteOf(const std::string& request_id, Body body) {
  store::Write write;
  write.actor = "ann";
  write.request_id = request_id;
  write.payload = digest::Sha256(request_id);
  write.reason = "because";
  write.body = std::move(body);
  return write;
}

inline store::Write Say(const std::string& id, std::vector<store::EvidenceDraft> drafts) {
  return WriteOf(id, store::EvidenceBatch{std::move(drafts)});
}

inline store::Write RegisterOrganisation(const std::string& id) {
  store::Registration registration;
  registration.organisations = {{id, id, "council", "", std::nullopt, std::nullopt}};
  return WriteOf("register " + id, std::move(registration));
}

// Watches on a thread of its own, and writes down what it hears.
class Listener final : public Watcher {
 public:
  // Hears everything after `after` up to `until` that `filter` lets pass.
  Listener(Tail& tail, const Filter& filter, int64_t after, int64_t until = Cursor::kNever,
           bool deaf = false)
      : tail_(tail), deaf_(deaf) {
    recording_.after = after;
    recording_.passes = [filter](const evidence::RecordedItem& item) {
      store::LoggedRevision alone;
      alone.items = {item};
      return filter.Passes(Part(std::move(alone)), 0);
    };
    entered_ = tail.Enter(*this);
    end_ = entered_;
    ended_ = !entered_.ok();
    if (ended_) return;
    tail.Begin(*this, Cursor(filter, after, until));
    thread_ = std::thread([this] { Watch(); });
  }

  ~Listener() override {
    if (tail_.Gone(*this)) GiveTurn();
    if (thread_.joinable()) thread_.join();
    if (entered_.ok()) tail_.Leave(*this);
  }

  // Waits until the end, or until `revision` was told of; what was heard.
  store::WatchRecording HearUpTo(int64_t revision) {
    std::unique_lock lock(mutex_);
    const bool heard = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return ended_ || (!recording_.messages.empty() && recording_.Told() >= revision);
    });
    EXPECT_TRUE(heard) << "heard only up to " << recording_.Told();
    return recording_;
  }

  // Waits for the end; why it ended.
  absl::Status HearTheEnd() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ended_; }));
    return ended_ ? end_ : absl::InternalError("it goes on");
  }

  store::WatchRecording Heard() {
    const std::lock_guard lock(mutex_);
    return recording_;
  }

  // While it is deaf, the message on its way is not taken.
  void SetDeaf(bool deaf) {
    {
      const std::lock_guard lock(mutex_);
      deaf_ = deaf;
    }
    changed_.notify_all();
  }

  std::atomic<int> too_slow = 0;
  std::atomic<int> stuck = 0;
  std::atomic<int> turns = 0;

 private:
  void OnTurn() override {
    ++turns;
    GiveTurn();
  }
  void OnTooSlow() override { ++too_slow; }
  void OnStuck() override { ++stuck; }

  // Whoever has the turn may end, and this with it: notified under the lock, and
  // nothing is touched after it.
  void GiveTurn() {
    const std::lock_guard lock(mutex_);
    has_turn_ = true;
    changed_.notify_all();
  }

  void Watch() {
    while (true) {
      Message message;
      const auto turn = tail_.Next(*this, kForever, message);
      if (!turn.ok() || *turn == Tail::Turn::kEnd) {
        tail_.End(*this);
        return Finish(turn.status());
      }
      if (*turn == Tail::Turn::kAgain) continue;
      if (*turn == Tail::Turn::kSend) tail_.Sending(*this);
      std::unique_lock lock(mutex_);
      if (*turn == Tail::Turn::kWait) {
        changed_.wait(lock, [this] { return has_turn_; });
        has_turn_ = false;
        continue;
      }
      recording_.messages.push_back(Written(message));
      changed_.notify_all();
      changed_.wait(lock, [this] { return !deaf_; });
      lock.unlock();
      if (!tail_.Sent(*this)) return Finish(absl::AbortedError("cut off"));
    }
  }

  void Finish(absl::Status end) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      end_ = std::move(end);
    }
    changed_.notify_all();
  }

  static store::WatchMessage Written(const Message& message) {
    store::WatchMessage written;
    for (const Delivery& delivery : message.deliveries) {
      for (const size_t i : delivery.items) written.items.push_back(delivery.part->items()[i]);
    }
    written.revision = message.Revision();
    written.more = !written.revision;
    written.register_changed = message.RegisterChanged();
    return written;
  }

  Tail& tail_;
  absl::Status entered_;
  std::mutex mutex_;
  std::condition_variable changed_;
  store::WatchRecording recording_;
  bool has_turn_ = false;
  bool deaf_;
  bool ended_ = false;
  absl::Status end_;
  std::thread thread_;
};

}  // namespace starratings::watch
