#include "assessment-svc/service/publication.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/rounds/acts.h"
#include "assessment-svc/service/round_acts.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/writes.h"
#include "common/digest/bucket.h"
#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"

namespace starratings::service {
namespace {

using assessment::v1::PublishRoundRequest;
using rating::v1::Decision;
using rating::v1::Rating;
using rounds::Deed;
using rounds::Round;
using rounds::State;
using status::FieldErrors;

std::shared_ptr<const evidence::Source> SourceOf(const Round& round) {
  evidence::Source source;
  source.title = absl::StrCat("Round ", round.id, " (", round.scheme_id, "@", round.scheme_version,
                              "), published");
  return std::make_shared<const evidence::Source>(std::move(source));
}

// The state that `decision` leaves its organisation in, as evidence. Unless the
// record refuses it, so that the publication is all or nothing by itself.
store::EvidenceDraft StateDraft(const std::string& organisation, const Decision& decision,
                                const std::shared_ptr<const evidence::Source>& source) {
  evidence::Item item;
  item.key = {organisation, evidence::kStanding, decision.code(), ""};
  item.value = evidence::Level{decision.state()};
  item.source = source;
  item.digest = wire::ItemDigest(item);
  return {std::move(item), {}};
}

// Collects what a publication appends, and checks what it publishes.
class Gatherer {
 public:
  Gatherer(const Round& round, std::map<std::string, evidence::Code> codes, MoveCounts& moves)
      : codes_(std::move(codes)), source_(SourceOf(round)), moves_(moves) {}

  absl::StatusOr<bool> Add(const Rating& rating) {
    ASSIGN_OR_RETURN(const digest::Digest digest, digest::FromHex(rating.digest()));
    digester_.Add(rating.organisation(), digest);
    for (const Decision& decision : rating.decisions()) {
      if (!MovedOrListed(decision)) continue;
      ++moves_[static_cast<size_t>(decision.move())];
      if (decision.state().empty()) continue;
      if (!IsRegistered(decision)) {
        unregistered_.insert(
            absl::StrCat("codes/", decision.code(), " with the level `", decision.state(), "`"));
        continue;
      }
      states_.push_back(StateDraft(rating.organisation(), decision, source_));
    }
    return true;
  }

  // Returns FAILED_PRECONDITION if a list state cannot be recorded, and
  // DATA_LOSS if the ratings are not those that were recorded.
  absl::Status Check(const Round& round) {
    if (!unregistered_.empty()) return Unregistered();
    if (digester_.count() != round.organisation_count ||
        digest::ToHex(digester_.Finish()) != round.round_digest) {
      return status::Error(
          absl::StatusCode::kDataLoss, "ROUND_DIGEST_MISMATCH",
          absl::StrCat("round `", round.id, "`: the ratings kept are not those recorded"));
    }
    return absl::OkStatus();
  }

  std::vector<store::EvidenceDraft> TakeStates() { return std::move(states_); }

 private:
  bool IsRegistered(const Decision& decision) const {
    const auto code = codes_.find(decision.code());
    if (code == codes_.end() || code->second.value_type != evidence::ValueType::kLevel ||
        code->second.kind == evidence::Kind::kOverride) {
      return false;
    }
    const auto& levels = code->second.levels;
    return std::find(levels.begin(), levels.end(), decision.state()) != levels.end();
  }

  absl::Status Unregistered() const {
    status::ErrorDetail detail;
    detail.reason = "LIST_STATE_UNREGISTERED";
    constexpr char kRule[] = "must be registered as a LEVEL, not of the kind OVERRIDE";
    std::string message = "list states must be registered before they are published";
    for (const std::string& subject : unregistered_) {
      detail.preconditions.push_back({detail.reason, subject, kRule});
      absl::StrAppend(&message, "\n", subject, ": ", kRule);
      if (detail.preconditions.size() == FieldErrors::kKept) break;
    }
    return status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition, message, detail);
  }

