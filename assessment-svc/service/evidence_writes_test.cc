#include "assessment-svc/service/evidence_writes.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/evidence_fixture.h"

namespace starratings::service {
namespace {

using testing::Contains;
using testing::ElementsAre;

using EvidenceWritesTest = EvidenceTest;

// Bad input ---------------------------------------------------------------

struct BadCase {
  std::string name;
  std::function<void(pb::SubmitEvidenceRequest&)> spoil;
  std::vector<std::string> fields;

  friend void PrintTo(const BadCase& c, std::ostream* os) { *os << c.name; }
};

class BadInputTest : public EvidenceTest, public testing::WithParamInterface<BadCase> {};

TEST_P(BadInputTest, NamesTheFieldAndChangesNothing) {
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  GetParam().spoil(request);
  const int64_t head = Head();

  const absl::Status status = TrySubmit(request);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(ReasonOf(status), "INVALID_FIELDS");
  EXPECT_EQ(FieldsOf(status), GetParam().fields) << status;
  EXPECT_EQ(Head(), head);
}

void SetRate(pb::SubmitEvidenceRequest& request, const std::string& decimal) {
  Item(request).set_code("rate");
  Item(request).mutable_value()->set_decimal(decimal);
}

using R = pb::SubmitEvidenceRequest;

INSTANTIATE_TEST_SUITE_P(
    BadInput, BadInputTest,
    testing::ValuesIn<BadCase>({
        // clang-format off
        {"RequestIdNoUuid",    [](R& r) { r.set_request_id("1"); }, {"request_id"}},
        {"EmptyOrganisation",  [](R& r) { Item(r).set_organisation(""); }, {"items[0].item.organisation"}},
        {"OrganisationNotRegistered", [](R& r) { Item(r).set_organisation("leeds"); }, {"items[0].item.organisation"}},
        {"UnknownCode",        [](R& r) { Item(r).set_code("judgment"); }, {"items[0].item.code"}},
        {"UnregisteredPeriod", [](R& r) { Item(r).set_period("2002-03"); }, {"items[0].item.period"}},
        {"TwoPoints",          [](R& r) { SetRate(r, "20.5.1"); }, {"items[0].item.value.decimal"}},
        {"ThirteenDigits",     [](R& r) { SetRate(r, "1234567890123"); }, {"items[0].item.value.decimal"}},
        {"OverTheMaximum",     [](R& r) { SetRate(r, "100.000001"); }, {"items[0].item.value.decimal"}},
        {"LevelNotOnTheScale", [](R& r) { Item(r).mutable_value()->set_level("excellent"); }, {"items[0].item.value.level"}},
        {"ValueOfOtherType",   [](R& r) { Item(r).mutable_value()->set_flag(true); }, {"items[0].item.value"}},
        {"NoValue",            [](R& r) { Item(r).clear_value(); }, {"items[0].item.value"}},
        {"SameKeyTwice",       [](R& r) { *r.add_items() = r.items(0); }, {"items[1].item"}},
        {"NoItems",            [](R& r) { r.clear_items(); }, {"items", "sources[0]"}},
        {"SourceNotGiven",     [](R& r) { Item(r).set_source_id("b"); }, {"items[0].item.source_id", "sources[0]"}},
        {"SourceTwice",        [](R& r) { *r.add_sources() = r.sources(0); }, {"sources[1].id"}},
        {"AllFaultsAtOnce",    [](R& r) { Item(r).set_organisation(""); Item(r).set_code("x"); r.set_request_id(""); },
                               {"request_id", "items[0].item.organisation", "items[0].item.code"}},
        // clang-format on
    }),
    [](const auto& test) { return test.param.name; });

TEST_F(EvidenceWritesTest, ABatchOverTheLimitIsRefused) {
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  for (int i = 0; i < 10'000; ++i) {
    *request.add_items() = request.items(0);
    request.mutable_items(i + 1)->mutable_item()->set_instance(absl::StrCat("visit ", i));
  }
  const absl::Status over = TrySubmit(request);
  EXPECT_EQ(over.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(over), ElementsAre("items"));

  request.mutable_items()->RemoveLast();
  EXPECT_EQ(Submit(request).etags_size(), 10'000);
}

TEST_F(EvidenceWritesTest, ARequestOverThreeMebibytesIsRefused) {
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  request.clear_items();
  for (int i = 0; i < 900; ++i) {
    request.mutable_items()->Add()->CopyFrom(OneItem("Leeds", "most").items(0));
    ev::EvidenceItem& item = *request.mutable_items(i)->mutable_item();
    item.set_instance(absl::StrCat(i));
    item.mutable_value()->set_text(std::string(4'000, 'x'));
  }
  const absl::Status status = TrySubmit(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(status), Contains("items"));
}

TEST_F(EvidenceWritesTest, AWriteNeedsAnActor) {
  actor_ = "";
  const absl::Status status = TrySubmit(OneItem("Leeds", "most"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(status), "ACTOR_REQUIRED");
}

// Retries and etags ---------------------------------------------------------

TEST_F(EvidenceWritesTest, ARetryReturnsTheFirstAnswerAndWritesNothing) {
  const pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  const auto first = Submit(request);
  EXPECT_FALSE(first.replayed());
  // Since then the item was corrected: by now the first would need a reason.
  pb::SubmitEvidenceRequest correction = OneItem("Leeds", "no");
  correction.set_reason("typing error");
  Submit(correction);
  const int64_t head = Head();

  const auto again = Submit(request);

  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(again.snapshot().token(), first.snapshot().token());
  EXPECT_EQ(again.etags(0), first.etags(0));
  EXPECT_EQ(Head(), head);
  EXPECT_EQ(LevelNow("Leeds"), "no");
}

TEST_F(EvidenceWritesTest, ARequestIdIsForOneRequest) {
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  Submit(request);
  Item(request).set_organisation("Hull");
  const absl::Status status = TrySubmit(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "REQUEST_ID_REUSED");
}

TEST_F(EvidenceWritesTest, TheSameRequestIdOfAnotherActorIsAnother) {
  const pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  Submit(request);
  actor_ = "inspector";
  EXPECT_FALSE(Submit(request).replayed());
}

TEST_F(EvidenceWritesTest, AnotherEtagIsAbortedWithTheCurrentOne) {
  const auto first = Submit(OneItem("Leeds", "most"));
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  for (const bool validate_only : {true, false}) {
    request.set_validate_only(validate_only);
    request.mutable_items(0)->set_etag("1.1");
    absl::Status status = TrySubmit(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
    EXPECT_EQ(ReasonOf(status), "ETAG_MISMATCH");
    EXPECT_EQ(status::DetailOf(status).metadata.at("etag"), first.etags(0));
    EXPECT_EQ(status::DetailOf(status).metadata.at("field"), "items[0].etag");

    request.mutable_items(0)->set_etag("*none*");
    status = TrySubmit(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  }
  request.mutable_items(0)->set_etag(first.etags(0));
  EXPECT_FALSE(Submit(request).replayed());
}

TEST_F(EvidenceWritesTest, ACorrectionNeedsAReason) {
  Submit(OneItem("Leeds", "most"));
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "yes");
  const absl::Status status = TrySubmit(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(status), ElementsAre("reason"));

  request.set_reason("the inspectors agreed");
  Submit(request);
  const auto got = Must(evidence_, &pb::EvidenceService::Stub::GetEvidence, Key("Leeds"));
  EXPECT_EQ(got.item().reason(), "the inspectors agreed");
  EXPECT_EQ(got.item().actor(), "analyst");
  EXPECT_EQ(got.source().title(), "Inspection");
}

TEST_F(EvidenceWritesTest, ValidatingRecordsNothing) {
  pb::SubmitEvidenceRequest request = OneItem("Leeds", "most");
  request.set_validate_only(true);
  const int64_t head = Head();
  const auto response = Submit(request);
  EXPECT_FALSE(response.has_snapshot());
  EXPECT_EQ(Head(), head);
  // The same request, in earnest: what was validated does not use up the id.
  request.set_validate_only(false);
  EXPECT_FALSE(Submit(request).replayed());
}

TEST_F(EvidenceWritesTest, WithdrawnEvidenceReadsAsMissing) {
  pb::WithdrawEvidenceRequest request;
  request.set_request_id(NewId());
  *request.mutable_key() = Key("Leeds").key();
  request.set_reason("of another council");
  pb::WithdrawEvidenceResponse response;
  absl::Status status =
      Call(evidence_, &pb::EvidenceService::Stub::WithdrawEvidence, request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "EVIDENCE_NOT_FOUND");

  Submit(OneItem("Leeds", "most"));
  response = Must(evidence_, &pb::EvidenceService::Stub::WithdrawEvidence, request);
  const auto got = Must(evidence_, &pb::EvidenceService::Stub::GetEvidence, Key("Leeds"));
  EXPECT_EQ(got.item().item().value().missing(), ev::MISSING_REASON_WITHDRAWN);
  EXPECT_EQ(got.item().etag(), response.etag());
  EXPECT_TRUE(Must(evidence_, &pb::EvidenceService::Stub::WithdrawEvidence, request).replayed());
}

TEST_F(EvidenceWritesTest, AWriteThatNobodyWaitsForCostsNothing) {
  Gate calls;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(calls_.Run([&calls] { calls.Wait(); }));
  // Nobody has asked for Hull, so that a plan would have to.
  const int looked = store_->Asked("FindOrganisations");
  const int committed = store_->Asked("CommitGroup");
  for (const bool expires : {true, false}) {
    grpc::ClientContext context;
    context.AddMetadata("starratings-actor", actor_);
    if (expires) context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(50)));
    const pb::SubmitEvidenceRequest request = OneItem("Hull", "yes");
    pb::SubmitEvidenceResponse response;
    std::thread canceller([&] {
      if (expires) return;
      absl::SleepFor(absl::Milliseconds(50));
      context.TryCancel();
    });
    EXPECT_EQ(evidence_->SubmitEvidence(&context, request, &response).error_code(),
              expires ? grpc::StatusCode::DEADLINE_EXCEEDED : grpc::StatusCode::CANCELLED);
    canceller.join();
  }
  calls.Open();
  Submit(OneItem("Leeds", "yes"));  // After those, on the same threads.
  EXPECT_EQ(store_->Asked("FindOrganisations"), looked + 1);
  EXPECT_EQ(store_->Asked("CommitGroup"), committed + 1);
  double dropped = -1;
  for (const auto& family : registry_.Collect()) {
    if (family.name != "assessment_dropped_writes_total") continue;
    dropped = family.metric.at(0).counter.value;
  }
  EXPECT_EQ(dropped, 2);
}

}  // namespace
}  // namespace starratings::service
