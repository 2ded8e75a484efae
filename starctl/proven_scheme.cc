#include "starctl/proven_scheme.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "rating-svc/verify/verify.h"
#include "starctl/csv.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

absl::StatusOr<std::string> TextOf(Session& session, const std::string& ref) {
  std::error_code error;
  const bool named = ref.find('/') == std::string::npos &&
                     (ref.find('@') != std::string::npos || ref.size() == 64);
  if (!named || std::filesystem::exists(ref, error)) return ReadFile(ref);
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::GetSchemeTextRequest request;
  request.set_scheme(ref);
  assessment::v1::GetSchemeTextResponse response;
  RETURN_IF_ERROR(session.Call(*assessment->registers,
                               &assessment::v1::RegisterService::Stub::GetSchemeText, request,
                               response));
  return response.text();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const scheme::Scheme>> ProvenScheme(Session& session,
                                                                   const std::string& ref) {
  ASSIGN_OR_RETURN(const std::string text, TextOf(session, ref));
  const verify::Verification verification = verify::Verify(text);
  if (verification.scheme != nullptr) return verification.scheme;
  const verify::Issue& issue = verification.issues.front();
  return BadFile(absl::StrCat(ref, ":", issue.line),
                 absl::StrCat("does not verify: ", issue.code, " ", issue.rule_id, ": ",
                              issue.message, " (`starctl schemes verify` says it all)"));
}

}  // namespace starratings::starctl
