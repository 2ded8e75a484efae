// Takes the ratings of one round, part by part. Knows no stream.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "assessment-svc/service/attempts.h"
#include "assessment-svc/service/calls.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/round_record.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::service {

inline constexpr int kChunkRatingsMost = 1'000;

// The name that an attempt's ratings are kept under. Unlike the request id it
// belongs to one caller only.
std::string AttemptName(absl::string_view actor, absl::string_view request_id);

class RatingsReceiver {
 public:
  using Request = assessment::v1::RecordRatingsRequest;

  // `parts` must outlive this.
  RatingsReceiver(const Parts& parts, std::string actor)
      : parts_(parts), actor_(std::move(actor)) {}

  // Takes a part that is not the last, durably.
  absl::Status Take(const Request& request, absl::Time deadline);

  // Takes the last part: what it makes of the round.
  absl::StatusOr<Plan> Finish(const Request& request, absl::Time deadline);

  const std::string& round() const { return begin_.round(); }

 private:
  absl::Status Begin(const Request::Begin& begin, absl::Time deadline);
  absl::Status Stage(const Request::Chunk& chunk, absl::Time deadline);
  absl::Status CheckChunk(const Request::Chunk& chunk);
  absl::Status CheckStaged(const Request::Commit& commit, absl::Time deadline) const;

  const Parts& parts_;
  const std::string actor_;
  Request::Begin begin_;
  std::string attempt_;
  Attempts::Claim claim_;  // Null before the first part.
  RoundRecord record_;
  // Not OK: this attempt was committed before; it may get its first answer,
  // and what it sends is not kept.
  absl::Status refusal_;
  int64_t last_chunk_ = -1;
  store::OrganisationCursor last_;
};

}  // namespace starratings::service
