#include "rating-svc/service/round_rater.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"
#include "rating-svc/service/cohorts.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::service {
namespace {

using absl::StatusCode;
using rating::v1::TraceDetail;

absl::Status RoundWithdrawn(const std::string& round) {
  status::ErrorDetail detail;
  detail.reason = "ROUND_WITHDRAWN";
  detail.metadata = {{"round", round}};
  detail.preconditions = {{"ROUND_STATE", absl::StrCat("rounds/", round),
                           "the round was called off before it was frozen; create another"}};
  return status::ErrorWithDetail(StatusCode::kFailedPrecondition,
                                 "the round was called off before it was frozen", detail);
}

}  // namespace

absl::Status ExportBroken(absl::string_view what) {
  return status::Error(StatusCode::kDataLoss, "EXPORT_BROKEN",
                       absl::StrCat("the record's export of the round is not whole: ", what));
}

absl::Status CheckInForce(const Method& method) {
  if (method.scheme->InForceOn(method.date)) return absl::OkStatus();
  const std::string to = method.scheme->to ? method.scheme->to->ToString() : "";
  status::ErrorDetail detail;
  detail.reason = "NO_SCHEME_IN_FORCE";
  detail.metadata = {{"scheme", method.scheme->Name()},
                     {"date", method.date.ToString()},
                     {"from", method.scheme->from.ToString()},
                     {"to", to}};
  detail.preconditions = {{"SCHEME_IN_FORCE", absl::StrCat("schemes/", method.scheme->Name()),
                           "choose a date at which the scheme is in force, or another scheme"}};
  return status::ErrorWithDetail(
      StatusCode::kFailedPrecondition,
      absl::StrCat("the scheme ", method.scheme->Name(), " is not in force at ",
                   method.date.ToString(), ": it is from ", method.scheme->from.ToString(),
                   to.empty() ? "" : " until before ", to),
      detail);
}

absl::StatusOr<RoundPlan> PlanRound(const EvidenceClient& client, SchemeLibrary& schemes,
                                    const std::string& round, absl::Time deadline) {
  ASSIGN_OR_RETURN(const assessment::v1::Round recorded, client.GetRound(round, deadline));
  RoundPlan plan;
  plan.round = round;
  plan.period = recorded.period();
  const absl::StatusOr<evidence::Date> date = evidence::Date::Parse(recorded.date());
  if (!date.ok()) return absl::InternalError("the record's round has no date");
  plan.method.date = *date;
  if (recorded.has_frozen()) {
    plan.frozen = {recorded.frozen().revision(), recorded.organisation_count()};
    ASSIGN_OR_RETURN(plan.method.scheme, schemes.Find(recorded.scheme().digest(), deadline));
  } else if (recorded.state() == assessment::v1::ROUND_STATE_WITHDRAWN) {
    return RoundWithdrawn(round);
  } else {
    ASSIGN_OR_RETURN(
        plan.method.scheme,
        schemes.FindForOpenRound(
            absl::StrCat(recorded.scheme().id(), "@", recorded.scheme().version()), deadline));
  }
  RETURN_IF_ERROR(CheckInForce(plan.method));
  plan.published = PublishedRatings::Of(client, {plan.method.scheme.get()}, deadline);
  RETURN_IF_ERROR(BindToRound(client, schemes, deadline, plan));
  return plan;
}

assessment::v1::ExportDossiersRequest ExportOf(const RoundPlan& plan) {
  assessment::v1::ExportDossiersRequest request;
  request.set_round(plan.round);
  if (!plan.pinned.empty()) request.mutable_freshness()->set_exactly(plan.pinned);
  return request;
}

absl::Status CheckRevision(const RoundPlan& plan,
                           const assessment::v1::ExportDossiersResponse& block) {
  if (!plan.frozen || plan.frozen->revision == block.snapshot().revision()) {
    return absl::OkStatus();
  }
  return ExportBroken("it is not of the revision that was frozen");
}

