// The head of the record, asked of the primary and of nobody else.
//
// A host answers only if a transaction of this connection's has been durable
// there, and on its standby, within the last second: one that was deposed
// cannot do that any more. Calls that come together share a round trip.
//
// Whoever is first asks, if there is time for an answer; else, and where a
// connection has to be made, a thread asks, and the caller waits as long as it
// may. So a caller in a hurry does not cost the others the connection.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/pg_connection.h"

namespace starratings::store {

// Thread-safe.
class PgHead {
 public:
  // How long a durable transaction vouches for its host.
  static constexpr absl::Duration kVouches = absl::Seconds(1);
  // How long a host may take to answer.
  static constexpr absl::Duration kAnswerMost = absl::Seconds(2);
  // How long all hosts together may take until one is connected.
  static constexpr absl::Duration kConnectMost = absl::Seconds(30);

  struct Answer {
    int64_t revision = 0;
    absl::Duration as_of;  // When it was asked, by SteadyNow().
  };

  // `on_connect` is called after each connection but the first.
  PgHead(PgTarget target, std::function<void()> on_connect)
      : target_(std::move(target)), on_connect_(std::move(on_connect)) {}

  ~PgHead();

  // The head, asked after this call began. UNAVAILABLE if it is lower than
  // `least`: another host has gone on; or if the database does not answer.
  // DEADLINE_EXCEEDED if there is no answer by `deadline`.
  absl::StatusOr<Answer> Get(int64_t least, absl::Time deadline);

 private:
  // Asks, and tells all who wait.
  void AskAndTell(int64_t number, bool elsewhere);
  absl::StatusOr<Answer> Ask(bool elsewhere);

  const PgTarget target_;
  const std::function<void()> on_connect_;

  // Not absl's: ThreadSanitizer cannot see into Debian's build of it.
  std::mutex mutex_;  // Guards the next seven.
  std::condition_variable changed_;
  int64_t begun_ = 0;  // Round trips.
  int64_t ended_ = 0;
  bool asking_ = false;
  bool distrusted_ = false;  // The host lacks something: ask another.
  absl::StatusOr<Answer> last_;
  std::thread asker_;  // Of the last round trip that no caller made itself.

  // Of whoever asks.
  std::unique_ptr<PgConnection> connection_;
  absl::Duration vouched_at_ = -absl::InfiniteDuration();  // By SteadyNow().
  bool connected_once_ = false;
};

}  // namespace starratings::store
