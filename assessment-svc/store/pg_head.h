// The head of the record, asked of the primary and of nobody else.
//
// A host answers only if a transaction of this connection's has been durable
// there, and on its standby, within the last second: one that was deposed
// cannot do that any more. Calls that come together share a round trip.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

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

  struct Answer {
    int64_t revision = 0;
    absl::Time as_of;  // When it was asked.
  };

  // `on_connect` is called after each connection but the first.
  PgHead(PgTarget target, std::function<void()> on_connect)
      : target_(std::move(target)), on_connect_(std::move(on_connect)) {}

  // The head, asked after this call began. UNAVAILABLE if it is lower than
  // `least`: another host has gone on.
  absl::StatusOr<Answer> Get(int64_t least, absl::Time deadline);

 private:
  absl::StatusOr<Answer> Ask(bool elsewhere);

  const PgTarget target_;
  const std::function<void()> on_connect_;

  // Not absl's: ThreadSanitizer cannot see into Debian's build of it.
  std::mutex mutex_;  // Guards the next six.
  std::condition_variable changed_;
  int64_t begun_ = 0;  // Round trips.
  int64_t ended_ = 0;
  bool asking_ = false;
  bool distrusted_ = false;  // The host lacks something: ask another.
  absl::StatusOr<Answer> last_;

  // Of whoever asks.
  std::unique_ptr<PgConnection> connection_;
  absl::Time vouched_at_ = absl::InfinitePast();
  bool connected_once_ = false;
};

}  // namespace starratings::store
