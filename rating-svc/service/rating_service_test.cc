#include "rating-svc/service/rating_service.h"

#include "common/digest/bucket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rating-svc/service/service_fixture.h"

namespace starratings::service {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class RateOrganisationTest : public RatingServiceTest {};

TEST_F(RateOrganisationTest, RatesByScheme) {
  fake_.Add("a", "poor");
  Start();
  const auto rating = Rate(ByScheme("a"));
  ASSERT_TRUE(rating.ok()) << rating.status();
  EXPECT_EQ(rating->organisation(), "a");
  EXPECT_EQ(rating->name(), "The a");
  EXPECT_EQ(rating->period(), "2001-02");
  EXPECT_EQ(rating->scheme().digest(), digest_);
  EXPECT_EQ(rating->results(0).level(), "0");
  EXPECT_EQ(rating->decisions(0).move(), rating::v1::MOVE_ENTERED);
  EXPECT_EQ(rating->snapshot().revision(), 7);
  EXPECT_FALSE(rating->has_trace());
  EXPECT_THAT(fake_.asked().actors, Each("rating-svc"));
}

TEST_F(RateOrganisationTest, TheTraceIsThereWhenAskedFor) {
  fake_.Add("a", "good");
  Start();
  auto request = ByScheme("a");
  request.set_trace(rating::v1::TRACE_DETAIL_FULL);
  const auto full = Rate(request);
  ASSERT_TRUE(full.ok()) << full.status();
  ASSERT_TRUE(full->has_trace());
  EXPECT_EQ(full->trace().readings(0).source().title(), "A source");
  EXPECT_EQ(full->digest(), Rate(ByScheme("a"))->digest());
}

TEST_F(RateOrganisationTest, EveryFieldAtFaultIsListed) {
  Start();
  rating::v1::RateOrganisationRequest request;
  request.mutable_scheme()->set_scheme("no version");
  request.mutable_scheme()->set_date("2002-02-30");
  request.mutable_scheme()->mutable_freshness();
  request.set_trace(static_cast<rating::v1::TraceDetail>(9));
  const auto rating = Rate(request);
  EXPECT_EQ(rating.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(rating.status()), "INVALID_FIELDS");
  EXPECT_THAT(FieldsOf(rating.status()),
              ElementsAre("organisation", "scheme.scheme", "scheme.period", "scheme.date",
                          "scheme.freshness", "trace"));
  request.clear_by();
  EXPECT_THAT(FieldsOf(Rate(request).status()), ElementsAre("organisation", "by", "trace"));
}

TEST_F(RateOrganisationTest, WhatTheRecordObjectsToNamesOurFields) {
  Start();
  status::ErrorDetail detail;
  detail.reason = "INVALID_FIELDS";
  detail.fields = {{"freshness.exactly", "must be a token"}, {"organisation", "must be there"}};
  fake_.faults.dossier_status =
      status::ErrorWithDetail(absl::StatusCode::kInvalidArgument, "bad", detail);
  EXPECT_THAT(FieldsOf(Rate(ByScheme("a")).status()),
              ElementsAre("scheme.freshness.exactly", "organisation"));
}

TEST_F(RateOrganisationTest, FreshnessReachesTheRecord) {
  fake_.Add("a", "good");
  Start();
  auto request = ByScheme("a");
  request.mutable_scheme()->mutable_freshness()->set_exactly("a token");
  ASSERT_TRUE(Rate(request).ok());
  EXPECT_EQ(fake_.asked().dossiers.at(0).freshness().exactly(), "a token");
}

TEST_F(RateOrganisationTest, AnOrganisationThatIsNotRegisteredIsTheRecordsError) {
  Start();
  const auto rating = Rate(ByScheme("nobody"));
  EXPECT_EQ(rating.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(rating.status()), "ORGANISATION_NOT_FOUND");
}

TEST_F(RateOrganisationTest, ASchemeIsNotUsedOutsideItsDates) {
  fake_.Add("a", "good");
  Start();
  auto request = ByScheme("a");
  request.mutable_scheme()->set_date("2010-01-01");
  EXPECT_EQ(Rate(request).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(Rate(request).status()), "NO_SCHEME_IN_FORCE");
  request.mutable_scheme()->set_date("2009-12-31");
  EXPECT_TRUE(Rate(request).ok());
}

TEST_F(RateOrganisationTest, ASchemeThatNobodyHasIsNotFound) {
  Start();
  auto request = ByScheme("a");
  request.mutable_scheme()->set_scheme("test@2");
  EXPECT_EQ(ReasonOf(Rate(request).status()), "SCHEME_NOT_FOUND");
}

TEST_F(RateOrganisationTest, ByRoundAsksOnlyForTheOrganisationsBucket) {
  AddMany(40);
  fake_.FreezeRound(digest_);
  Start();
  const auto rating = Rate(ByRound("org-17"));
  ASSERT_TRUE(rating.ok()) << rating.status();
  EXPECT_EQ(rating->organisation(), "org-17");
  const auto asked = fake_.asked();
  EXPECT_EQ(asked.exports.at(0).shard().index(), digest::BucketOf("org-17"));
  EXPECT_EQ(asked.exports.at(0).shard().count(), digest::kBuckets);
}

TEST_F(RateOrganisationTest, AnOrganisationTheRoundDoesNotRateIsNotFound) {
  AddMany(40);
  fake_.FreezeRound(digest_);
  Start();
  const auto rating = Rate(ByRound("somebody else"));
  EXPECT_EQ(rating.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(rating.status()), "ORGANISATION_NOT_IN_ROUND");
}

TEST_F(RateOrganisationTest, WithoutTheRecordItIsUnavailableAndNamesNoHost) {
  StartOn(grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials()));
  for (const absl::Status& status :
       {Rate(ByRound("a")).status(), RateRound().status, Record().status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(status), "EVIDENCE_UNAVAILABLE");
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("127.0.0.1")));
  }
}

