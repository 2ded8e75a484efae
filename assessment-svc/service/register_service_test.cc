#include "assessment-svc/service/register_service.h"

#include "absl/strings/str_cat.h"
#include "assessment-svc/service/service_fixture.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;

class RegisterServiceTest : public ServiceTest {
 protected:
  absl::Status TryRegister(const pb::RegisterRequest& request) {
    pb::RegisterResponse response;
    return Call(register_, &pb::RegisterService::Stub::Register, request, &response);
  }
  absl::Status TryScheme(const std::string& text, pb::RegisterSchemeResponse* response) {
    pb::RegisterSchemeRequest request;
    request.set_request_id(NewId());
    request.set_text(text);
    return Call(register_, &pb::RegisterService::Stub::RegisterScheme, request, response);
  }
};

TEST_F(RegisterServiceTest, AllFaultsAreListedAndNothingIsRegistered) {
  pb::RegisterRequest request;
  request.set_request_id("x");
  request.add_organisations()->set_id("Leeds");
  request.add_periods()->set_id("standing");
  AddCode(request, "Judgement", ev::VALUE_TYPE_LEVEL);

  const absl::Status status = TryRegister(request);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(status),
              testing::IsSupersetOf({"request_id", "organisations[0].name", "organisations[0].kind",
                                     "periods[0].id", "codes[0].id", "codes[0].levels"}));
  EXPECT_EQ(Head(), 0);
}

TEST_F(RegisterServiceTest, ACodeKeepsItsTypeAndLevels) {
  RegisterAll();
  pb::RegisterRequest request;
  request.set_request_id(NewId());
  AddCode(request, "rate", ev::VALUE_TYPE_FLAG);
  auto& judgement = AddCode(request, "judgement", ev::VALUE_TYPE_LEVEL);
  judgement.add_levels("no");
  judgement.add_levels("yes");

  const absl::Status status = TryRegister(request);

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "CODE_IN_USE");
  EXPECT_EQ(status::DetailOf(status).preconditions.size(), 2u);
}

TEST_F(RegisterServiceTest, ARetryIsAnsweredAlsoWhereItWouldNowBeRefused) {
  pb::RegisterRequest first;
  first.set_request_id(NewId());
  auto& code = AddCode(first, "judgement", ev::VALUE_TYPE_LEVEL);
  code.add_levels("no");
  code.add_levels("yes");
  const auto answer = Must(register_, &pb::RegisterService::Stub::Register, first);
  pb::RegisterRequest wider = first;
  wider.set_request_id(NewId());
  wider.mutable_codes(0)->add_levels("perhaps");
  Must(register_, &pb::RegisterService::Stub::Register, wider);

  const auto again = Must(register_, &pb::RegisterService::Stub::Register, first);

  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(again.snapshot().revision(), answer.snapshot().revision());
  EXPECT_EQ(Head(), 2);
}

TEST_F(RegisterServiceTest, ListsArePages) {
  RegisterAll();
  pb::ListOrganisationsRequest organisations;
  organisations.set_page_size(2);
  std::vector<std::string> ids;
  do {
    const auto page = Must(register_, &pb::RegisterService::Stub::ListOrganisations, organisations);
    for (const auto& organisation : page.organisations()) ids.push_back(organisation.id());
    organisations.set_page_token(page.next_page_token());
  } while (!organisations.page_token().empty());
  EXPECT_THAT(ids, testing::UnorderedElementsAre("Leeds", "Hull", "Closed"));

  pb::ListCodesRequest codes;
  codes.set_page_size(1);
  std::vector<std::string> code_ids;
  do {
    const auto page = Must(register_, &pb::RegisterService::Stub::ListCodes, codes);
    for (const auto& code : page.codes()) code_ids.push_back(code.id());
    codes.set_page_token(page.next_page_token());
  } while (!codes.page_token().empty());
  EXPECT_THAT(code_ids, ElementsAre("judgement", "rate", "special_measures.list_state"));

  EXPECT_EQ(Must(register_, &pb::RegisterService::Stub::ListPeriods, pb::ListPeriodsRequest())
                .periods(0)
                .id(),
            "2001-02");
}

