// Rates the dossiers of a round, block by block, and adds up what it comes to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/digest/bucket.h"
#include "common/evidence/date.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/published_ratings.h"
#include "rating-svc/service/rating_metrics.h"
#include "rating-svc/service/scheme_library.h"
#include "starratings/assessment/v1/evidence_service.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::service {

// By what a dossier is rated.
struct Method {
  SchemePtr scheme;
  evidence::Date date;
};

// DATA_LOSS (EXPORT_BROKEN): what of the export is not whole.
absl::Status ExportBroken(absl::string_view what);

// Returns FAILED_PRECONDITION (NO_SCHEME_IN_FORCE) unless the scheme is in
// force at the date.
absl::Status CheckInForce(const Method& method);

// Everything about a round that is settled before its first dossier is read.
struct RoundPlan {
  std::string round;
  Method method;
  std::string period;
  // Of a round that was frozen.
  struct Frozen {
    int64_t revision = 0;
    int64_t organisation_count = 0;
  };
  std::optional<Frozen> frozen;
  // Null unless the scheme reads published ratings.
  std::shared_ptr<PublishedRatings> published;
  // The token of the revision that the dossiers must be of, because something was
  // derived there; empty: none.
  std::string pinned;
};

// Asks for the dossiers of the plan's round.
assessment::v1::ExportDossiersRequest ExportOf(const RoundPlan& plan);

// Asks the record for the round and its scheme: by digest once it was frozen,
// by name while it is open.
absl::StatusOr<RoundPlan> PlanRound(const EvidenceClient& client, SchemeLibrary& schemes,
                                    const std::string& round, absl::Time deadline);

// Returns DATA_LOSS (EXPORT_BROKEN) if the block is not of the revision that
// was frozen, where one was.
absl::Status CheckRevision(const RoundPlan& plan,
                           const assessment::v1::ExportDossiersResponse& block);

// How a rating is written.
struct Form {
  rating::v1::TraceDetail trace = rating::v1::TRACE_DETAIL_NONE;
  bool compact = false;  // As RateRoundRequest.compact says.
};

// Rates one dossier and writes the rating, with its trace if one is asked for.
rating::Rating RateDossier(const Method& method, const evidence::Dossier& dossier,
                           const evidence::v1::Snapshot& snapshot, Form form,
                           rating::v1::Rating& message);

// Which organisations of a round.
struct RoundPart {
  std::optional<evidence::v1::Shard> shard;
  std::optional<evidence::v1::Cursor> resume_after;

  bool whole() const { return !shard && !resume_after; }
};

// The dossiers of a block as values. Returns INTERNAL if it is not well-formed.
absl::StatusOr<std::vector<evidence::Dossier>> DossiersOf(
    const google::protobuf::RepeatedPtrField<evidence::v1::Dossier>& dossiers,
    const google::protobuf::RepeatedPtrField<evidence::v1::Source>& sources);

// Not thread-safe.
class RoundRater {
 public:
  // `metrics` must outlive the rater.
  RoundRater(RoundPlan plan, RoundPart part, Form form, RatingMetrics& metrics);

  // Appends the ratings of `block` to `ratings`. Returns DATA_LOSS
  // (EXPORT_BROKEN) if the block does not fit those before or the plan: a
  // rating that rests on half an export would look like any other.
  absl::Status Rate(const assessment::v1::ExportDossiersResponse& block,
                    std::vector<rating::v1::Rating>& ratings);

  // What the round, or its part, came to. DATA_LOSS (EXPORT_BROKEN) if
  // organisations of a whole round are missing; of a part, nobody can tell before
  // the parts are added up. Call once, last.
  absl::StatusOr<rating::v1::Summary> Finish();

  int64_t done() const { return digester_.count(); }
  int64_t total() const { return total_; }
  // Unset before the first block.
  const std::optional<evidence::v1::Snapshot>& snapshot() const { return snapshot_; }

 private:
  absl::Status CheckBlock(const assessment::v1::ExportDossiersResponse& block);
  absl::Status CheckDossier(const evidence::Dossier& dossier);
  absl::Status CheckCount() const;
  void AddUp(const rating::Rating& rating);
  void WriteTallies(rating::v1::Summary& summary) const;

  const RoundPlan plan_;
  const RoundPart part_;
  const std::pair<int, int> buckets_;  // From, and before, which they are.
  const Form form_;
  const std::shared_ptr<const SchemeCounters> counters_;

  digest::RoundDigester digester_;
  std::pair<int, std::string> last_{-1, ""};  // (bucket, id)
  std::optional<evidence::v1::Snapshot> snapshot_;
  int64_t total_ = 0;

  // (result, level from best to worst, or what is behind the last, level,
  // reason): in the order in which the tallies are written.
  std::map<std::tuple<size_t, int, std::string, std::string>, int64_t> outcomes_;
  std::map<std::pair<size_t, rating::Move>, int64_t> moves_;
};

// Gathers ratings into messages of bounded size.
class Batches {
 public:
  using Ratings = google::protobuf::RepeatedPtrField<rating::v1::Rating>;

  Batches(int ratings_most, size_t bytes_most)
      : ratings_most_(ratings_most), bytes_most_(bytes_most) {}

  void Add(std::vector<rating::v1::Rating> ratings);

  // Takes the batches that are full.
  std::vector<Ratings> TakeFull();
  // Takes all that is there.
  std::vector<Ratings> TakeAll();

 private:
  const int ratings_most_;
  const size_t bytes_most_;
  std::vector<Ratings> full_;
  Ratings last_;
  size_t last_bytes_ = 0;
};

}  // namespace starratings::service