TEST_F(RateOrganisationTest, SchemesAreListedShownAndVerified) {
  Start();
  grpc::ClientContext list_context;
  rating::v1::ListSchemesResponse list;
  ASSERT_TRUE(scheme_stub_->ListSchemes(&list_context, {}, &list).ok());
  ASSERT_THAT(list.schemes(), SizeIs(1));
  EXPECT_EQ(list.schemes(0).scheme().digest(), digest_);
  EXPECT_EQ(list.schemes(0).to(), "2010-01-01");
  EXPECT_THAT(list.schemes(0).codes(), ElementsAre("quality", "special_measures.list_state"));
  EXPECT_THAT(list.schemes(0).results(), ElementsAre("stars"));

  grpc::ClientContext get_context;
  rating::v1::GetSchemeRequest get;
  get.set_scheme("test@1");
  rating::v1::GetSchemeResponse got;
  ASSERT_TRUE(scheme_stub_->GetScheme(&get_context, get, &got).ok());
  EXPECT_EQ(got.text(), SchemeText());

  grpc::ClientContext verify_context;
  rating::v1::VerifySchemeRequest verify;
  verify.set_text("id: \"test\" nonsense: 1");
  rating::v1::VerifySchemeResponse verified;
  ASSERT_TRUE(scheme_stub_->VerifyScheme(&verify_context, verify, &verified).ok());
  EXPECT_FALSE(verified.verified());
  EXPECT_GE(verified.issues_size(), 1);

  grpc::ClientContext empty_context;
  verify.set_text("");
  const auto refused =
      serving::FromGrpcStatus(scheme_stub_->VerifyScheme(&empty_context, verify, &verified));
  EXPECT_THAT(FieldsOf(refused), ElementsAre("text"));
}

}  // namespace
}  // namespace starratings::service
