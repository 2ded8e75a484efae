// RateRound that goes on by itself after a break.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "starctl/retries.h"
#include "starctl/session.h"
#include "starctl/tally.h"

namespace starratings::starctl {

// Why a stream cannot go on: the round is open, and its evidence has changed
// since the stream began. Begin anew.
inline constexpr char kEvidenceMoved[] = "EVIDENCE_MOVED";
absl::Status EvidenceMoved();

class RatedStream {
 public:
  // `session` must outlive this, as its stubs do. The request may have a shard,
  // and no cursor.
  RatedStream(const Session& session, const Rating& rating, rating::v1::RateRoundRequest request,
              absl::Duration retry_for);
  ~RatedStream();

  // The next rating; none at the end. Returns DATA_LOSS (ROUND_NOT_WHOLE) if
  // what came is not what the service says of it, ABORTED (EVIDENCE_MOVED).
  absl::StatusOr<std::optional<rating::v1::Rating>> Next();

  // What it came to, over all breaks. After the end.
  const rating::v1::Summary& summary() const { return summary_; }

  // How far it is, in organisations; 0 while nobody knows. Of a shard, `total` is
  // an estimate: the round's share of it.
  int64_t done() const { return tally_.count(); }
  int64_t total() const { return total_; }

 private:
  struct Stream;

  absl::Status ReadMessage();
  absl::Status Take();
  absl::Status End(const rating::v1::Summary& last);

  const Session& session_;
  const Rating& rating_;
  rating::v1::RateRoundRequest request_;
  Retries retries_;
  std::unique_ptr<Stream> stream_;  // Null: none is open.
  rating::v1::RateRoundResponse message_;
  int place_ = 0;
  evidence::v1::Snapshot snapshot_;  // What is rated; empty before the first message.
  Tally tally_;
  int64_t total_ = 0;
  rating::v1::Summary summary_;
  bool ended_ = false;
};

}  // namespace starratings::starctl
