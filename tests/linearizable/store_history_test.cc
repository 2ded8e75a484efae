// What 8 clients see of the record, through the committer, is linearizable; and
// the checker notices if it is not.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/committer.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/upkeep/migrate.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/linearizable/checker.h"

namespace starratings::linearizable {
namespace {

constexpr int kClients = 8;
constexpr absl::Duration kLong = absl::Seconds(60);

int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

class StoreHistoryTest : public testing::Test {
 protected:
  StoreHistoryTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                absl::StrCat("linearizable_", getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const std::string uri = absl::StrCat("sqlite:", (folder_ / "record.db").string());
    EXPECT_TRUE(upkeep::Migrate(uri).ok());
    store_ = store::OpenStore(uri).value();
  }
  ~StoreHistoryTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  // What all clients saw in `took`. Every so often a read is one of `lag`
  // revisions ago.
  std::vector<Operation> Record(absl::Duration took, int lag);

  const std::filesystem::path folder_;
  std::unique_ptr<store::EvidenceStore> store_;
};

// One client of the record.
class Client {
 public:
  Client(int number, store::EvidenceStore& store, store::Committer& committer, int lag)
      : number_(number),
        store_(store),
        committer_(committer),
        lag_(lag),
        random_(static_cast<unsigned>(number)) {}

  void Run(absl::Time until) {
    while (absl::Now() < until) {
      key_ = absl::StrCat("organisation ", Below(3));
      if (Below(2) == 0) {
        Read();
      } else {
        Submit();
      }
    }
  }

  std::vector<Operation> TakeHistory() { return std::move(history_); }

 private:
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  Operation Begin(Operation::Kind kind) {
    Operation operation;
    operation.client = number_;
    operation.key = key_;
    operation.kind = kind;
    operation.call = Now();
    return operation;
  }

  void Finish(Operation operation) {
    if (operation.outcome != Operation::Outcome::kUnknown) operation.finish = Now();
    last_seen_ = operation.seen;
    history_.push_back(std::move(operation));
  }

  void Read() {
    Operation operation = Begin(Operation::Kind::kRead);
    const auto head = store_.Head(absl::Now() + kLong);
    ASSERT_TRUE(head.ok());
    const int64_t revision = Below(20) == 0 ? std::max<int64_t>(0, *head - lag_) : *head;
    const auto item = store_.ReadItem({key_, "2001-02", "a", ""}, revision, absl::Now() + kLong);
    ASSERT_TRUE(item.ok());
    if (item->has_value()) {
      operation.seen = {(*item)->ordinal, (*item)->revision};
      operation.value_seen = evidence::ToString((*item)->item.value);
    }
    Finish(std::move(operation));
  }

  void Submit() {
    Operation operation = Begin(Operation::Kind::kSubmit);
    operation.value = absl::StrCat("value ", history_.size(), " of ", number_);
    if (Below(3) != 0) operation.expected = Below(10) == 0 ? Etag() : last_seen_;
    // Some callers do not wait long: nobody tells them what came of it.
    const absl::Time deadline =
        absl::Now() + (Below(10) == 0 ? absl::Microseconds(Below(20'000)) : kLong);
    const auto written = committer_.SubmitAndWait(WriteOf(operation), deadline);
    if (written.ok()) {
      operation.seen = ParseEtag(written->etags.at(0)).value();
    } else if (absl::IsAborted(written.status())) {
      operation.outcome = Operation::Outcome::kMismatch;
      operation.seen = ParseEtag(status::DetailOf(written.status()).metadata["etag"]).value();
    } else {
      operation.outcome = Operation::Outcome::kUnknown;
    }
    Finish(std::move(operation));
  }

  store::Write WriteOf(const Operation& operation) const {
    static const auto* const source = new std::shared_ptr<const evidence::Source>(
        std::make_shared<const evidence::Source>(evidence::Source{"A return", "", "", false}));
    store::EvidenceDraft draft;
    draft.item.key = {operation.key, "2001-02", "a", ""};
    draft.item.value = evidence::Text{operation.value};
    draft.item.source = *source;
    if (operation.expected) {
      const bool is_nothing = *operation.expected == Etag();
      draft.expected = {
          is_nothing ? store::Expectation::Kind::kNothing : store::Expectation::Kind::kEtag,
          is_nothing ? "" : ToString(*operation.expected)};
    }
    store::Write write;
    write.actor = "spiffe://test/ann";
    write.request_id = operation.value;
    write.payload = digest::Sha256(operation.value);
    write.reason = "because";
    write.body = store::EvidenceBatch{{std::move(draft)}};
    return write;
  }

  const int number_;
  store::EvidenceStore& store_;
  store::Committer& committer_;
  const int lag_;
  std::mt19937 random_;
  std::string key_;
  Etag last_seen_;  // Of whichever key: often enough of the right one.
  std::vector<Operation> history_;
};

std::vector<Operation> StoreHistoryTest::Record(absl::Duration took, int lag) {
  store::Committer::Options options;
  options.group_most = 16;
  store::Committer committer(*store_, options, nullptr);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(i, *store_, committer, lag));
  }
  std::vector<std::thread> threads;
  const absl::Time until = absl::Now() + took;
  for (const auto& client : clients) threads.emplace_back([&] { client->Run(until); });
  for (std::thread& thread : threads) thread.join();
  std::vector<Operation> history;
  for (const auto& client : clients) {
    for (Operation& operation : client->TakeHistory()) history.push_back(std::move(operation));
  }
  return history;
}

TEST_F(StoreHistoryTest, TheRecordIsLinearizable) {
  const std::vector<Operation> history = Record(absl::Milliseconds(1'500), /*lag=*/0);

  const Verdict verdict = Check(history);

  EXPECT_EQ(verdict.kind, Verdict::Kind::kLinearizable) << verdict.key << verdict.explanation;
  std::map<std::pair<Operation::Kind, Operation::Outcome>, int> counts;
  for (const Operation& operation : history) ++counts[{operation.kind, operation.outcome}];
  EXPECT_EQ(counts.size(), 4u) << "each outcome should occur";
  for (const auto& [what, count] : counts) {
    RecordProperty(
        absl::StrCat("of_", static_cast<int>(what.first), "_", static_cast<int>(what.second)),
        count);
  }
}

TEST_F(StoreHistoryTest, ARecordThatAnswersLateIsNot) {
  const Verdict verdict = Check(Record(absl::Milliseconds(1'000), /*lag=*/20));

  EXPECT_EQ(verdict.kind, Verdict::Kind::kNotLinearizable);
  EXPECT_THAT(verdict.explanation, testing::HasSubstr("read"));
}

}  // namespace
}  // namespace starratings::linearizable
