// What the tests of the PostgreSQL client share: a record, a wire to it that
// they control, and SQL beside it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/store.h"
#include "tests/store/conformance.h"
#include "tests/store/postgres_cluster.h"
#include "tests/store/postgres_proxy.h"

namespace starratings::store {

class PgClientTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto cluster = PostgresCluster::Shared();
    if (absl::IsNotFound(cluster.status()) && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << cluster.status().message();
    }
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *cluster;
    auto database = cluster_->NewDatabase();
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    proxy_ = PostgresProxy::Start(database_->uri()).value();
  }

  static std::unique_ptr<EvidenceStore> Open(const std::string& uri) {
    auto store = OpenStore(uri);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  std::unique_ptr<PostgresSession> Session() {
    return PostgresSession::Open(database_->uri()).value();
  }

  static absl::Time In(int64_t milliseconds) {
    return absl::Now() + absl::Milliseconds(milliseconds);
  }

  static absl::StatusOr<Written> Commit(EvidenceStore& store, const Write& write,
                                        absl::Time deadline) {
    auto answers = store.CommitGroup(std::span(&write, 1), deadline);
    if (!answers.ok()) return answers.status();
    return std::move(answers->front());
  }

  static Write SayOne(const std::string& request_id, int64_t number, Expectation expected = {}) {
    return Say(request_id, {{ItemOf("hull", "a", Number(number)), std::move(expected)}});
  }

  // A write of so many items.
  static Write SayMany(const std::string& request_id, int items) {
    std::vector<EvidenceDraft> drafts;
    for (int i = 0; i < items; ++i) {
      drafts.push_back({ItemOf(absl::StrCat("organisation ", i), "a", Number(i)), {}});
    }
    return Say(request_id, std::move(drafts));
  }

  const PostgresCluster* cluster_ = nullptr;
  std::unique_ptr<PostgresDatabase> database_;
  std::unique_ptr<PostgresProxy> proxy_;
};

}  // namespace starratings::store
