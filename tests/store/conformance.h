// What the parts of the conformance suite share: a fresh store of each backend,
// and writes in one line.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "common/digest/sha256.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starratings::store {

inline constexpr absl::Time kForever = absl::InfiniteFuture();

// Of the same digest as it: an item of the door has the canonical form's.
inline evidence::Item ItemOf(const std::string& organisation, const std::string& code,
                             evidence::Value value, const std::string& period = "2001-02",
                             const std::string& instance = "") {
  static const auto* const source = new std::shared_ptr<const evidence::Source>(
      std::make_shared<const evidence::Source>(evidence::Source{"A return", "", "", false}));
  evidence::Item item;
  item.key = {organisation, period, code, instance};
  item.value = std::move(value);
  item.source = *source;
  item.digest = digest::Sha256(absl::StrCat(organisation, "|", evidence::ToString(item.value)));
  return item;
}

inline Expectation Nothing() { return {Expectation::Kind::kNothing, ""}; }
inline Expectation Etag(const std::string& etag) { return {Expectation::Kind::kEtag, etag}; }

inline evidence::Value Number(int64_t number) {
  return evidence::Decimal::FromMicros(number * evidence::Decimal::kMicros);
}

// A write whose payload is its request id, unless `payload` says otherwise.
template <typename Body>
Write WriteOf(const std::string& request_id, Body body, const std::string& payload = "") {
  Write write;
  write.actor = "spiffe://test/ann";
  write.request_id = request_id;
  write.payload = digest::Sha256(payload.empty() ? request_id : payload);
  write.reason = "because";
  write.body = std::move(body);
  return write;
}

inline Write Say(const std::string& request_id, std::vector<EvidenceDraft> drafts) {
  return WriteOf(request_id, EvidenceBatch{std::move(drafts)});
}

inline evidence::Organisation OrganisationOf(const std::string& id,
                                             const std::string& kind = "council",
                                             const std::string& region = "north") {
  return {id, "The " + id, kind, region, evidence::Date::FromDays(1), std::nullopt};
}

inline Write RegisterOrganisations(const std::string& request_id,
                                   std::vector<evidence::Organisation> organisations) {
  Registration registration;
  registration.organisations = std::move(organisations);
  return WriteOf(request_id, std::move(registration));
}

// ` by right of ... until ...`; empty unless the item is an override.
inline std::string OverrideText(const evidence::Item& item) {
  if (!item.overriding) return "";
  return absl::StrCat(" by right of ", item.overriding->authority, " until ",
                      item.overriding->expires_on.ToString());
}

// All of an item, for comparing; without its time, which is the clock's.
inline std::string Describe(const evidence::RecordedItem& item) {
  const evidence::ItemKey& key = item.item.key;
  return absl::StrCat(key.organisation, "/", key.period, "/", key.code, "/", key.instance, "=",
                      evidence::ToString(item.item.value), " on ",
                      item.item.observed_on ? item.item.observed_on->ToString() : "no day",
                      OverrideText(item.item), " from ", item.item.source->title,
                      item.item.source->reconstructed ? " (reconstructed)" : "", " etag ",
                      item.Etag(), " by ", item.actor, " as ", item.reason, " ",
                      digest::ToHex(item.item.digest).substr(0, 8));
}

inline std::vector<std::string> Describe(const std::vector<evidence::RecordedItem>& items) {
  std::vector<std::string> lines;
  for (const evidence::RecordedItem& item : items) lines.push_back(Describe(item));
  return lines;
}

inline std::string ReasonOf(const absl::Status& error) {
  return absl::StrCat(absl::StatusCodeToString(error.code()), " ", status::DetailOf(error).reason);
}

// `at 3`, `at 3 again` for a replay, or why not.
inline std::string Describe(const absl::StatusOr<Written>& written) {
  if (!written.ok()) return ReasonOf(written.status());
  return absl::StrCat("at ", written->revision, written->replayed ? " again" : "");
}

inline std::vector<std::string> Describe(const std::vector<absl::StatusOr<Written>>& answers) {
  std::vector<std::string> lines;
  for (const absl::StatusOr<Written>& written : answers) lines.push_back(Describe(written));
  return lines;
}

// The value of `result`, which must have one.
template <typename T>
T Must(absl::StatusOr<T> result) {
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : T();
}

// An empty record that a test may use, as long as `keeper` is held.
struct TestRecord {
  std::string uri;
  std::shared_ptr<void> keeper;
};

struct Backend {
  std::string name;
  // Makes a record; `folder` is its own. NOT_FOUND: its database is not
  // installed here.
  std::function<absl::StatusOr<TestRecord>(const std::filesystem::path& folder)> make;

  friend void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }
};

class ConformanceTest : public testing::TestWithParam<Backend> {
 protected:
  ConformanceTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = absl::StrCat(test->test_suite_name(), "_", test->name(), "_", getpid());
    for (char& c : name) c = c == '/' ? '_' : c;
    folder_ = std::filesystem::path(testing::TempDir()) / name;
  }
  ~ConformanceTest() override {
    Close();
    std::filesystem::remove_all(folder_);
  }

  void SetUp() override { StartAfresh(); }

  // Forgets the record and opens an empty one.
  void StartAfresh() {
    Close();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    absl::StatusOr<TestRecord> record = GetParam().make(folder_);
    if (absl::IsNotFound(record.status()) && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << record.status().message();
    }
    ASSERT_TRUE(record.ok()) << record.status();
    record_ = *std::move(record);
    absl::StatusOr<std::unique_ptr<EvidenceStore>> opened = OpenStore(record_.uri);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  // What a second process would have: another store on the same record. A
  // record in memory has only one.
  EvidenceStore& OtherStore() {
    if (GetParam().name == "Memory") return *store_;
    if (other_store_ == nullptr) other_store_ = OpenStore(record_.uri).value();
    return *other_store_;
  }

  void Close() {
    other_store_.reset();
    store_.reset();
    record_ = {};
  }

  absl::StatusOr<Written> Commit(const Write& write) {
    auto answers = store_->CommitGroup(std::span(&write, 1), kForever);
    if (!answers.ok()) return answers.status();
    return std::move(answers->front());
  }

  // The answers to a group; one for each write.
  std::vector<absl::StatusOr<Written>> CommitAll(const std::vector<Write>& group) {
    auto answers = store_->CommitGroup(group, kForever);
    EXPECT_TRUE(answers.ok()) << answers.status();
    return answers.ok() ? *std::move(answers) : std::vector<absl::StatusOr<Written>>();
  }

  // Commits, and must succeed; the revision.
  int64_t MustCommit(const Write& write) {
    const absl::StatusOr<Written> written = Commit(write);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.ok() ? written->revision : -1;
  }

  std::string RefusalOf(const Write& write) {
    const absl::StatusOr<Written> written = Commit(write);
    return written.ok() ? "accepted" : ReasonOf(written.status());
  }

  int64_t Head() { return store_->Head(kForever).value_or(-1); }

  // The value under a key at a revision; "nothing" if nobody said anything.
  std::string ValueAt(int64_t revision, const std::string& organisation, const std::string& code) {
    const auto item = store_->ReadItem({organisation, "2001-02", code, ""}, revision, kForever);
    EXPECT_TRUE(item.ok()) << item.status();
    if (!item.ok() || !item->has_value()) return "nothing";
    return evidence::ToString((*item)->item.value);
  }

  std::filesystem::path folder_;
  TestRecord record_;
  std::unique_ptr<EvidenceStore> store_;
  std::unique_ptr<EvidenceStore> other_store_;
};

}  // namespace starratings::store