rating::Rating RateDossier(const Method& method, const evidence::Dossier& dossier,
                           const evidence::v1::Snapshot& snapshot, Form form,
                           rating::v1::Rating& message) {
  const TraceDetail trace = form.trace;
  rating::Rating made;
  if (trace == rating::v1::TRACE_DETAIL_PACKED || trace == rating::v1::TRACE_DETAIL_FULL) {
    const bool full = trace == rating::v1::TRACE_DETAIL_FULL;
    rating::Explanation explanation = rating::Explain(
        *method.scheme, dossier, method.date, full ? rating::Words::kAll : rating::Words::kNone);
    const auto detail = full ? wire::TraceDetail::kFull : wire::TraceDetail::kPacked;
    wire::Write(explanation, *method.scheme, detail, *message.mutable_trace());
    made = std::move(explanation.rating);
  } else {
    made = rating::Rate(*method.scheme, dossier, method.date);
  }
  if (form.compact) {
    wire::WriteCompact(made, message);
  } else {
    wire::Write(made, *method.scheme, message);
    *message.mutable_snapshot() = snapshot;
  }
  return made;
}

absl::StatusOr<std::vector<evidence::Dossier>> DossiersOf(
    const google::protobuf::RepeatedPtrField<evidence::v1::Dossier>& dossiers,
    const google::protobuf::RepeatedPtrField<evidence::v1::Source>& sources) {
  status::FieldErrors errors;
  const wire::SourcesById by_id = wire::SourcesFromProto(sources, "sources", errors);
  if (!errors.empty()) {
    return absl::InternalError(
        absl::StrCat("sources from the record are not well-formed: ", errors.ToStatus().message()));
  }
  std::vector<evidence::Dossier> values;
  values.reserve(static_cast<size_t>(dossiers.size()));
  for (const evidence::v1::Dossier& dossier : dossiers) {
    ASSIGN_OR_RETURN(values.emplace_back(), wire::DossierFromProto(dossier, by_id));
  }
  return values;
}

RoundRater::RoundRater(RoundPlan plan, RoundPart part, Form form, RatingMetrics& metrics)
    : plan_(std::move(plan)),
      part_(std::move(part)),
      buckets_(part_.shard ? digest::BucketsOfShard(part_.shard->index(), part_.shard->count())
                           : std::pair(0, digest::kBuckets)),
      form_(form),
      counters_(metrics.Of(*plan_.method.scheme)),
      digester_(part_.whole() ? digest::RoundDigester::Buckets::kForget
                              : digest::RoundDigester::Buckets::kKeep) {
  if (part_.resume_after) {
    last_ = {part_.resume_after->bucket(), part_.resume_after->organisation()};
  }
}

absl::Status RoundRater::CheckBlock(const assessment::v1::ExportDossiersResponse& block) {
  if (!snapshot_) {
    snapshot_ = block.snapshot();
    total_ = block.total();
  }
  RETURN_IF_ERROR(CheckRevision(plan_, block));
  if (block.snapshot().revision() != snapshot_->revision() || block.total() != total_) {
    return ExportBroken("revision or total changed between blocks");
  }
  return absl::OkStatus();
}

absl::Status RoundRater::CheckDossier(const evidence::Dossier& dossier) {
  std::pair<int, std::string> place(digest::BucketOf(dossier.organisation.id),
                                    dossier.organisation.id);
  if (place <= last_) return ExportBroken("it is out of order at " + dossier.organisation.id);
  if (place.first < buckets_.first || place.first >= buckets_.second) {
    return ExportBroken("it has " + dossier.organisation.id + " of another shard");
  }
  if (dossier.period != plan_.period) return ExportBroken("a dossier is of another period");
  last_ = std::move(place);
  return absl::OkStatus();
}

absl::Status RoundRater::Rate(const assessment::v1::ExportDossiersResponse& block,
                              std::vector<rating::v1::Rating>& ratings) {
  RETURN_IF_ERROR(CheckBlock(block));
  ASSIGN_OR_RETURN(std::vector<evidence::Dossier> dossiers,
                   DossiersOf(block.dossiers(), block.sources()));
  if (plan_.published != nullptr) {
    for (evidence::Dossier& dossier : dossiers) {
      RETURN_IF_ERROR(plan_.published->Fill(snapshot_->revision(), dossier));
    }
  }
  ratings.reserve(ratings.size() + dossiers.size());
  for (const evidence::Dossier& dossier : dossiers) {
    RETURN_IF_ERROR(CheckDossier(dossier));
    AddUp(RateDossier(plan_.method, dossier, *snapshot_, form_, ratings.emplace_back()));
  }
  return absl::OkStatus();
}

