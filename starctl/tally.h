// Adds ratings up, as rating-svc does; and the parts of a round.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/digest/bucket.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::starctl {

// Counts and digests ratings one by one; holds none of them.
class Tally {
 public:
  // Call in the order (bucket, id). Returns DATA_LOSS (ROUND_NOT_WHOLE) if they
  // come in another, or without a digest.
  absl::Status Add(const rating::v1::Rating& rating);

  int64_t count() const { return digester_.count(); }

  // Count, tallies and moves; buckets; and, over all that was added, the round
  // digest. Call once, last.
  rating::v1::Summary Finish();

 private:
  digest::RoundDigester digester_{digest::RoundDigester::Buckets::kKeep};
  std::pair<int, std::string> last_{-1, ""};
  // The results' and decisions' ids, in the order of the ratings.
  std::vector<std::string> results_;
  std::vector<std::string> decisions_;
  // (result, level, reason) and (decision, move).
  std::map<std::tuple<size_t, std::string, std::string>, int64_t> outcomes_;
  std::map<std::pair<size_t, int>, int64_t> moves_;
};

// One part of a round, and where it was read: to say what is wrong with it.
struct Part {
  std::string name;
  rating::v1::Summary summary;
};

// What parts come to that are the shards of a round, all of them, in any order.
// Returns BAD_FILE, naming a part, if they are not.
absl::StatusOr<rating::v1::Summary> AddUp(const std::vector<Part>& parts);

}  // namespace starratings::starctl