  const std::map<std::string, evidence::Code> codes_;
  const std::shared_ptr<const evidence::Source> source_;
  MoveCounts& moves_;
  digest::RoundDigester digester_;
  std::vector<store::EvidenceDraft> states_;
  std::set<std::string> unregistered_;
};

// Supersedes the round that `next` refreshes, if it stands.
absl::Status Supersede(const store::EvidenceStore& store, const Round& next, absl::Time deadline,
                       store::RoundAct& act) {
  if (next.refreshes.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RoundRecord record, ReadRoundAtHead(store, next.refreshes, deadline));
  RETURN_IF_ERROR(rounds::CheckSupersedable(record.history.round));
  // Called off meanwhile: it stays that.
  if (record.history.round.state == State::kWithdrawn) return absl::OkStatus();
  Round superseded = record.history.round;
  superseded.state = State::kSuperseded;
  superseded.superseded_by = next.id;
  act.others.push_back(ActOn(record.history, superseded).round);
  return absl::OkStatus();
}

// Everything the record says about a publication; fills `act`, or refuses.
absl::Status Publish(const store::EvidenceStore& store, const PublishRoundRequest& request,
                     const rounds::History& history, const Call& call, store::RoundAct& act,
                     MoveCounts& moves) {
  RETURN_IF_ERROR(rounds::CheckDeed(Deed::kPublish, history, request.etag()));
  RETURN_IF_ERROR(rounds::CheckPublisher(history, call.actor));
  RETURN_IF_ERROR(rounds::CheckSeenDigest(history.round, request.round_digest()));
  ASSIGN_OR_RETURN(const int64_t head, store.Head(call.deadline));
  ASSIGN_OR_RETURN(const auto registered, store.ReadCodes(head, call.deadline));
  std::map<std::string, evidence::Code> codes;
  for (const store::RegisteredCode& code : registered) codes.emplace(code.code.id, code.code);

  Gatherer gatherer(history.round, std::move(codes), moves);
  RETURN_IF_ERROR(ForEachRating(store, history.round, {}, call.deadline,
                                [&](const Rating& rating) { return gatherer.Add(rating); }));
  RETURN_IF_ERROR(gatherer.Check(history.round));
  Round next = history.round;
  next.state = State::kPublished;
  act = ActOn(history, next);
  act.states = gatherer.TakeStates();
  return Supersede(store, next, call.deadline, act);
}

}  // namespace

absl::StatusOr<Rating> RatingFrom(const store::StagedRating& staged) {
  Rating rating;
  if (rating.ParseFromString(staged.content)) return rating;
  return status::Error(absl::StatusCode::kDataLoss, "RATING_CONTENT",
                       "the record holds a rating that cannot be read");
}

absl::Status ForEachRating(const store::EvidenceStore& store, const Round& round,
                           store::OrganisationCursor after, absl::Time deadline,
                           const std::function<absl::StatusOr<bool>(const Rating&)>& visit) {
  while (true) {
    ASSIGN_OR_RETURN(const auto page,
                     store.ReadRatings(round.id, round.attempt, after, kRatingsStep, deadline));
    for (const store::StagedRating& staged : page) {
      ASSIGN_OR_RETURN(const Rating rating, RatingFrom(staged));
      ASSIGN_OR_RETURN(const bool go_on, visit(rating));
      if (!go_on) return absl::OkStatus();
    }
    if (page.size() < static_cast<size_t>(kRatingsStep)) return absl::OkStatus();
    const std::string& last = page.back().organisation;
    after = {digest::BucketOf(last), last};
  }
}

bool MovedOrListed(const Decision& decision) {
  switch (decision.move()) {
    case rating::v1::MOVE_ENTERED:
    case rating::v1::MOVE_REMAINED:
    case rating::v1::MOVE_LEFT:
    case rating::v1::MOVE_UNKNOWN:
      return true;
    default:
      return !decision.state().empty() && decision.state() == decision.listed();
  }
}

absl::StatusOr<Plan> PlanPublish(const store::EvidenceStore& store,
                                 const PublishRoundRequest& request, const Call& call,
                                 MoveCounts& moves) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  CheckActFields(request.round(), request.etag(), errors);
  errors.AddIfError("round_digest", evidence::CheckSha256(request.round_digest()));
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const RoundRecord record,
                   ReadRoundAtHead(store, request.round(), call.deadline));
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  store::RoundAct act;
  act.round.id = request.round();
  plan.refusal = Publish(store, request, record.history, call, act, moves);
  plan.write.body = std::move(act);
  return plan;
}

}  // namespace starratings::service
