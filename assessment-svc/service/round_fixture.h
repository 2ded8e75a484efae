// What the tests of rounds share: acts by different people.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "assessment-svc/service/service_fixture.h"
#include "common/wire/token.h"

namespace starratings::service {

class RoundTest : public ServiceTest {
 protected:
  using Stub = pb::RoundService::Stub;

  explicit RoundTest(absl::Duration age = absl::ZeroDuration(),
                     const StreamSlots::Limits& limits = {},
                     const watch::TailOptions& watching = {})
      : ServiceTest(age, limits, watching) {
    RegisterAll();
  }

  pb::CreateRoundRequest ARound(const std::string& id) {
    pb::CreateRoundRequest request;
    request.set_request_id(NewId());
    request.set_round(id);
    request.set_title("Star ratings");
    request.mutable_selector()->add_kinds("council");
    request.set_period("2001-02");
    request.set_date("2002-05-30");
    request.set_scheme("test@1");
    return request;
  }

  pb::Round Create(const pb::CreateRoundRequest& request) {
    return Must(rounds_, &Stub::CreateRound, request).round();
  }

  pb::Round Get(const std::string& id) {
    pb::GetRoundRequest request;
    request.set_round(id);
    return Must(rounds_, &Stub::GetRound, request).round();
  }

  std::string HeadToken() { return wire::EncodeToken({store_->GetIdentity().store, 1, Head()}); }

  pb::FreezeRoundRequest FreezeOf(const pb::Round& round) {
    pb::FreezeRoundRequest request;
    request.set_request_id(NewId());
    request.set_round(round.id());
    request.set_etag(round.etag());
    request.set_token(HeadToken());
    return request;
  }

  pb::Round Freeze(const pb::Round& round) {
    actor_ = "freezer";
    return Must(rounds_, &Stub::FreezeRound, FreezeOf(round)).round();
  }

  // A rating as rating-svc would send it, with a move of this kind.
  rt::Rating ARating(const std::string& organisation, rt::Move move, const std::string& state) {
    rt::Rating rating;
    rating.set_organisation(organisation);
    rating.set_name("The " + organisation);
    rating.set_period("2001-02");
    rating.mutable_scheme()->set_digest(scheme_digest_);
    rating.set_digest(digest::ToHex(digest::Sha256(organisation)));
    rt::Decision& decision = *rating.add_decisions();
    decision.set_id("list");
    decision.set_code("special_measures.list_state");
    decision.set_move(move);
    decision.set_state(state);
    decision.set_listed("on");
    return rating;
  }

  // Both councils that exist, in the order (bucket, id): Leeds entered, Hull
  // stays off.
  std::vector<rt::Rating> Ratings() {
    return InOrder(
        {ARating("Leeds", rt::MOVE_ENTERED, "on"), ARating("Hull", rt::MOVE_NONE, "off")});
  }

  static std::vector<rt::Rating> InOrder(std::vector<rt::Rating> ratings) {
    std::sort(ratings.begin(), ratings.end(), [](const rt::Rating& a, const rt::Rating& b) {
      return std::pair(digest::BucketOf(a.organisation()), a.organisation()) <
             std::pair(digest::BucketOf(b.organisation()), b.organisation());
    });
    return ratings;
  }

  static std::string DigestOf(const std::vector<rt::Rating>& ratings) {
    digest::RoundDigester digester;
    for (const rt::Rating& rating : ratings) {
      digester.Add(rating.organisation(), *digest::FromHex(rating.digest()));
    }
    return digest::ToHex(digester.Finish());
  }

  using Parts = std::vector<pb::RecordRatingsRequest>;

  // What rating-svc sends: one rating a chunk.
  Parts RecordOf(const pb::Round& round, const std::vector<rt::Rating>& ratings) {
    Parts parts(1);
    auto& begin = *parts[0].mutable_begin();
    begin.set_round(round.id());
    begin.set_etag(round.etag());
    begin.set_request_id(NewId());
    begin.set_on_behalf_of("freezer");
    for (size_t i = 0; i < ratings.size(); ++i) {
      auto& chunk = *parts.emplace_back().mutable_chunk();
      chunk.set_number(static_cast<int64_t>(i));
      *chunk.add_ratings() = ratings[i];
    }
    auto& commit = *parts.emplace_back().mutable_commit();
    commit.set_count(static_cast<int64_t>(ratings.size()));
    commit.set_round_digest(DigestOf(ratings));
    return parts;
  }

  absl::Status Send(const Parts& parts, pb::RecordRatingsResponse& response) {
    grpc::ClientContext context;
    context.AddMetadata("starratings-actor", "rating-svc");
    response.Clear();
    const auto writer = rounds_->RecordRatings(&context, &response);
    for (const auto& part : parts) {
      if (!writer->Write(part)) break;
    }
    writer->WritesDone();
    return serving::FromGrpcStatus(writer->Finish());
  }

  pb::Round Record(const pb::Round& round, const std::vector<rt::Rating>& ratings) {
    pb::RecordRatingsResponse response;
    const absl::Status status = Send(RecordOf(round, ratings), response);
    EXPECT_TRUE(status.ok()) << status;
    return response.round();
  }

  pb::PublishRoundRequest PublishOf(const pb::Round& round) {
    pb::PublishRoundRequest request;
    request.set_request_id(NewId());
    request.set_round(round.id());
    request.set_etag(round.etag());
    request.set_round_digest(round.round_digest());
    return request;
  }

  pb::Round Publish(const pb::Round& round) {
    actor_ = "publisher";
    return Must(rounds_, &Stub::PublishRound, PublishOf(round)).round();
  }

  absl::Status TryPublish(const pb::PublishRoundRequest& request) {
    pb::PublishRoundResponse response;
    return Call(rounds_, &Stub::PublishRound, request, &response);
  }

  pb::WithdrawRoundRequest WithdrawOf(const pb::Round& round) {
    pb::WithdrawRoundRequest request;
    request.set_request_id(NewId());
    request.set_reason("the evidence was of another year");
    request.set_round(round.id());
    request.set_etag(round.etag());
    return request;
  }
};

}  // namespace starratings::service