TEST_F(RegisterServiceTest, APageSizeOverTheLimitIsRefused) {
  pb::ListCodesRequest request;
  request.set_page_size(1'001);
  pb::ListCodesResponse response;
  EXPECT_THAT(FieldsOf(Call(register_, &pb::RegisterService::Stub::ListCodes, request, &response)),
              ElementsAre("page_size"));
}

TEST_F(RegisterServiceTest, TheSameSchemeAgainIsTheFirst) {
  pb::RegisterSchemeResponse first;
  ASSERT_TRUE(TryScheme(kScheme, &first).ok());
  EXPECT_FALSE(first.replayed());
  pb::RegisterSchemeResponse again;
  ASSERT_TRUE(TryScheme(absl::StrCat("# Only a comment differs.\n", kScheme), &again).ok());
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(again.digest(), first.digest());
  EXPECT_EQ(again.snapshot().revision(), first.snapshot().revision());
  EXPECT_EQ(Head(), 1);

  const absl::Status other = TryScheme(R"(id: "test" version: "1" title: "Another")", &again);
  EXPECT_EQ(other.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(other), "SCHEME_EXISTS");

  for (const std::string& name : {std::string("test@1"), first.digest()}) {
    pb::GetSchemeTextRequest request;
    request.set_scheme(name);
    const auto got = Must(register_, &pb::RegisterService::Stub::GetSchemeText, request);
    EXPECT_EQ(got.text(), kScheme);
    EXPECT_EQ(got.registered().actor(), "analyst");
  }
}

TEST_F(RegisterServiceTest, ASchemeIsApprovedBySomebodyElse) {
  pb::RegisterSchemeResponse registered;
  ASSERT_TRUE(TryScheme(kScheme, &registered).ok());
  pb::GetSchemeTextRequest request;
  request.set_scheme("test@1");
  const auto get = [&] {
    return Must(register_, &pb::RegisterService::Stub::GetSchemeText, request);
  };

  const absl::Status own = TryApprove(registered.digest());
  EXPECT_EQ(own.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(own), "FOUR_EYES");
  const absl::Status malformed = TryApprove("test@1");
  EXPECT_EQ(malformed.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(malformed), ElementsAre("digest"));
  EXPECT_EQ(ReasonOf(TryApprove(std::string(64, 'a'))), "SCHEME_UNKNOWN");
  EXPECT_FALSE(get().has_approved());

  actor_ = "approver";
  ASSERT_TRUE(TryApprove(registered.digest()).ok());
  EXPECT_EQ(get().approved().actor(), "approver");
  EXPECT_EQ(get().registered().actor(), "analyst");
  EXPECT_EQ(ReasonOf(TryApprove(registered.digest())), "SCHEME_APPROVED");
  // As it was before.
  *request.mutable_freshness()->mutable_exactly() = registered.snapshot().token();
  EXPECT_FALSE(get().has_approved());
}

TEST_F(RegisterServiceTest, ASchemeThatDoesNotParseNamesLineAndColumn) {
  pb::RegisterSchemeResponse response;
  const absl::Status status = TryScheme("id: \"test\"\nunknown_field: 1\n", &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_FALSE(FieldsOf(status).empty());
  EXPECT_THAT(FieldsOf(status)[0], testing::HasSubstr("text, line 2"));
}

TEST_F(RegisterServiceTest, ASchemeNobodyRegisteredIsNotFound) {
  pb::GetSchemeTextRequest request;
  pb::GetSchemeTextResponse response;
  request.set_scheme("test@1");
  EXPECT_EQ(
      ReasonOf(Call(register_, &pb::RegisterService::Stub::GetSchemeText, request, &response)),
      "SCHEME_UNKNOWN");
  request.set_scheme("test");
  EXPECT_THAT(
      FieldsOf(Call(register_, &pb::RegisterService::Stub::GetSchemeText, request, &response)),
      ElementsAre("scheme"));
}

}  // namespace
}  // namespace starratings::service