void RoundRater::AddUp(const rating::Rating& rating) {
  digester_.Add(rating.organisation, rating.digest);
  counters_->Count(rating);
  const scheme::Scheme& scheme = *plan_.method.scheme;
  for (size_t i = 0; i < rating.results.size(); ++i) {
    const rating::ResultOutcome& result = rating.results[i];
    int place = 1;  // Behind all levels.
    if (!result.not_rated && !result.level.empty()) {
      const int scale = scheme.values[static_cast<size_t>(scheme.results[i].value)].scale;
      const auto& levels = scheme.scales[static_cast<size_t>(scale)].levels;
      place =
          static_cast<int>(levels.begin() - std::find(levels.begin(), levels.end(), result.level));
    }
    const std::string reason = result.not_rated ? rating::ToString(result.not_rated->reason) : "";
    ++outcomes_[{i, place, result.level, reason}];
  }
  for (size_t i = 0; i < rating.decisions.size(); ++i) {
    ++moves_[{i, rating.decisions[i].move}];
  }
}

void RoundRater::WriteTallies(rating::v1::Summary& summary) const {
  const scheme::Scheme& scheme = *plan_.method.scheme;
  for (const auto& [outcome, count] : outcomes_) {
    const auto& [result, place, level, reason] = outcome;
    rating::v1::Tally& tally = *summary.add_tallies();
    const int value = scheme.results[result].value;
    tally.set_result(scheme.values[static_cast<size_t>(value)].name);
    tally.set_level(level);
    tally.set_not_rated(reason);
    tally.set_count(count);
  }
  for (const auto& [move, count] : moves_) {
    rating::v1::MoveTally& tally = *summary.add_moves();
    tally.set_decision(scheme.transitions[move.first].id);
    tally.set_move(static_cast<rating::v1::Move>(move.second));
    tally.set_count(count);
  }
}

absl::Status RoundRater::CheckCount() const {
  if (part_.whole() && digester_.count() != total_) {
    return ExportBroken(absl::StrCat(digester_.count(), " of ", total_, " organisations came"));
  }
  // An export of nobody says no total.
  const bool known = part_.whole() || snapshot_.has_value();
  if (known && plan_.frozen && plan_.frozen->organisation_count != total_) {
    return ExportBroken("it has not the organisations that the freeze chose");
  }
  return absl::OkStatus();
}

absl::StatusOr<rating::v1::Summary> RoundRater::Finish() {
  RETURN_IF_ERROR(CheckCount());
  rating::v1::Summary summary;
  summary.set_round(plan_.round);
  summary.set_count(digester_.count());
  summary.set_total(plan_.frozen ? plan_.frozen->organisation_count : total_);
  const digest::Digest digest = digester_.Finish();
  if (part_.whole()) summary.set_round_digest(digest::ToHex(digest));
  for (const digest::BucketDigest& bucket : digester_.buckets()) {
    if (part_.resume_after && bucket.bucket == part_.resume_after->bucket()) continue;
    rating::v1::BucketDigest& out = *summary.add_buckets();
    out.set_bucket(bucket.bucket);
    out.set_digest(digest::ToHex(bucket.digest));
  }
  if (part_.shard) *summary.mutable_shard() = *part_.shard;
  WriteTallies(summary);
  if (snapshot_) *summary.mutable_snapshot() = *snapshot_;
  *summary.mutable_scheme() = wire::RefOf(*plan_.method.scheme);
  return summary;
}

void Batches::Add(std::vector<rating::v1::Rating> ratings) {
  for (rating::v1::Rating& rating : ratings) {
    // Two more bytes or so frame it in its message.
    const size_t bytes = rating.ByteSizeLong() + 8;
    const bool full = last_.size() >= ratings_most_ || last_bytes_ + bytes > bytes_most_;
    if (full && !last_.empty()) {
      full_.push_back(std::move(last_));
      last_.Clear();
      last_bytes_ = 0;
    }
    *last_.Add() = std::move(rating);
    last_bytes_ += bytes;
  }
}

std::vector<Batches::Ratings> Batches::TakeFull() { return std::exchange(full_, {}); }

std::vector<Batches::Ratings> Batches::TakeAll() {
  if (!last_.empty()) full_.push_back(std::move(last_));
  last_.Clear();
  last_bytes_ = 0;
  return TakeFull();
}

}  // namespace starratings::service
