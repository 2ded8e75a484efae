#include "assessment-svc/service/round_record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/service/snapshots.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "google/protobuf/util/json_util.h"

namespace starratings::service {
namespace {

using assessment::v1::RoundState;

constexpr absl::string_view kAttempt = "attempt ";

absl::Status Broken() {
  return status::Error(absl::StatusCode::kDataLoss, "ROUND_CONTENT",
                       "the record holds a round that cannot be read");
}

// What the round says, without what follows from its commits.
assessment::v1::Round Message(const rounds::Round& round) {
  assessment::v1::Round message;
  message.set_id(round.id);
  message.set_title(round.title);
  message.set_state(static_cast<RoundState>(round.state));
  *message.mutable_selector() = ToProto(round.selector);
  message.set_period(round.period);
  message.set_date(round.date.ToString());
  message.mutable_scheme()->set_id(round.scheme_id);
  message.mutable_scheme()->set_version(round.scheme_version);
  message.mutable_scheme()->set_digest(round.scheme_digest);
  message.set_refreshes(round.refreshes);
  if (round.frozen_revision > 0) message.mutable_frozen()->set_revision(round.frozen_revision);
  message.set_organisation_count(round.organisation_count);
  message.set_round_digest(round.round_digest);
  message.set_superseded_by(round.superseded_by);
  return message;
}

absl::StatusOr<RoundRecord> FromVersions(std::vector<store::RoundVersion> versions) {
  RoundRecord record;
  for (store::RoundVersion& version : versions) {
    ASSIGN_OR_RETURN(record.history.round, FromContent(version.content));
    record.history.acts.push_back(
        {record.history.round.state, version.commit.actor, version.commit.revision});
    record.commits.push_back(std::move(version.commit));
  }
  return record;
}

}  // namespace

std::string ToContent(const rounds::Round& round) {
  std::string json;
  // Cannot fail: the message holds nothing that JSON has no form for.
  static_cast<void>(google::protobuf::util::MessageToJsonString(Message(round), &json));
  return absl::StrCat(kAttempt, round.attempt, "\n", json);
}

absl::StatusOr<rounds::Round> FromContent(absl::string_view content) {
  const size_t line = content.find('\n');
  if (line == absl::string_view::npos || content.substr(0, kAttempt.size()) != kAttempt) {
    return Broken();
  }
  assessment::v1::Round message;
  const std::string json(content.substr(line + 1));
  if (!google::protobuf::util::JsonStringToMessage(json, &message).ok()) return Broken();
  const auto date = evidence::Date::Parse(message.date());
  if (!date.ok() || message.state() < assessment::v1::ROUND_STATE_OPEN ||
      message.state() > assessment::v1::ROUND_STATE_WITHDRAWN) {
    return Broken();
  }
  rounds::Round round;
  round.id = message.id();
  round.title = message.title();
  round.state = static_cast<rounds::State>(message.state());
  const auto& selector = message.selector();
  round.selector.kinds = {selector.kinds().begin(), selector.kinds().end()};
  round.selector.regions = {selector.regions().begin(), selector.regions().end()};
  round.selector.organisations = {selector.organisations().begin(), selector.organisations().end()};
  round.period = message.period();
  round.date = *date;
  round.scheme_id = message.scheme().id();
  round.scheme_version = message.scheme().version();
  round.scheme_digest = message.scheme().digest();
  round.refreshes = message.refreshes();
  round.frozen_revision = message.frozen().revision();
  round.organisation_count = message.organisation_count();
  round.attempt = std::string(content.substr(kAttempt.size(), line - kAttempt.size()));
  round.round_digest = message.round_digest();
  round.superseded_by = message.superseded_by();
  return round;
}

absl::StatusOr<RoundRecord> ReadRound(const store::EvidenceStore& store, const std::string& id,
                                      int64_t revision, absl::Time deadline) {
  ASSIGN_OR_RETURN(auto versions, store.ReadRound(id, revision, deadline));
  if (versions.empty()) {
    return status::Error(absl::StatusCode::kNotFound, "ROUND_UNKNOWN",
                         absl::StrCat("there is no round `", id, "`"), {{"round", id}});
  }
  return FromVersions(std::move(versions));
}

absl::StatusOr<RoundRecord> ReadRoundAtHead(const store::EvidenceStore& store,
                                            const std::string& id, absl::Time deadline) {
  ASSIGN_OR_RETURN(const int64_t head, store.Head(deadline));
  return ReadRound(store, id, head, deadline);
}

absl::StatusOr<RoundRecord> ReadPublicRound(const store::EvidenceStore& store,
                                            const std::string& id, int64_t revision,
                                            absl::Time deadline) {
  absl::StatusOr<RoundRecord> record = ReadRound(store, id, revision, deadline);
  if (record.ok() && record->history.IsPublic()) return record;
  if (!record.ok() && !absl::IsNotFound(record.status())) return record;
  return status::Error(absl::StatusCode::kNotFound, "ROUND_NOT_PUBLISHED",
                       absl::StrCat("there is no published round `", id, "`"), {{"round", id}});
}

assessment::v1::Round ToProto(const store::EvidenceStore& store, const RoundRecord& record) {
  const rounds::Round& round = record.history.round;
  assessment::v1::Round message = Message(round);
  message.set_etag(record.history.Etag());
  if (round.frozen_revision > 0) {
    *message.mutable_frozen() = SnapshotAt(store, round.frozen_revision);
  }
  for (size_t i = 0; i < record.commits.size(); ++i) {
    assessment::v1::RoundAct& act = *message.add_acts();
    act.set_state(static_cast<RoundState>(record.history.acts[i].state));
    *act.mutable_write() = ToProto(record.commits[i]);
  }
  return message;
}

}  // namespace starratings::service
