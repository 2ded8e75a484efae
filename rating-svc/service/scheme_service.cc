#include "rating-svc/service/scheme_service.h"

#include "absl/strings/str_cat.h"
#include "common/serving/deadline.h"
#include "common/serving/grpc_status.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/verify/verify.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::service {
namespace {

constexpr int kProofThreads = 2;
constexpr size_t kProofsMost = 32;

void Write(const scheme::Scheme& scheme, rating::v1::SchemeSummary& message) {
  *message.mutable_scheme() = wire::RefOf(scheme);
  message.set_title(scheme.title);
  message.set_from(scheme.from.ToString());
  if (scheme.to) message.set_to(scheme.to->ToString());
  for (const scheme::Input& input : scheme.inputs) {
    if (input.from == scheme::InputFrom::kEvidence) message.add_codes(input.code);
  }
  for (const scheme::Result& result : scheme.results) {
    message.add_results(scheme.values[static_cast<size_t>(result.value)].name);
  }
}

absl::Status Verify(const std::string& text, rating::v1::VerifySchemeResponse& response) {
  status::FieldErrors errors;
  if (text.empty() || text.size() > verify::kTextMost) {
    errors.Add("text", absl::StrCat("must have 1 to ", verify::kTextMost, " bytes"));
  }
  RETURN_IF_ERROR(errors.ToStatus());
  verify::Verification verification = verify::Verify(text);
  response.set_verified(verification.issues.empty());
  for (const verify::Issue& issue : verification.issues) {
    rating::v1::SchemeIssue& message = *response.add_issues();
    message.set_code(issue.code);
    message.set_rule_id(issue.rule_id);
    message.set_line(issue.line);
    message.set_message(issue.message);
    message.set_counterexample(issue.counterexample);
  }
  for (const std::string& sentence : verification.report) response.add_report(sentence);
  if (!verification.digest.empty()) {
    response.mutable_scheme()->set_id(verification.id);
    response.mutable_scheme()->set_version(verification.version);
    response.mutable_scheme()->set_digest(verification.digest);
  }
  return absl::OkStatus();
}

}  // namespace

SchemeServiceImpl::SchemeServiceImpl(SchemeLibrary& schemes)
    : schemes_(schemes), proofs_(kProofThreads, kProofsMost) {}

grpc::ServerUnaryReactor* SchemeServiceImpl::ListSchemes(
    grpc::CallbackServerContext* context, const rating::v1::ListSchemesRequest* /*request*/,
    rating::v1::ListSchemesResponse* response) {
  for (const SchemePtr& scheme : schemes_.loaded()) Write(*scheme, *response->add_schemes());
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* SchemeServiceImpl::GetScheme(grpc::CallbackServerContext* context,
                                                       const rating::v1::GetSchemeRequest* request,
                                                       rating::v1::GetSchemeResponse* response) {
  const absl::Time deadline = serving::DeadlineOf(*context, kCallUnnamed);
  return AnswerOn(proofs_, *context, [this, request, response, deadline] {
    return Get(request->scheme(), deadline, *response);
  });
}

grpc::ServerUnaryReactor* SchemeServiceImpl::VerifyScheme(
    grpc::CallbackServerContext* context, const rating::v1::VerifySchemeRequest* request,
    rating::v1::VerifySchemeResponse* response) {
  return AnswerOn(proofs_, *context,
                  [request, response] { return Verify(request->text(), *response); });
}

absl::Status SchemeServiceImpl::Get(const std::string& ref, absl::Time deadline,
                                    rating::v1::GetSchemeResponse& response) {
  status::FieldErrors errors;
  errors.AddIfError("scheme", CheckSchemeRef(ref));
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const SchemePtr scheme, schemes_.Find(ref, deadline));
  Write(*scheme, *response.mutable_scheme());
  response.set_text(scheme->text);
  return absl::OkStatus();
}

}  // namespace starratings::service
